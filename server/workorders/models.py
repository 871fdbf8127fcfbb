"""The agency's desk. An order holds the snapshot that the agency may see, and nothing of the citizen."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.contrib.postgres.indexes import GinIndex, PostgreSQLIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.kit.indexes import GinWhere, IndexWhere
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
    first_asked_id = fields.IntField(null=True)
    """首问负责 of what a clerk entered: he whom the citizen asked first. He follows it to the end,
    whichever agency has it."""
    followers: fields.Field[list[int] | None] = ArrayField("int", null=True)
    """首问负责 of the orders that were merged into this one: they follow it as well."""
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
    answer_days = fields.SmallIntField(null=True)
    """Working days of the limit from `visible_from`; without it the policy's simple ones."""
    extension_days = fields.SmallIntField(null=True)
    """Working days, granted once."""
    planned_until = fields.DateField(null=True)
    """限期整改: the day that the lead promised."""
    returns = fields.SmallIntField(default=0, db_default=0)
    proposed_agency_code = fields.CharField(max_length=18, null=True)
    """Whose it is in the opinion of the agency that returned it."""
    asked_from = fields.CharField(max_length=12, null=True)
    """The state to which the order comes back when the citizen has answered."""
    desk_agency_code = fields.CharField(max_length=18, null=True)
    """A service desk that had the order before the agency: both are rated."""
    verifier_id = fields.IntField(null=True)
    verified_at = fields.DatetimeField(null=True)
    verified_as = fields.CharField(max_length=12, null=True)
    called_back_at = fields.DatetimeField(null=True)
    """实名差评回访: a person spoke with the citizen, or has tried on enough days."""
    told_at = fields.DatetimeField(null=True)
    told_how = fields.CharField(max_length=12, null=True)
    """销号: the proof that the citizen was told the answer."""
    ruling = fields.CharField(max_length=12, null=True)
    merged_into = fields.CharField(max_length=16, null=True)
    promised_until = fields.DateField(null=True)
    """Of an order that was merged into this one, if it was promised earlier: the day of its answer."""
    promised_from = fields.DatetimeField(null=True)
    """When it was merged: what happened before puts that day off no more."""
    climb_due = fields.DatetimeField(null=True)
    """Which `next_due_at` the ladder has taken note of; another one is looked at anew."""
    climbs_at = fields.DatetimeField(null=True)
    """After which the ladder has something to do."""

    class Meta:
        table = "work_orders"
        indexes = (
            PostgreSQLIndex(
                fields=("agency_code", "next_due_at", "number"), name="work_orders_of_agency"
            ),
            GinIndex(fields=("co_agency_codes",), name="work_orders_of_co_handlers"),
            PostgreSQLIndex(fields=("region_code", "next_due_at", "number"), name="work_orders_of_region"),
            IndexWhere(fields=("next_due_at",), name="work_orders_due", where="closed_at IS NULL"),
            IndexWhere(fields=("merged_into",), name="work_orders_merged", where="merged_into IS NOT NULL"),
            IndexWhere(
                fields=("first_asked_id",), name="work_orders_first_asked", where="first_asked_id IS NOT NULL"
            ),
            GinWhere(fields=("followers",), name="work_orders_of_followers", where="followers IS NOT NULL"),
            IndexWhere(
                fields=("next_due_at",), name="work_orders_redated",
                where="closed_at IS NULL AND state <> 'answered' AND climb_due IS DISTINCT FROM next_due_at",
            ),
            IndexWhere(
                fields=("climbs_at",), name="work_orders_to_climb",
                where="closed_at IS NULL AND climbs_at IS NOT NULL",
            ),
            IndexWhere(fields=("next_due_at",), name="work_orders_answered", where="state = 'answered'"),
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
                check=f"state IN ({_FINAL}) OR next_due_at IS NOT NULL", name="open_order_has_a_due_time"
            ),
        )  # fmt: skip


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
    of_order = fields.CharField(max_length=16, null=True)
    """Of a citizen whose own order was merged into this one: its number. Other citizens of this order
    do not read his words."""

    class Meta:
        table = "work_order_steps"


class Part(Model):
    """协办: what one co-handling agency has to contribute before the lead may answer."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[WorkOrder] = fields.ForeignKeyField(
        "models.WorkOrder", related_name="parts"
    )
    order_id: str
    agency_code = fields.CharField(max_length=18)
    state = fields.CharField(max_length=8, default="waiting", db_default="waiting")
    words = fields.TextField(default="", db_default="")
    actor_id = fields.IntField(null=True)
    done_at = fields.DatetimeField(null=True)

    class Meta:
        table = "order_parts"
        constraints = (
            UniqueConstraint(fields=("order_id", "agency_code"), name="one_part_per_agency"),
            CheckConstraint(check="state IN ('waiting', 'done', 'released')", name="part_state_is_known"),
        )  # fmt: skip


class Escalation(Model):
    """One rung that an order climbed because a due time passed, or was near."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[WorkOrder] = fields.ForeignKeyField(
        "models.WorkOrder", related_name="escalations"
    )
    order_id: str
    region_code = fields.CharField(max_length=12)
    due_at = fields.DatetimeField()
    """Which due time it was: a later one climbs anew."""
    rung = fields.SmallIntField()
    ladder = fields.CharField(max_length=12, default="agency", db_default="agency")
    at = fields.DatetimeField()
    listed_at = fields.DatetimeField(null=True)
    """Of the rung that supervises by rule, which gives the order a new due time: after which the
    last rung of this one is climbed all the same."""

    class Meta:
        table = "escalations"
        constraints = (
            UniqueConstraint(
                fields=("order_id", "due_at", "ladder", "rung"), name="each_rung_once"
            ),
        )
        indexes = (
            IndexWhere(
                fields=("listed_at",), name="escalations_to_list", where="listed_at IS NOT NULL"
            ),
        )


class Alert(Model):
    """A message to one member of staff: shown on his desk until he has opened it."""

    id = fields.BigIntField(primary_key=True)
    staff_id = fields.IntField()
    order_number = fields.CharField(max_length=16, null=True)
    kind = fields.CharField(max_length=16)
    words = fields.TextField(default="", db_default="")
    at = fields.DatetimeField()
    seen_at = fields.DatetimeField(null=True)

    class Meta:
        table = "alerts"
        indexes = (
            IndexWhere(fields=("staff_id", "at"), name="alerts_unseen", where="seen_at IS NULL"),
        )


class Accountability(Model):
    """问责: who, why, and what followed. Never changed but for what followed."""

    id = fields.BigIntField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    order_number = fields.CharField(max_length=16, null=True)
    staff_id = fields.IntField(null=True)
    """Who had the order."""
    officer_number = fields.CharField(max_length=32, null=True)
    """Who handled the case, where the reason lies with him (G15)."""
    ordinal = fields.SmallIntField(null=True)
    """Which record of its kind about this officer."""
    why = fields.CharField(max_length=16)
    words = fields.TextField(default="", db_default="")
    at = fields.DatetimeField()
    by_id = fields.IntField(null=True)
    """Empty: by rule."""
    followed = fields.TextField(null=True)
    followed_at = fields.DatetimeField(null=True)
    followed_by_id = fields.IntField(null=True)

    class Meta:
        table = "accountability"
        indexes = (PostgreSQLIndex(fields=("region_code", "at"), name="accountability_of_region"),)
        constraints = (
            UniqueConstraint(
                fields=("order_number", "why"), name="accountable_once_per_order_and_reason",
                condition="order_number IS NOT NULL",
            ),
            UniqueConstraint(
                name="accountable_officer_once_per_period", condition="officer_number IS NOT NULL",
                fields=("agency_code", "officer_number", "ordinal"),
            ),
        )  # fmt: skip


class Flag(Model):
    """A citizen's message that the agency holds to be abuse. It is folded, never removed."""

    step: fields.OneToOneRelation[Step] = fields.OneToOneField("models.Step", primary_key=True)
    step_id: int
    by_id = fields.IntField()
    reason = fields.CharField(max_length=200)
    at = fields.DatetimeField()
    upheld = fields.BooleanField(null=True)
    """The supervisor's opinion; empty until he has one."""
    ruled_by_id = fields.IntField(null=True)
    ruled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "flags"


class Opinion(Model):
    """The citizen's verdict on one party to the order, in one round; both are rated."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[WorkOrder] = fields.ForeignKeyField(
        "models.WorkOrder", related_name="opinions"
    )
    order_id: str
    round = fields.SmallIntField()
    about = fields.CharField(max_length=8)
    agency_code = fields.CharField(max_length=18)
    satisfied = fields.BooleanField()
    at = fields.DatetimeField()

    class Meta:
        table = "opinions"
        constraints = (
            UniqueConstraint(fields=("order_id", "round", "about"), name="one_opinion_per_party"),
            CheckConstraint(check="about IN ('agency', 'desk')", name="opinion_is_about_somebody"),
        )
