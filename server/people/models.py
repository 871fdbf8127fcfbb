"""Who may act: staff with roles, agencies' systems, citizens who signed in; the log of who opened what."""

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model


class Staff(Model):
    id = fields.IntField(primary_key=True)
    username = fields.CharField(max_length=64, unique=True)
    name = fields.CharField(max_length=50)
    role = fields.CharField(max_length=16)
    agency_code = fields.CharField(max_length=18, null=True)
    region_code = fields.CharField(max_length=12)
    """For roles that see more than an agency: the region, with all below it."""
    password = fields.CharField(max_length=200)
    """argon2id."""
    totp: fields.Field[bytes] = fields.BinaryField()
    """Sealed secret."""
    totp_step = fields.BigIntField(default=0)
    """The last step that was used: a code works once."""
    failures = fields.SmallIntField(default=0)
    locked_until = fields.DatetimeField(null=True)
    active = fields.BooleanField(default=True)

    class Meta:
        table = "staff"
        indexes = (("agency_code", "role"),)
        constraints = (
            CheckConstraint(
                check="role IN ('handler','agency_lead','supervisor','adjudicator','auditor','admin')",
                name="staff_role_is_known",
            ),
        )


class Session(Model):
    """A console sign-in. The key is a hash: a stolen table opens no session."""

    key = fields.CharField(max_length=22, primary_key=True)
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField("models.Staff")
    staff_id: int
    csrf = fields.CharField(max_length=32)
    started_at = fields.DatetimeField()
    seen_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "sessions"


class Client(Model):
    """A window system or online platform of one agency."""

    client_id = fields.CharField(max_length=32, primary_key=True)
    secret = fields.CharField(max_length=22)
    """Keyed hash; the secret itself has 256 random bits."""
    agency_code = fields.CharField(max_length=18)
    name = fields.CharField(max_length=100)
    active = fields.BooleanField(default=True)

    class Meta:
        table = "clients"


class AccessLog(Model):
    """Who opened which citizen's data, when and why. Written before the data is shown."""

    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField(db_index=True)
    staff: fields.ForeignKeyRelation[Staff] = fields.ForeignKeyField("models.Staff")
    staff_id: int
    action = fields.CharField(max_length=32)
    subject = fields.CharField(max_length=64)
    reason = fields.CharField(max_length=200, default="")

    class Meta:
        table = "access_log"


class Citizen(Model):
    """Somebody who signed in with WeChat. We know nothing of him but that he is the same one again."""

    id = fields.UUIDField(primary_key=True)
    openid_key = fields.CharField(max_length=22, null=True)
    """Keyed hash; under the newest key since he was last here."""
    openid = fields.BinaryField(null=True)
    """Sealed."""
    first_seen = fields.DatetimeField()
    last_seen = fields.DatetimeField()
    """Of his sign-ins the last."""
    erased_at = fields.DatetimeField(null=True)

    class Meta:
        table = "citizens"
        constraints = (
            UniqueConstraint(fields=("openid_key",), name="one_citizen_per_openid"),
            CheckConstraint(
                check="erased_at IS NULL OR (openid_key IS NULL AND openid IS NULL)",
                name="erased_citizen_is_nobody",
            ),
        )
