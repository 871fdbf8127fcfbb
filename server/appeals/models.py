"""申诉: the reviewed side contests a review; two who belong to neither side rule."""

from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.appeals.rules import ENDED, AppealState, Round
from server.kit.indexes import IndexWhere
from server.reviews.models import Review
from server.reviews.rules import Excluded

_STATES = ", ".join(repr(str(state)) for state in AppealState)
_ENDED = ", ".join(repr(str(state)) for state in sorted(ENDED))
_ROUNDS = ", ".join(repr(str(one)) for one in Round)
_REASONS = ", ".join(repr(str(reason)) for reason in Excluded)


class Appeal(Model):
    """One case about one review. It holds nothing by which the citizen could be known."""

    id = fields.UUIDField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    order_number = fields.CharField(max_length=16)
    review_id = fields.UUIDField()
    round = fields.CharField(max_length=10, default=Round.APPEAL, db_default="appeal")
    by_id = fields.IntField(null=True)
    """Of the staff; empty: the citizen's objection."""
    officer_number = fields.CharField(max_length=32, null=True)
    """Of the officer for whom it is made."""
    ground = fields.CharField(max_length=20, null=True)
    """The reason for exclusion that is asked for."""
    words = fields.TextField()
    state = fields.CharField(max_length=12, default=AppealState.OPEN, db_default="open")
    at = fields.DatetimeField()
    due_at = fields.DatetimeField()
    provisional = fields.BooleanField(default=False, db_default=False)
    statement_until = fields.DatetimeField(null=True)
    statement = fields.TextField(null=True)
    """The citizen's, redacted."""
    statement_at = fields.DatetimeField(null=True)
    reason = fields.CharField(max_length=20, null=True)
    """For which it was upheld."""
    ruling = fields.TextField(null=True)
    ruled_at = fields.DatetimeField(null=True)
    confirmed_by = fields.IntField(null=True)
    """The supervisor who decided on a repeated finding about one person."""
    warned_at = fields.DatetimeField(null=True)
    overdue_at = fields.DatetimeField(null=True)
    """When supervisors were told that its time has passed."""

    class Meta:
        table = "appeals"
        indexes = (
            PostgreSQLIndex(fields=("order_number",), name="appeals_of_order"),
            PostgreSQLIndex(fields=("region_code", "at"), name="appeals_of_region"),
            IndexWhere(fields=("due_at",), name="appeals_open", where=f"state NOT IN ({_ENDED})"),
        )
        constraints = (
            UniqueConstraint(
                fields=("review_id", "round"), name="one_appeal_per_review_and_round",
                condition="state <> 'withdrawn'",
            ),
            CheckConstraint(check=f"state IN ({_STATES})", name="appeal_state_is_known"),
            CheckConstraint(check=f"round IN ({_ROUNDS})", name="appeal_round_is_known"),
            CheckConstraint(
                check=f"(state IN ({_ENDED})) = (ruled_at IS NOT NULL)", name="ended_appeal_has_its_ruling"
            ),
            CheckConstraint(
                check=f"reason IS NULL OR reason IN ({_REASONS})", name="appeal_reason_is_known"
            ),
            CheckConstraint(
                check="(round = 'appeal') = (by_id IS NOT NULL)", name="appeal_has_its_appellant"
            ),
        )  # fmt: skip


class Vote(Model):
    """What one adjudicator holds; the other does not read it before he has given his own."""

    id = fields.BigIntField(primary_key=True)
    appeal: fields.ForeignKeyRelation[Appeal] = fields.ForeignKeyField("models.Appeal")
    appeal_id: UUID
    staff_id = fields.IntField()
    at = fields.DatetimeField()
    upheld = fields.BooleanField(null=True)
    """Empty: he stands back, for a reason that he names."""
    reason = fields.CharField(max_length=20, null=True)
    words = fields.TextField()

    class Meta:
        table = "appeal_votes"
        constraints = (
            UniqueConstraint(fields=("appeal_id", "staff_id"), name="one_vote_per_adjudicator"),
            CheckConstraint(
                check=f"reason IS NULL OR upheld AND reason IN ({_REASONS})",
                name="vote_reason_is_known",
            ),
        )


class Evidence(Model):
    """A file of the appellant, in what it was checked to be. Its bytes lie apart, sealed."""

    id = fields.UUIDField(primary_key=True)
    appeal: fields.ForeignKeyRelation[Appeal] = fields.ForeignKeyField(
        "models.Appeal", db_index=True
    )
    appeal_id: UUID
    name = fields.CharField(max_length=100)
    """As it was called; never a path."""
    kind = fields.CharField(max_length=16)
    size = fields.IntField()
    digest = fields.CharField(max_length=64)
    """SHA-256 of what is kept."""
    by_id = fields.IntField()
    at = fields.DatetimeField()

    class Meta:
        table = "evidence"
        constraints = (
            CheckConstraint(check="kind IN ('jpeg', 'png', 'pdf')", name="evidence_kind_is_known"),
            UniqueConstraint(fields=("appeal_id", "digest"), name="evidence_is_kept_once"),
        )


class EvidenceContent(Model):
    evidence: fields.OneToOneRelation[Evidence] = fields.OneToOneField(
        "models.Evidence", primary_key=True
    )
    evidence_id: UUID
    sealed = fields.BinaryField()

    class Meta:
        table = "evidence_contents"


class Exclusion(Model):
    """不予采纳: a review that is kept, and left out of every figure. A row with a reason and two people."""

    id = fields.UUIDField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    """Which was reviewed; exclusions are counted in public by it."""
    review: fields.ForeignKeyRelation[Review] = fields.ForeignKeyField("models.Review")
    review_id: UUID
    reason = fields.CharField(max_length=20)
    words = fields.TextField(default="", db_default="")
    first_id = fields.IntField()
    second_id = fields.IntField()
    at = fields.DatetimeField()
    case_id = fields.UUIDField(null=True)
    """The appeal by which it was decided; empty: a suspicion that was looked at."""
    person_key = fields.CharField(max_length=22, null=True)
    """Keyed hash by which the same rater is known again: of a malicious one alone."""
    lifted_at = fields.DatetimeField(null=True)
    """The citizen's objection was upheld: the review counts again."""

    class Meta:
        table = "exclusions"
        indexes = (
            PostgreSQLIndex(fields=("region_code", "at"), name="exclusions_of_region"),
            PostgreSQLIndex(fields=("review_id",), name="exclusions_of_review"),
            IndexWhere(
                fields=("person_key",), name="exclusions_of_person", where="person_key IS NOT NULL"
            ),
        )
        constraints = (
            UniqueConstraint(
                fields=("review_id",), name="excluded_once", condition="lifted_at IS NULL"
            ),
            CheckConstraint(check="first_id <> second_id", name="exclusion_needs_two_people"),
            CheckConstraint(check=f"reason IN ({_REASONS})", name="exclusion_reason_is_known"),
        )
