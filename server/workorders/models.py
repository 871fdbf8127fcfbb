"""The agency's desk. An order holds the snapshot that the agency may see, and nothing of the citizen."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.contrib.postgres.indexes import GinIndex, PostgreSQLIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.workorders.rules import FINAL, Outcome, State


def _one_of(column: str, words: type[State] | type[Outcome]) -> str:
    return f"{column} IN ({', '.join(repr(str(word)) for word in words)})"


_FINAL = ", ".join(repr(str(state)) for state in sorted(FINAL))


class WorkOrder(Model):
    """差评工单."""

    number = fields.CharField(max_length=16, primary_key=True)
    region_code = fields.CharField(max_length=12)
    origin = fields.CharField(max_length=16)
    origin_key = fields.UUIDField()
    """What it came from, told by the desk that opened it; says nothing to the agency."""
    state = fields.CharField(max_length=12)
    outcome = fields.CharField(max_length=12, null=True)
    agency_code = fields.CharField(max_length=18)
    co_agency_codes: fields.Field[list[str]] = ArrayField("text", default=list)
    owner_id = fields.IntField(null=True)
    """首问负责: the member of staff who has the order, from the first commit to the end."""
    matter_code = fields.CharField(max_length=33, null=True)
    matter = fields.CharField(max_length=200, default="")
    hall = fields.CharField(max_length=100, default="")
    window = fields.CharField(max_length=100, default="")
    level = fields.SmallIntField(null=True)
    tags: fields.Field[list[str]] = ArrayField("text", default=list)
    words = fields.TextField(default="")
    """Redacted."""
    real_name = fields.BooleanField(default=False)
    opened_on = fields.DateField()
    visible_from = fields.DatetimeField()
    contact_due_at = fields.DatetimeField()
    due_at = fields.DatetimeField()
    provisional = fields.BooleanField(default=False)
    """The calendar of a year it needs is not loaded; recomputed when it is."""
    next_due_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)
    contests = fields.SmallIntField(default=0)

    class Meta:
        table = "work_orders"
        indexes = (
            PostgreSQLIndex(
                fields=("agency_code", "next_due_at", "number"), name="work_orders_of_agency"
            ),
            GinIndex(fields=("co_agency_codes",), name="work_orders_of_co_handlers"),
            PostgreSQLIndex(fields=("region_code", "next_due_at", "number"), name="work_orders_of_region"),
        )  # fmt: skip
        constraints = (
            UniqueConstraint(
                fields=("region_code", "origin", "origin_key"),
                name="one_open_order_per_origin",
                condition=f"state NOT IN ({_FINAL})",
            ),
            CheckConstraint(check=_one_of("state", State), name="order_state_is_known"),
            CheckConstraint(
                check=f"(state IN ({_FINAL})) = (closed_at IS NOT NULL)",
                name="order_is_final_when_it_has_ended",
            ),
            CheckConstraint(
                check=f"state IN ({_FINAL}) OR next_due_at IS NOT NULL",
                name="open_order_has_a_due_time",
            ),
        )


class Step(Model):
    """One move of an order; never changed, never deleted."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[WorkOrder] = fields.ForeignKeyField(
        "models.WorkOrder", related_name="steps", db_index=True
    )
    order_id: str
    at = fields.DatetimeField()
    move = fields.CharField(max_length=16)
    state = fields.CharField(max_length=12)
    actor_id = fields.IntField(null=True)
    actor = fields.CharField(max_length=16)
    """Role of who moved it: citizen, system, or a staff role."""
    words = fields.TextField(default="")
    disposition = fields.CharField(max_length=16, null=True)
    legal_basis = fields.TextField(null=True)

    class Meta:
        table = "work_order_steps"
