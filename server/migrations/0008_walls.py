from tortoise import fields, migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    dependencies = [("models", "0007_wechat_constraints")]
    initial = False

    operations = [
        ops.AddField(
            model_name='Receipt',
            name='hall_code',
            field=fields.CharField(null=True, max_length=32),
        ),
        ops.AddConstraint(
            'Receipt',
            UniqueConstraint(
                fields=('case_number',),
                name='one_visit_per_request',
                condition='hall_code IS NOT NULL',
            ),
        ),
        ops.AddConstraint(
            'Receipt',
            CheckConstraint(
                check="(channel = 'wall') = (hall_code IS NOT NULL)",
                name='visit_has_its_hall',
            ),
        ),
        ops.AddConstraint(
            'Receipt',
            CheckConstraint(
                check="channel = 'wall' OR matter_code <> ''",
                name='receipt_has_its_matter',
            ),
        ),
        ops.AddConstraint(
            'Receipt',
            CheckConstraint(
                check="channel <> 'wall' OR (phone_key IS NULL AND invite_at IS NULL AND officer_number IS NULL)",
                name='visit_reaches_nobody',
            ),
        ),
    ]
