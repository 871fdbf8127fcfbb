from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    """As in 0002: CreateModel does not create the constraints that it names."""

    dependencies = [("models", "0004_messages")]
    initial = False

    operations = [
        ops.AddConstraint(
            'Wording',
            UniqueConstraint(
                fields=('region_code', 'purpose', 'variant'),
                name='one_wording_per_purpose',
            ),
        ),
        ops.AddConstraint(
            'Incoming',
            UniqueConstraint(
                fields=('identity_key',),
                name='one_reply_per_provider_message',
            ),
        ),
        ops.AddConstraint(
            'Incoming',
            UniqueConstraint(
                fields=('origin_key',),
                name='one_reply_per_text_and_time',
            ),
        ),
        ops.AddConstraint(
            'Incoming',
            CheckConstraint(
                check="outcome IN ('new', 'rated', 'reasoned', 'corrected', 'judged', 'opted_out', 'asked_again', 'repeated', 'added', 'reviewed_elsewhere', 'unclear', 'late', 'unknown', 'remark')",
                name='reply_outcome_is_known',
            ),
        ),
        ops.AddConstraint(
            'Message',
            CheckConstraint(
                check="state IN ('queued', 'sending', 'lost', 'sent', 'delivered', 'failed', 'dead', 'cancelled')",
                name='message_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'Message',
            CheckConstraint(
                check="state NOT IN ('queued', 'sending', 'lost') OR next_at IS NOT NULL",
                name='message_to_do_has_its_time',
            ),
        ),
        ops.AddConstraint(
            'Push',
            CheckConstraint(
                check="kind IN ('up', 'report')",
                name='push_kind_is_known',
            ),
        ),
        ops.AddConstraint(
            'SetAside',
            UniqueConstraint(
                fields=('push_id', 'place'),
                name='one_set_aside_item_per_place',
            ),
        ),
        ops.AddConstraint(
            'Question',
            UniqueConstraint(
                fields=('phone_key',),
                name='one_open_question_per_phone',
                condition="state = 'open'",
            ),
        ),
        ops.AddConstraint(
            'Question',
            CheckConstraint(
                check="asking IN ('level', 'reason', 'verdict')",
                name='question_asks_something',
            ),
        ),
        ops.AddConstraint(
            'Question',
            CheckConstraint(
                check="state IN ('waiting', 'open', 'answered', 'expired', 'starved', 'needless', 'unsent', 'handed_over')",
                name='question_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'Question',
            CheckConstraint(
                check="state <> 'open' OR (asked_at IS NOT NULL AND open_until IS NOT NULL)",
                name='open_question_has_its_end',
            ),
        ),
    ]
