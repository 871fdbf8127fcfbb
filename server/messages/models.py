"""Everything we say to anybody, and everything that comes back. Phones are sealed; they are found by
a keyed hash."""

from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server.kit.indexes import IndexWhere
from server.messages.rules import NEWS, MessageState, NoticeState, Outcome
from server.people.models import Citizen

_STATES = ", ".join(repr(str(state)) for state in MessageState)
_NEWS = ", ".join(repr(str(purpose)) for purpose in NEWS)
_NOTICE_STATES = ", ".join(repr(str(state)) for state in NoticeState)
_OUTCOMES = ", ".join(repr(str(outcome)) for outcome in Outcome)


class Phone(Model):
    """A phone that we wrote to or heard from. Its row is the lock for all that is decided about it."""

    phone_key = fields.CharField(max_length=22, primary_key=True)
    masked = fields.CharField(max_length=24)
    """138****8000: how an operator tells one opt-out from another."""
    opted_out_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sms_phones"


class Message(Model):
    """The outbox: written in the commit of its cause, sent outside of any."""

    id = fields.UUIDField(primary_key=True)
    """Its hex is the OutId by which the provider finds it again."""
    region_code = fields.CharField(max_length=12)
    agency_code = fields.CharField(max_length=18)
    """Whose matter it is about, and who pays."""
    purpose = fields.CharField(max_length=16)
    about = fields.UUIDField(null=True)
    """The question that it asks or the review whose news it is, known to the desk that wrote it."""
    phone_key = fields.CharField(max_length=22, null=True)
    content = fields.BinaryField(null=True)
    """Sealed JSON {phone, sign, template, variables, text}; empty once it was forgotten."""
    parts = fields.SmallIntField()
    """Messages that are paid for."""
    state = fields.CharField(max_length=12)
    code = fields.CharField(max_length=64, null=True)
    """What the provider said last, or why we did not send."""
    tries = fields.SmallIntField(default=0)
    created_at = fields.DatetimeField()
    next_at = fields.DatetimeField(null=True)
    """When something is to be done, while something is."""
    not_after = fields.DatetimeField(null=True)
    sent_at = fields.DatetimeField(null=True)
    """When it was handed over, or was perhaps: the day under which the provider is asked."""
    settled_at = fields.DatetimeField(null=True)
    provider_id = fields.CharField(max_length=128, null=True)

    class Meta:
        table = "sms_messages"
        indexes = (
            IndexWhere(fields=("next_at",), name="sms_messages_due", where="next_at IS NOT NULL"),
            PostgreSQLIndex(fields=("phone_key", "created_at"), name="sms_messages_of_phone"),
            PostgreSQLIndex(fields=("agency_code", "created_at"), name="sms_messages_of_agency"),
            PostgreSQLIndex(fields=("created_at",), name="sms_messages_by_time"),
            IndexWhere(fields=("created_at",), name="sms_messages_dead", where="state = 'dead'"),
            IndexWhere(
                fields=("settled_at",),
                name="sms_messages_unsent",
                where="state IN ('failed', 'cancelled')",
            ),
            IndexWhere(
                fields=("created_at",), name="sms_messages_kept", where="content IS NOT NULL"
            ),
            IndexWhere(
                fields=("provider_id",),
                name="sms_messages_of_provider",
                where="provider_id IS NOT NULL",
            ),
        )
        constraints = (
            CheckConstraint(check=f"state IN ({_STATES})", name="message_state_is_known"),
            CheckConstraint(
                check="state NOT IN ('queued', 'sending', 'lost') OR next_at IS NOT NULL",
                name="message_to_do_has_its_time",
            ),
            UniqueConstraint(
                fields=("about", "purpose"),
                name="one_message_per_news",
                condition=f"purpose IN ({_NEWS})",
            ),
        )


class Push(Model):
    """A callback as it came; read afterwards."""

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=6)
    body = fields.BinaryField(null=True)
    """Sealed; empty once it was read and forgotten."""
    received_at = fields.DatetimeField()
    read_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sms_pushes"
        indexes = (
            IndexWhere(fields=("id",), name="sms_pushes_unread", where="read_at IS NULL"),
            IndexWhere(fields=("received_at",), name="sms_pushes_kept", where="body IS NOT NULL"),
        )
        constraints = (
            CheckConstraint(check="kind IN ('up', 'report')", name="push_kind_is_known"),
        )


class Incoming(Model):
    """One reply of one citizen, once, however often it was pushed."""

    id = fields.BigIntField(primary_key=True)
    identity_key = fields.CharField(max_length=22)
    """Keyed hash of the provider's id and the phone."""
    origin_key = fields.CharField(max_length=22)
    """Keyed hash of phone, text and origin time: the same reply under another id."""
    phone_key = fields.CharField(max_length=22)
    content = fields.BinaryField(null=True)
    """Sealed JSON {phone, text}; empty once it was forgotten."""
    at = fields.DatetimeField()
    """When the citizen sent it, by the provider's clock."""
    received_at = fields.DatetimeField()
    outcome = fields.CharField(max_length=20)
    about = fields.UUIDField(null=True)
    """The question that it answered."""
    handled_at = fields.DatetimeField(null=True)
    handled_by = fields.IntField(null=True)
    note = fields.CharField(max_length=500, default="")

    class Meta:
        table = "sms_replies"
        indexes = (
            PostgreSQLIndex(fields=("outcome", "received_at"), name="sms_replies_by_outcome"),
            IndexWhere(
                fields=("received_at",), name="sms_replies_kept", where="content IS NOT NULL"
            ),
            IndexWhere(fields=("received_at",), name="sms_replies_new", where="outcome = 'new'"),
            IndexWhere(
                fields=("phone_key", "at"), name="sms_replies_new_of_phone", where="outcome = 'new'"
            ),
            PostgreSQLIndex(fields=("phone_key", "at"), name="sms_replies_of_phone"),
        )
        constraints = (
            UniqueConstraint(fields=("identity_key",), name="one_reply_per_provider_message"),
            UniqueConstraint(fields=("origin_key",), name="one_reply_per_text_and_time"),
            CheckConstraint(check=f"outcome IN ({_OUTCOMES})", name="reply_outcome_is_known"),
        )


class SetAside(Model):
    """An item of a push that could not be read."""

    id = fields.BigIntField(primary_key=True)
    push: fields.ForeignKeyRelation[Push] = fields.ForeignKeyField("models.Push", db_index=True)
    push_id: int
    place = fields.IntField()
    reason = fields.CharField(max_length=100)
    item = fields.BinaryField(null=True)
    """Sealed."""
    handled_at = fields.DatetimeField(null=True)
    handled_by = fields.IntField(null=True)

    class Meta:
        table = "sms_set_aside"
        constraints = (
            UniqueConstraint(fields=("push_id", "place"), name="one_set_aside_item_per_place"),
        )


class Grant(Model):
    """A citizen's leave to be written to by WeChat about one kind of news; a message spends one."""

    id = fields.BigIntField(primary_key=True)
    citizen: fields.ForeignKeyRelation[Citizen] = fields.ForeignKeyField("models.Citizen")
    citizen_id: UUID
    news = fields.CharField(max_length=12)
    remaining = fields.SmallIntField(default=0)
    accepted = fields.IntField(default=0)
    rejected = fields.IntField(default=0)
    banned = fields.IntField(default=0)
    answered_at = fields.DatetimeField()

    class Meta:
        table = "wechat_grants"
        constraints = (
            UniqueConstraint(fields=("citizen_id", "news"), name="one_grant_per_citizen_and_news"),
            CheckConstraint(check="remaining >= 0", name="grant_is_not_overdrawn"),
        )


class Notice(Model):
    """A subscribe message: written in the commit that spent its grant, sent outside of any."""

    id = fields.UUIDField(primary_key=True)
    citizen: fields.ForeignKeyNullableRelation[Citizen] = fields.ForeignKeyField(
        "models.Citizen", null=True, db_index=True
    )
    """Empty once he was forgotten."""
    citizen_id: UUID | None
    news = fields.CharField(max_length=12)
    about = fields.BigIntField()
    """The step of the order that it tells of."""
    order_number = fields.CharField(max_length=16)
    content = fields.BinaryField(null=True)
    """Sealed JSON; empty once there is nothing left to do."""
    state = fields.CharField(max_length=12)
    code = fields.CharField(max_length=64, null=True)
    tries = fields.SmallIntField(default=0)
    created_at = fields.DatetimeField()
    next_at = fields.DatetimeField(null=True)
    settled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "wechat_notices"
        indexes = (
            IndexWhere(fields=("next_at",), name="wechat_notices_due", where="next_at IS NOT NULL"),
        )
        constraints = (
            UniqueConstraint(fields=("about", "order_number"), name="one_notice_per_step"),
            CheckConstraint(check=f"state IN ({_NOTICE_STATES})", name="notice_state_is_known"),
            CheckConstraint(
                check="(state IN ('queued', 'sending')) = (next_at IS NOT NULL)",
                name="notice_to_do_has_its_time",
            ),
        )
