"""One handled service = one right to one review."""

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.kit.indexes import IndexWhere
from server.receipts.rules import WALL


class Receipt(Model):
    """办事回执. Whether it was rated is not written here: the issuer may read this row.

    `channel` = 'wall' is a visit without a slip (see visits): nobody issued it, nobody vouches for it.
    Whoever counts services or verified reviews leaves it out, or counts it apart.
    """

    id = fields.BigIntField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    case_number = fields.CharField(max_length=64)
    service_number = fields.IntField()
    matter_code = fields.CharField(max_length=33)
    """Empty only of a visit: the citizen need not say what it was about."""
    window_code = fields.CharField(max_length=32, null=True)
    officer_number = fields.CharField(max_length=32, null=True)
    stage = fields.CharField(max_length=8, null=True)
    channel = fields.CharField(max_length=16)
    handled_at = fields.DatetimeField()
    issued_at = fields.DatetimeField()
    open_until = fields.DatetimeField()
    applicant = fields.BinaryField(null=True)
    """Sealed JSON {kind, name, phone}."""
    phone_key = fields.CharField(max_length=22, null=True)
    """Keyed hash of the phone number."""
    digest = fields.CharField(max_length=22)
    """Keyed hash of what the issuer sent, to tell a repetition from a contradiction."""
    voided_at = fields.DatetimeField(null=True)
    invite_at = fields.DatetimeField(null=True)
    """When the invitation by SMS is to be thought about; empty once it was, or without a phone."""
    hall_code = fields.CharField(max_length=32, null=True)
    """Of a visit alone: where the code hangs that was scanned."""
    default_at = fields.DatetimeField(null=True)
    """When a default rating is to be thought about, after which moment; empty once it was, or if the
    region's policy wanted none when the receipt was issued."""

    class Meta:
        table = "receipts"
        indexes = (
            IndexWhere(
                fields=("invite_at",), name="receipts_to_invite", where="invite_at IS NOT NULL"
            ),
            IndexWhere(
                fields=("default_at",), name="receipts_to_default", where="default_at IS NOT NULL"
            ),
        )
        constraints = (
            UniqueConstraint(
                fields=("region_code", "agency_code", "case_number", "service_number"),
                name="one_receipt_per_service",
            ),
            UniqueConstraint(
                fields=("case_number",),
                name="one_visit_per_request",
                condition="hall_code IS NOT NULL",
            ),
            CheckConstraint(check="service_number >= 1", name="service_number_is_positive"),
            CheckConstraint(
                check=f"(channel = '{WALL}') = (hall_code IS NOT NULL)", name="visit_has_its_hall"
            ),
            CheckConstraint(
                check=f"channel = '{WALL}' OR matter_code <> ''", name="receipt_has_its_matter"
            ),
            CheckConstraint(
                check=f"channel <> '{WALL}' OR "
                "(phone_key IS NULL AND invite_at IS NULL AND officer_number IS NULL)",
                name="visit_reaches_nobody",
            ),
        )


class Kiosk(Model):
    """评价器: the tablet of a window, and the receipt that it shows. Never what was rated."""

    id = fields.UUIDField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    window_code = fields.CharField(max_length=32)
    key = fields.CharField(max_length=22)
    """Keyed hash of the secret in its address; under the newest key since it was last seen."""
    issued_at = fields.DatetimeField()
    issued_by = fields.IntField(null=True)
    """Of the staff; empty: by command."""
    seen_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    revoked_by = fields.IntField(null=True)
    ask = fields.UUIDField(null=True)
    """Random; names the showing of a receipt, and the form that belongs to it."""
    receipt: fields.ForeignKeyNullableRelation[Receipt] = fields.ForeignKeyField(
        "models.Receipt", null=True, db_index=True
    )
    receipt_id: int | None
    asked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "kiosks"
        constraints = (
            UniqueConstraint(
                fields=("agency_code", "window_code"),
                name="one_kiosk_per_window",
                condition="revoked_at IS NULL",
            ),
            UniqueConstraint(fields=("key",), name="one_kiosk_per_key"),
            CheckConstraint(
                check="(ask IS NULL) = (receipt_id IS NULL) AND (ask IS NULL) = (asked_at IS NULL)",
                name="ask_has_its_receipt",
            ),
            CheckConstraint(
                check="revoked_at IS NULL OR ask IS NULL", name="revoked_kiosk_shows_nothing"
            ),
        )
