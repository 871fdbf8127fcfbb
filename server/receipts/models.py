"""One handled service = one right to one review."""

from tortoise import fields
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.kit.indexes import IndexWhere
from server.receipts.rules import GRIEVANCE, WALL


class Receipt(Model):
    """办事回执. Whether it was rated is not written here: the issuer may read this row.

    `channel` = 'wall' is a visit without a slip (see visits): nobody issued it, nobody vouches for it.
    Whoever counts services or verified reviews leaves it out, or counts it apart. `channel` = 'grievance'
    stands behind a grievance of another door, and is no service either.
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
    """Of a visit: where the code hangs that was scanned. Of a grievance: the hall it is about, if any."""
    default_at = fields.DatetimeField(null=True)
    """When a default rating is to be thought about, after which moment; empty once it was, or if the
    region's policy wanted none when the receipt was issued."""
    generation = fields.SmallIntField(default=0, db_default=0)
    """How often the phone's owner has objected “不是我评的”: only the code of this generation rates."""
    reopened_until = fields.DatetimeField(null=True)
    """Until when the code handed out after an objection may rate. Never shown to the issuer."""

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
                condition=f"channel = '{WALL}'",
            ),
            CheckConstraint(check="service_number >= 1", name="service_number_is_positive"),
            CheckConstraint(
                check=f"channel = '{GRIEVANCE}' OR (channel = '{WALL}') = (hall_code IS NOT NULL)",
                name="visit_has_its_hall",
            ),
            CheckConstraint(
                check=f"channel IN ('{WALL}', '{GRIEVANCE}') OR matter_code <> ''",
                name="receipt_has_its_matter",
            ),
            CheckConstraint(
                check=f"channel NOT IN ('{WALL}', '{GRIEVANCE}') OR "
                "(phone_key IS NULL AND invite_at IS NULL AND officer_number IS NULL)",
                name="visit_reaches_nobody",
            ),
        )


class Void(Model):
    """作废: asked for with a reason by one, decided by another. The receipt keeps its review."""

    id = fields.BigIntField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    receipt: fields.ForeignKeyRelation[Receipt] = fields.ForeignKeyField(
        "models.Receipt", db_index=True
    )
    receipt_id: int
    reason = fields.CharField(max_length=200)
    asked_by = fields.CharField(max_length=40)
    """Scope of who asked: `staff:<id>` or `client:<client_id>`."""
    asked_at = fields.DatetimeField()
    state = fields.CharField(max_length=8, default="asked", db_default="asked")
    decided_by = fields.IntField(null=True)
    """Of the staff, and never who asked."""
    decided_at = fields.DatetimeField(null=True)
    words = fields.CharField(max_length=200, default="", db_default="")
    """Why it was refused."""

    class Meta:
        table = "voids"
        indexes = (
            PostgreSQLIndex(fields=("agency_code", "id"), name="voids_of_agency"),
            IndexWhere(fields=("decided_at",), name="voids_done", where="state = 'voided'"),
        )
        constraints = (
            UniqueConstraint(
                fields=("receipt_id",), name="one_void_per_receipt", condition="state <> 'refused'"
            ),
            CheckConstraint(
                check="state IN ('asked', 'voided', 'refused')", name="void_state_is_known"
            ),
            CheckConstraint(
                check="(state = 'asked') = (decided_by IS NULL)"
                " AND (decided_by IS NULL) = (decided_at IS NULL)"
                " AND asked_by <> 'staff:' || coalesce(decided_by, 0)",
                name="void_needs_a_second_person",
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


class PaperForm(Model):
    """书面评价表: a printed blank with two codes. It is keyed in once."""

    id = fields.UUIDField(primary_key=True)
    """The code on the form is derived from it by a key, as a query code. Who keys it in reads that one."""
    key = fields.CharField(max_length=22)
    """Keyed hash of the code on the form."""
    review_id = fields.UUIDField()
    """Of the review to come: its query code stands on the stub, which the citizen tears off."""
    stub_key = fields.CharField(max_length=22)
    """Keyed hash of the code on the stub."""
    region_code = fields.CharField(max_length=12)
    hall_code = fields.CharField(max_length=32)
    window_code = fields.CharField(max_length=32, null=True)
    printed_at = fields.DatetimeField()
    printed_by = fields.IntField()
    entered_at = fields.DatetimeField(null=True)
    entered_by = fields.IntField(null=True)

    class Meta:
        table = "paper_forms"
        indexes = (
            IndexWhere(
                fields=("entered_at",), name="paper_forms_keyed_in", where="entered_at IS NOT NULL"
            ),
            PostgreSQLIndex(fields=("printed_at",), name="paper_forms_printed"),
        )
        constraints = (
            UniqueConstraint(fields=("key",), name="one_paper_form_per_code"),
            UniqueConstraint(fields=("stub_key",), name="one_paper_form_per_stub"),
            UniqueConstraint(fields=("review_id",), name="one_review_per_paper_form"),
            CheckConstraint(
                check="(entered_at IS NULL) = (entered_by IS NULL)",
                name="keyed_in_form_has_its_operator",
            ),
        )
