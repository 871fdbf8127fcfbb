"""One handled service = one right to one review."""

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.kit.indexes import IndexWhere


class Receipt(Model):
    """办事回执. Whether it was rated is not written here: the issuer may read this row."""

    id = fields.BigIntField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    case_number = fields.CharField(max_length=64)
    service_number = fields.IntField()
    matter_code = fields.CharField(max_length=33)
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

    class Meta:
        table = "receipts"
        indexes = (
            IndexWhere(
                fields=("invite_at",), name="receipts_to_invite", where="invite_at IS NOT NULL"
            ),
        )
        constraints = (
            UniqueConstraint(
                fields=("region_code", "agency_code", "case_number", "service_number"),
                name="one_receipt_per_service",
            ),
            CheckConstraint(check="service_number >= 1", name="service_number_is_positive"),
        )
