"""刷评核查: traces by which ratings are compared, suspicions, and what citizens report."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.integrity.rules import MOST_OBJECTIONS, Act, Rule, SuspicionState
from server.kit.indexes import IndexWhere
from server.receipts.models import Receipt

_RULES = ", ".join(repr(str(rule)) for rule in Rule)
_STATES = ", ".join(repr(str(state)) for state in SuspicionState)
_ACTS = ", ".join(repr(str(act)) for act in Act)


class Trace(Model):
    """What one rating is compared by. Written by the worker, off the hot path; kept `trace_days`.

    Whose it is does not stand here: that is the claims', so that forgetting a person is one deletion.
    """

    review_id = fields.UUIDField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    window_code = fields.CharField(max_length=32, null=True)
    """Of a counter at which people stand; a platform has none."""
    officer_number = fields.CharField(max_length=32, null=True)
    receipt_id = fields.BigIntField()
    channel = fields.CharField(max_length=16)
    level = fields.SmallIntField()
    at = fields.DatetimeField()
    seconds = fields.IntField(null=True)
    """From the issue of the receipt to the rating, by our clock alone."""
    undone = fields.BooleanField(default=False)
    device_key = fields.CharField(max_length=22, null=True)
    phone_key = fields.CharField(max_length=22, null=True)
    words = fields.CharField(max_length=500, default="")
    """Normalised: letters alone; empty if there are too few to know a sentence again."""

    class Meta:
        table = "traces"
        indexes = (
            PostgreSQLIndex(fields=("agency_code", "window_code", "at"), name="traces_of_window"),
            PostgreSQLIndex(fields=("receipt_id",), name="traces_of_receipt"),
            PostgreSQLIndex(fields=("at",), name="traces_by_time"),
            IndexWhere(fields=("device_key", "at"), name="traces_of_device", where="device_key IS NOT NULL"),
            IndexWhere(fields=("phone_key", "at"), name="traces_of_phone", where="phone_key IS NOT NULL"),
            IndexWhere(fields=("words",), name="traces_of_words", where="words <> ''"),
        )  # fmt: skip


class Watermark(Model):
    """How far a job has come: `watch` with tracing and comparing, a region with forgetting."""

    name = fields.CharField(max_length=16, primary_key=True)
    traced_to = fields.DatetimeField()

    class Meta:
        table = "watermarks"


class Suspicion(Model):
    """One rule's finding about one review. Until somebody has looked, the review is in no ranking."""

    id = fields.BigIntField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    window_code = fields.CharField(max_length=32, null=True)
    receipt_id = fields.BigIntField()
    review_id = fields.UUIDField(null=True)
    """Empty where a citizen reports before anybody has rated."""
    rule = fields.CharField(max_length=16)
    evidence = fields.TextField()
    """JSON of counts, seconds and thresholds; nothing that leads to a person."""
    at = fields.DatetimeField()
    due_at = fields.DatetimeField()
    state = fields.CharField(max_length=10, default=SuspicionState.OPEN, db_default="open")
    proposed_by = fields.IntField(null=True)
    proposed_at = fields.DatetimeField(null=True)
    proposal = fields.TextField(default="", db_default="")
    decided_by = fields.IntField(null=True)
    decided_at = fields.DatetimeField(null=True)
    decision = fields.TextField(default="", db_default="")
    overdue_at = fields.DatetimeField(null=True)
    """When supervisors were told that its time has passed."""

    class Meta:
        table = "suspicions"
        indexes = (
            PostgreSQLIndex(fields=("receipt_id",), name="suspicions_of_receipt"),
            PostgreSQLIndex(fields=("region_code", "state", "id"), name="suspicions_of_region"),
            IndexWhere(
                fields=("due_at",),
                name="suspicions_due",
                where="decided_at IS NULL AND overdue_at IS NULL",
            ),
        )
        constraints = (
            UniqueConstraint(
                fields=("review_id", "rule"), name="one_suspicion_per_review_and_rule",
                condition="review_id IS NOT NULL",
            ),
            CheckConstraint(check=f"rule IN ({_RULES})", name="suspicion_rule_is_known"),
            CheckConstraint(check=f"state IN ({_STATES})", name="suspicion_state_is_known"),
            CheckConstraint(
                check="state <> 'confirmed' OR coalesce(proposed_by <> decided_by, FALSE)",
                name="confirmed_by_a_second_person",
            ),
            CheckConstraint(
                check="(state IN ('confirmed', 'cleared')) = (decided_at IS NOT NULL)",
                name="decided_suspicion_has_its_time",
            ),
        )  # fmt: skip


class Look(Model):
    """Who looked at a suspicion, and what he held of it. Never changed, never deleted."""

    id = fields.BigIntField(primary_key=True)
    suspicion: fields.ForeignKeyRelation[Suspicion] = fields.ForeignKeyField(
        "models.Suspicion", related_name="looks", db_index=True
    )
    suspicion_id: int
    at = fields.DatetimeField()
    staff_id = fields.IntField()
    act = fields.CharField(max_length=10)
    words = fields.TextField(default="", db_default="")

    class Meta:
        table = "suspicion_looks"
        constraints = (CheckConstraint(check=f"act IN ({_ACTS})", name="look_act_is_known"),)


class Insider(Model):
    """A phone or openid of the staff, as a keyed hash: it is only ever compared."""

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=8)
    key = fields.CharField(max_length=22)
    agency_code = fields.CharField(max_length=18)
    officer_number = fields.CharField(max_length=32, null=True)
    loaded_at = fields.DatetimeField()

    class Meta:
        table = "insiders"
        constraints = (
            UniqueConstraint(fields=("kind", "key", "agency_code"), name="one_insider_per_key"),
            CheckConstraint(check="kind IN ('phone', 'openid')", name="insider_kind_is_known"),
        )


class Proof(Model):
    """A one-time code, asked for with a receipt and some phone. It is sent if the phone is the
    receipt's; the row is there either way, so that nobody learns from the limits whether it is."""

    key = fields.CharField(max_length=22, primary_key=True)
    """Keyed hash of the receipt and the phone that was typed in."""
    receipt: fields.ForeignKeyRelation[Receipt] = fields.ForeignKeyField(
        "models.Receipt", db_index=True
    )
    receipt_id: int
    code_key = fields.CharField(max_length=22, null=True)
    """Keyed hash of receipt and code. Empty: it is not the receipt's phone, and nothing was sent."""
    sent_at = fields.DatetimeField()
    tries = fields.SmallIntField(default=0, db_default=0)
    sent_today = fields.SmallIntField(default=1, db_default=1)
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "objection_proofs"


class Objection(Model):
    """“不是我评的”: the phone's owner says that the first rater was somebody else."""

    id = fields.UUIDField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    receipt: fields.ForeignKeyRelation[Receipt] = fields.ForeignKeyField(
        "models.Receipt", db_index=True
    )
    receipt_id: int
    review_id = fields.UUIDField()
    """Which he disowns; kept as `suspended`."""
    generation = fields.SmallIntField()
    """Of the code that he got for his own review."""
    at = fields.DatetimeField()

    class Meta:
        table = "objections"
        constraints = (
            UniqueConstraint(fields=("review_id",), name="one_objection_per_review"),
            UniqueConstraint(fields=("receipt_id", "generation"), name="one_objection_per_code"),
            CheckConstraint(
                check=f"generation BETWEEN 1 AND {MOST_OBJECTIONS}", name="objections_are_few"
            ),
        )


class Pressure(Model):
    """“被要求好评”, protected like a review: the agency never learns of it from us."""

    id = fields.UUIDField(primary_key=True)
    """The citizen's query code is derived from it by a key."""
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    receipt: fields.ForeignKeyRelation[Receipt] = fields.ForeignKeyField("models.Receipt")
    receipt_id: int
    query_key = fields.CharField(max_length=22)
    how: fields.Field[list[str]] = ArrayField("text", default=list)
    words = fields.TextField(default="", db_default="")
    at = fields.DatetimeField()
    suspicion_id = fields.BigIntField()

    class Meta:
        table = "pressures"
        constraints = (
            UniqueConstraint(fields=("receipt_id",), name="one_report_per_receipt"),
            UniqueConstraint(fields=("query_key",), name="one_report_per_query_code"),
        )
