"""诉求: what a citizen has to say without a receipt. It rates nothing and is in no figure of satisfaction."""

from tortoise import fields
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.grievances.rules import Kind, Source
from server.kit.indexes import IndexWhere
from server.receipts.models import Receipt

_SOURCES = ", ".join(repr(str(source)) for source in Source)
_KINDS = ", ".join(repr(str(kind)) for kind in Kind)


class Grievance(Model):
    """One grievance of one citizen; its work order opens in the same commit. Never deleted."""

    id = fields.UUIDField(primary_key=True)
    """The citizen's query code is derived from it by a key, as that of a review."""
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    """Whose it was when it came in."""
    receipt: fields.ForeignKeyRelation[Receipt] = fields.ForeignKeyField(
        "models.Receipt", db_index=True
    )
    """A receipt that nobody issued (`channel` = 'grievance'): place and matter for the messages."""
    receipt_id: int
    source = fields.CharField(max_length=12)
    kind = fields.CharField(max_length=16, default="", db_default="")
    function = fields.CharField(max_length=16, default="", db_default="")
    words = fields.TextField()
    """As they were said."""
    channel = fields.CharField(max_length=16)
    """Over which the citizen is answered: `web`, `mini_program`, `phone`, `paper`."""
    real_name = fields.BooleanField(default=False, db_default=False)
    contact = fields.BinaryField(null=True)
    """Sealed JSON {name, phone}."""
    contact_key = fields.CharField(max_length=22, null=True)
    """Keyed hash of the phone: to find doubles."""
    citizen_id = fields.UUIDField(null=True)
    """Who was signed in, until he is forgotten."""
    at = fields.DatetimeField()
    came_on = fields.DateField(null=True)
    """The day of the call or letter, if a clerk entered it later."""
    order_number = fields.CharField(max_length=16)
    query_key = fields.CharField(max_length=22)
    request_key = fields.CharField(max_length=22, null=True)
    request_digest = fields.CharField(max_length=22, null=True)
    entered_by = fields.IntField(null=True)
    """The clerk; empty: the citizen himself."""
    external_number = fields.CharField(max_length=64, null=True)
    """Of the hotline's or the national platform's own ticket."""

    class Meta:
        table = "grievances"
        indexes = (
            PostgreSQLIndex(fields=("region_code", "at"), name="grievances_of_region"),
            PostgreSQLIndex(fields=("order_number",), name="grievances_of_order"),
            IndexWhere(
                fields=("contact_key", "at"), name="grievances_of_phone", where="contact_key IS NOT NULL"
            ),
            IndexWhere(
                fields=("citizen_id", "at"), name="grievances_of_citizen", where="citizen_id IS NOT NULL"
            ),
        )  # fmt: skip
        constraints = (
            UniqueConstraint(fields=("query_key",), name="one_grievance_per_query_code"),
            UniqueConstraint(
                fields=("request_key",), name="one_grievance_per_request",
                condition="request_key IS NOT NULL",
            ),
            UniqueConstraint(
                fields=("region_code", "source", "external_number"), name="one_grievance_per_ticket",
                condition="external_number IS NOT NULL",
            ),
            CheckConstraint(check=f"source IN ({_SOURCES})", name="grievance_source_is_known"),
            CheckConstraint(check=f"kind IN ('', {_KINDS})", name="grievance_kind_is_known"),
            CheckConstraint(
                check="source IN ('faults', 'stuck') OR entered_by IS NOT NULL",
                name="clerks_entry_has_its_operator",
            ),
        )  # fmt: skip
