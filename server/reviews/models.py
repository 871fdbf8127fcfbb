"""The citizen's desk."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.receipts.models import Receipt


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

    class Meta:
        table = "reviews"
        indexes = (PostgreSQLIndex(fields=("receipt_id",), name="reviews_of_receipt"),)
        constraints = (
            UniqueConstraint(
                fields=("region_code", "receipt_id"),
                name="one_standing_review_per_receipt",
                condition="state IN ('standing', 'awaiting_reason')",
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
        )
