"""Tables that carry technique and no domain word."""

from tortoise import fields
from tortoise.models import Model


class Beacon(Model):
    """A number that every process watches: the version of the catalogue, the demo's clock."""

    name = fields.CharField(max_length=32, primary_key=True)
    value = fields.BigIntField(default=0)

    class Meta:
        table = "beacons"


class Answered(Model):
    """The first answer to an Idempotency-Key. The answer is sealed: it may hold a citizen's code."""

    claim = fields.CharField(max_length=22, primary_key=True)
    """Keyed hash of who asked and under which key."""
    digest = fields.CharField(max_length=22)
    """Keyed hash of what was asked."""
    status = fields.SmallIntField(null=True)
    answer = fields.BinaryField(null=True)
    at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "answered"
