"""The citizen's desk."""

from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.contrib.postgres.indexes import BrinIndex, PostgreSQLIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.kit.indexes import IndexWhere
from server.people.models import Citizen
from server.receipts.models import Receipt
from server.reviews.rules import Answer, CheckState, QuestionState

_CHECK_STATES = ", ".join(repr(str(state)) for state in CheckState)
_ANSWERS = ", ".join(repr(str(answer)) for answer in Answer)
_QUESTION_STATES = ", ".join(repr(str(state)) for state in QuestionState)


class Review(Model):
    """评价. Never deleted; an undone one stays as `undone`."""

    id = fields.UUIDField(primary_key=True)
    """The citizen's query code is derived from it by a key: see codes."""
    receipt: fields.ForeignKeyRelation[Receipt] = fields.ForeignKeyField("models.Receipt")
    receipt_id: int
    region_code = fields.CharField(max_length=12)
    level = fields.SmallIntField()
    tags: fields.Field[list[str]] = ArrayField("text", default=list)
    comment = fields.TextField(default="")
    state = fields.CharField(max_length=16)
    channel = fields.CharField(max_length=16)
    real_name = fields.BooleanField(default=False)
    contact = fields.BinaryField(null=True)
    """Sealed JSON {name, phone}, given with the review."""
    at = fields.DatetimeField()
    undo_until = fields.DatetimeField()
    undone_at = fields.DatetimeField(null=True)
    order_number = fields.CharField(max_length=16, null=True)
    query_key = fields.CharField(max_length=22)
    """Keyed hash of the query code."""
    supplement = fields.TextField(null=True)
    supplemented_at = fields.DatetimeField(null=True)
    request_key = fields.CharField(max_length=22, null=True)
    """Keyed hash of the Idempotency-Key, so that a repeated request finds its own review."""
    request_digest = fields.CharField(max_length=22, null=True)
    replaced_at = fields.DatetimeField(null=True)
    """Of a default one: when the citizen's own review took its place; it is `excluded` from then on."""
    device_key = fields.CharField(max_length=22, null=True)
    """Keyed hash of a random name that the browser keeps; emptied after the policy's `trace_days`."""
    entered_by = fields.IntField(null=True)
    """Of a paper form: the member of staff who keyed it in."""

    class Meta:
        table = "reviews"
        indexes = (
            PostgreSQLIndex(fields=("receipt_id",), name="reviews_of_receipt"),
            # A day's reviews lie together; a tree over all of them would cost every submission.
            BrinIndex(fields=("at",), name="reviews_by_time"),
            IndexWhere(
                fields=("at",), name="reviews_awaiting_reason", where="state = 'awaiting_reason'"
            ),
            IndexWhere(fields=("undone_at",), name="reviews_undone", where="undone_at IS NOT NULL"),
        )
        constraints = (
            UniqueConstraint(
                fields=("region_code", "receipt_id"),
                name="one_standing_review_per_receipt",
                condition="state IN ('standing', 'awaiting_reason', 'default')",
            ),
            UniqueConstraint(fields=("query_key",), name="one_review_per_query_code"),
            UniqueConstraint(
                fields=("receipt_id", "request_key"),
                name="one_review_per_request",
                condition="request_key IS NOT NULL",
            ),
            CheckConstraint(check="level BETWEEN 1 AND 5", name="review_level_is_1_to_5"),
            CheckConstraint(
                check="state IN ('standing','awaiting_reason','undone','suspended','excluded','default')",
                name="review_state_is_known",
            ),
            CheckConstraint(
                check="level > 2 OR state <> 'standing' OR order_number IS NOT NULL",
                name="standing_bad_review_has_its_order",
            ),
            CheckConstraint(
                check="(channel = 'system') = (state = 'default' OR replaced_at IS NOT NULL)"
                " AND (channel <> 'system' OR level = 3)",
                name="the_system_rates_only_by_default",
            ),
        )


class Claim(Model):
    """Whose a review is. Who gave it without signing in may claim it by its query code."""

    review: fields.OneToOneRelation[Review] = fields.OneToOneField(
        "models.Review", primary_key=True
    )
    review_id: UUID
    region_code = fields.CharField(max_length=12)
    citizen: fields.ForeignKeyRelation[Citizen] = fields.ForeignKeyField("models.Citizen")
    citizen_id: UUID
    reviewed_at = fields.DatetimeField()
    """As in the review, so that his history is read from one index."""
    by_code = fields.BooleanField(default=False)
    """Claimed afterwards; otherwise he was signed in when he gave it."""

    class Meta:
        table = "claims"
        indexes = (
            PostgreSQLIndex(
                fields=("citizen_id", "reviewed_at", "review_id"), name="claims_of_citizen"
            ),
        )


class WordCheck(Model):
    """Words of a citizen who was signed in: published only once WeChat has let them pass."""

    review: fields.OneToOneRelation[Review] = fields.OneToOneField(
        "models.Review", primary_key=True
    )
    review_id: UUID
    state = fields.CharField(max_length=8)
    reason = fields.CharField(max_length=32, default="")
    """What WeChat suggested, or why it could not be asked."""
    tries = fields.SmallIntField(default=0)
    next_at = fields.DatetimeField(null=True)
    checked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "word_checks"
        indexes = (
            IndexWhere(fields=("next_at",), name="word_checks_due", where="next_at IS NOT NULL"),
        )
        constraints = (
            CheckConstraint(check=f"state IN ({_CHECK_STATES})", name="check_state_is_known"),
        )


class Answers(Model):
    """One citizen's answers to the questionnaire after his review. They count while the review does."""

    review: fields.OneToOneRelation[Review] = fields.OneToOneField(
        "models.Review", primary_key=True
    )
    review_id: UUID
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    matter_code = fields.CharField(max_length=33)
    asked: fields.Field[list[str]] = ArrayField("text")
    """The four questions and the open one, in the words that he saw: what was asked in other words
    is counted apart."""
    answers: fields.Field[list[str]] = ArrayField("text")
    """To the four; empty where he skipped one."""
    comment = fields.TextField(default="")
    at = fields.DatetimeField()

    class Meta:
        table = "questionnaire_answers"
        indexes = (
            PostgreSQLIndex(fields=("agency_code", "at"), name="answers_of_agency"),
            PostgreSQLIndex(fields=("region_code", "at"), name="answers_of_region"),
        )
        constraints = (
            CheckConstraint(
                check="cardinality(asked) = 5 AND cardinality(answers) = 4",
                name="every_question_has_its_place",
            ),
            CheckConstraint(check=f"answers <@ ARRAY[{_ANSWERS}, '']", name="answer_is_known"),
            CheckConstraint(
                check=f"comment <> '' OR answers && ARRAY[{_ANSWERS}]", name="something_is_answered"
            ),
        )


class Question(Model):
    """What a phone is being asked by SMS, about one service. At most one is open at a phone."""

    id = fields.UUIDField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    receipt: fields.ForeignKeyRelation[Receipt] = fields.ForeignKeyField(
        "models.Receipt", db_index=True
    )
    receipt_id: int
    review_id = fields.UUIDField(null=True)
    """Of asking for a reason or a verdict; of asking for a level once it was given."""
    phone_key = fields.CharField(max_length=22)
    phone = fields.BinaryField(null=True)
    """Sealed; empty once it was forgotten."""
    asking = fields.CharField(max_length=8)
    state = fields.CharField(max_length=12)
    reminder = fields.BooleanField(default=False)
    options: fields.Field[list[str]] = ArrayField("text", default=list)
    """The tags behind A, B, C …, as they stood in the message."""
    due_at = fields.DatetimeField()
    """Asked from then on, if the phone is free."""
    give_up_at = fields.DatetimeField()
    """Not asked any more after it."""
    asked_at = fields.DatetimeField(null=True)
    open_until = fields.DatetimeField(null=True)
    clarified_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)
    held_until = fields.DatetimeField(null=True)
    """Till then the phone may correct what it said, and nothing else is asked."""

    class Meta:
        table = "questions"
        indexes = (
            IndexWhere(fields=("due_at",), name="questions_waiting", where="state = 'waiting'"),
            IndexWhere(fields=("open_until",), name="questions_open", where="state = 'open'"),
            PostgreSQLIndex(fields=("phone_key", "asked_at"), name="questions_of_phone"),
            IndexWhere(
                fields=("review_id",), name="questions_of_review", where="review_id IS NOT NULL"
            ),
            IndexWhere(fields=("ended_at",), name="questions_kept", where="phone IS NOT NULL"),
        )
        constraints = (
            UniqueConstraint(
                fields=("phone_key",),
                name="one_open_question_per_phone",
                condition="state = 'open'",
            ),
            CheckConstraint(
                check="asking IN ('level', 'reason', 'verdict', 'recall', 'message')",
                name="question_asks_something",
            ),
            CheckConstraint(check=f"state IN ({_QUESTION_STATES})", name="question_state_is_known"),
            CheckConstraint(
                check="state <> 'open' OR (asked_at IS NOT NULL AND open_until IS NOT NULL)",
                name="open_question_has_its_end",
            ),
        )


class Sample(Model):
    """One day's draw of satisfied reviews for call-backs. An auditor draws it again from the seed."""

    id = fields.BigIntField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    day = fields.DateField()
    seed = fields.CharField(max_length=64)
    permille = fields.SmallIntField()
    population = fields.IntField()
    drawn = fields.IntField()
    drawn_at = fields.DatetimeField()

    class Meta:
        table = "samples"
        constraints = (UniqueConstraint(fields=("region_code", "day"), name="one_draw_per_day"),)


class CallBack(Model):
    """回访: a rater is asked again, because he was drawn, or because he gave a bad review."""

    id = fields.UUIDField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    review_id = fields.UUIDField()
    """Or of the grievance behind an order that is to be called back."""
    sample: fields.ForeignKeyNullableRelation[Sample] = fields.ForeignKeyField(
        "models.Sample", null=True, db_index=True
    )
    sample_id: int | None
    order_number = fields.CharField(max_length=16, null=True)
    """Of a bad review its order; of a drawn one the order that a "no" opened."""
    kind = fields.CharField(max_length=12)
    state = fields.CharField(max_length=12)
    channel = fields.CharField(max_length=16, null=True)
    made_at = fields.DatetimeField()
    due_at = fields.DatetimeField()
    done_at = fields.DatetimeField(null=True)
    satisfied = fields.BooleanField(null=True)
    words = fields.TextField(default="", db_default="")
    """Redacted."""
    staff_id = fields.IntField(null=True)
    """Who spoke with him, if a person did."""

    class Meta:
        table = "call_backs"
        indexes = (
            IndexWhere(
                fields=("region_code", "due_at"), name="call_backs_waiting", where="done_at IS NULL"
            ),
        )
        constraints = (
            UniqueConstraint(fields=("review_id", "kind"), name="one_call_back_per_review"),
            CheckConstraint(
                check="kind IN ('sample', 'real_name')", name="call_back_kind_is_known"
            ),
            CheckConstraint(
                check="state IN ('waiting', 'asked', 'done', 'unreachable')",
                name="call_back_state_is_known",
            ),
        )
