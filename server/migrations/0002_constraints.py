from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    """Tortoise 1.1.9 writes constraints into CreateModel but does not create them there."""

    dependencies = [("models", "0001_tables")]
    initial = False

    operations = [
        ops.AddConstraint(
            'CalendarYear',
            UniqueConstraint(
                fields=('year', 'version'),
                name='one_calendar_per_version',
            ),
        ),
        ops.AddConstraint(
            'Officer',
            UniqueConstraint(
                fields=('agency_code', 'number'),
                name='one_officer_number_per_agency',
            ),
        ),
        ops.AddConstraint(
            'Tag',
            UniqueConstraint(
                fields=('dictionary', 'version', 'code'),
                name='one_tag_per_code',
            ),
        ),
        ops.AddConstraint(
            'Tag',
            CheckConstraint(
                check='level BETWEEN 1 AND 5',
                name='tag_level_is_1_to_5',
            ),
        ),
        ops.AddConstraint(
            'Window',
            UniqueConstraint(
                fields=('agency_code', 'code'),
                name='one_window_code_per_agency',
            ),
        ),
        ops.AddConstraint(
            'Window',
            UniqueConstraint(
                fields=('hall_code', 'code'),
                name='one_window_code_per_hall',
                condition='active',
            ),
        ),
        ops.AddConstraint(
            'Staff',
            CheckConstraint(
                check="role IN ('handler','agency_lead','supervisor','adjudicator','auditor','admin')",
                name='staff_role_is_known',
            ),
        ),
        ops.AddConstraint(
            'Receipt',
            UniqueConstraint(
                fields=('region_code', 'agency_code', 'case_number', 'service_number'),
                name='one_receipt_per_service',
            ),
        ),
        ops.AddConstraint(
            'Receipt',
            CheckConstraint(
                check='service_number >= 1',
                name='service_number_is_positive',
            ),
        ),
        ops.AddConstraint(
            'WorkOrder',
            UniqueConstraint(
                fields=('region_code', 'origin', 'origin_key'),
                name='one_open_order_per_origin',
                condition="state NOT IN ('closed', 'dismissed', 'merged', 'withdrawn')",
            ),
        ),
        ops.AddConstraint(
            'WorkOrder',
            CheckConstraint(
                check="state IN ('assigned', 'accepted', 'returned', 'asking', 'planned', 'answered', 'contested', 'supervised', 'closed', 'dismissed', 'withdrawn', 'merged')",
                name='order_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'WorkOrder',
            CheckConstraint(
                check="(state IN ('closed', 'dismissed', 'merged', 'withdrawn')) = (closed_at IS NOT NULL)",
                name='order_is_final_when_it_has_ended',
            ),
        ),
        ops.AddConstraint(
            'WorkOrder',
            CheckConstraint(
                check="state IN ('closed', 'dismissed', 'merged', 'withdrawn') OR next_due_at IS NOT NULL",
                name='open_order_has_a_due_time',
            ),
        ),
        ops.AddConstraint(
            'Review',
            UniqueConstraint(
                fields=('region_code', 'receipt_id'),
                name='one_standing_review_per_receipt',
                condition="state IN ('standing', 'awaiting_reason')",
            ),
        ),
        ops.AddConstraint(
            'Review',
            UniqueConstraint(
                fields=('query_key',),
                name='one_review_per_query_code',
            ),
        ),
        ops.AddConstraint(
            'Review',
            UniqueConstraint(
                fields=('receipt_id', 'request_key'),
                name='one_review_per_request',
                condition='request_key IS NOT NULL',
            ),
        ),
        ops.AddConstraint(
            'Review',
            CheckConstraint(
                check='level BETWEEN 1 AND 5',
                name='review_level_is_1_to_5',
            ),
        ),
        ops.AddConstraint(
            'Review',
            CheckConstraint(
                check="state IN ('standing','awaiting_reason','undone','suspended','excluded','default')",
                name='review_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'Review',
            CheckConstraint(
                check="level > 2 OR state <> 'standing' OR order_number IS NOT NULL",
                name='standing_bad_review_has_its_order',
            ),
        ),
    ]
