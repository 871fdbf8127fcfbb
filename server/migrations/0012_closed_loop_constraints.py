from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    """As in 0002: CreateModel does not create the constraints that it names."""

    dependencies = [("models", "0011_closed_loop")]
    initial = False

    operations = [
        ops.AddConstraint(
            'Accountability',
            UniqueConstraint(
                fields=('order_number', 'why'),
                name='accountable_once_per_order_and_reason',
                condition='order_number IS NOT NULL',
            ),
        ),
        ops.AddConstraint(
            'Accountability',
            UniqueConstraint(
                fields=('agency_code', 'officer_number', 'ordinal'),
                name='accountable_officer_once_per_period',
                condition='officer_number IS NOT NULL',
            ),
        ),
        ops.AddConstraint(
            'Escalation',
            UniqueConstraint(
                fields=('order_id', 'due_at', 'ladder', 'rung'),
                name='each_rung_once',
            ),
        ),
        ops.AddConstraint(
            'Opinion',
            UniqueConstraint(
                fields=('order_id', 'round', 'about'),
                name='one_opinion_per_party',
            ),
        ),
        ops.AddConstraint(
            'Opinion',
            CheckConstraint(
                check="about IN ('agency', 'desk')",
                name='opinion_is_about_somebody',
            ),
        ),
        ops.AddConstraint(
            'Part',
            UniqueConstraint(
                fields=('order_id', 'agency_code'),
                name='one_part_per_agency',
            ),
        ),
        ops.AddConstraint(
            'Part',
            CheckConstraint(
                check="state IN ('waiting', 'done', 'released')",
                name='part_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'CallBack',
            UniqueConstraint(
                fields=('review_id', 'kind'),
                name='one_call_back_per_review',
            ),
        ),
        ops.AddConstraint(
            'CallBack',
            CheckConstraint(
                check="kind IN ('sample', 'real_name')",
                name='call_back_kind_is_known',
            ),
        ),
        ops.AddConstraint(
            'CallBack',
            CheckConstraint(
                check="state IN ('waiting', 'asked', 'done', 'unreachable')",
                name='call_back_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'Sample',
            UniqueConstraint(
                fields=('region_code', 'day'),
                name='one_draw_per_day',
            ),
        ),
        ops.RemoveConstraint('Review', name='one_standing_review_per_receipt'),
        ops.AddConstraint(
            'Review',
            UniqueConstraint(
                fields=('region_code', 'receipt_id'),
                name='one_standing_review_per_receipt',
                condition="state IN ('standing', 'awaiting_reason', 'default')",
            ),
        ),
        ops.AddConstraint(
            'Review',
            CheckConstraint(
                check="(channel = 'system') = (state = 'default' OR replaced_at IS NOT NULL) AND (channel <> 'system' OR level = 3)",
                name='the_system_rates_only_by_default',
            ),
        ),
        ops.RemoveConstraint('Incoming', name='reply_outcome_is_known'),
        ops.AddConstraint(
            'Incoming',
            CheckConstraint(
                check="outcome IN ('new', 'rated', 'reasoned', 'corrected', 'judged', 'opted_out', 'asked_again', 'repeated', 'added', 'recalled', 'reviewed_elsewhere', 'unclear', 'late', 'unknown', 'remark')",
                name='reply_outcome_is_known',
            ),
        ),
        ops.RemoveConstraint('Question', name='question_asks_something'),
        ops.AddConstraint(
            'Question',
            CheckConstraint(
                check="asking IN ('level', 'reason', 'verdict', 'recall', 'message')",
                name='question_asks_something',
            ),
        ),
    ]
