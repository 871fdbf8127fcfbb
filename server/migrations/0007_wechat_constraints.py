from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    """As in 0002: CreateModel does not create the constraints that it names."""

    dependencies = [("models", "0006_wechat")]
    initial = False

    operations = [
        ops.AddConstraint(
            'Citizen',
            UniqueConstraint(
                fields=('openid_key',),
                name='one_citizen_per_openid',
            ),
        ),
        ops.AddConstraint(
            'Citizen',
            CheckConstraint(
                check='erased_at IS NULL OR (openid_key IS NULL AND openid IS NULL)',
                name='erased_citizen_is_nobody',
            ),
        ),
        ops.AddConstraint(
            'Grant',
            UniqueConstraint(
                fields=('citizen_id', 'news'),
                name='one_grant_per_citizen_and_news',
            ),
        ),
        ops.AddConstraint(
            'Grant',
            CheckConstraint(
                check='remaining >= 0',
                name='grant_is_not_overdrawn',
            ),
        ),
        ops.AddConstraint(
            'Notice',
            UniqueConstraint(
                fields=('about',),
                name='one_notice_per_step',
            ),
        ),
        ops.AddConstraint(
            'Notice',
            CheckConstraint(
                check="state IN ('queued', 'sending', 'sent', 'lost', 'refused', 'cancelled')",
                name='notice_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'Notice',
            CheckConstraint(
                check="(state IN ('queued', 'sending')) = (next_at IS NOT NULL)",
                name='notice_to_do_has_its_time',
            ),
        ),
        ops.AddConstraint(
            'WordCheck',
            CheckConstraint(
                check="state IN ('waiting', 'passed', 'held')",
                name='check_state_is_known',
            ),
        ),
    ]
