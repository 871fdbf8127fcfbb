from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields


class Migration(migrations.Migration):
    """As in 0002: CreateModel does not create the constraints that it names."""

    dependencies = [("models", "0008_walls")]
    initial = False

    operations = [
        ops.CreateModel(
            name='Kiosk',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('window_code', fields.CharField(max_length=32)),
                ('key', fields.CharField(max_length=22)),
                ('issued_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('issued_by', fields.IntField(null=True)),
                ('seen_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('revoked_by', fields.IntField(null=True)),
                ('ask', fields.UUIDField(null=True)),
                ('receipt', fields.ForeignKeyField('models.Receipt', source_field='receipt_id', null=True, db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('asked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'kiosks', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.AddConstraint(
            'Kiosk',
            UniqueConstraint(
                fields=('agency_code', 'window_code'),
                name='one_kiosk_per_window',
                condition='revoked_at IS NULL',
            ),
        ),
        ops.AddConstraint('Kiosk', UniqueConstraint(fields=('key',), name='one_kiosk_per_key')),
        ops.AddConstraint(
            'Kiosk',
            CheckConstraint(
                check='(ask IS NULL) = (receipt_id IS NULL) AND (ask IS NULL) = (asked_at IS NULL)',
                name='ask_has_its_receipt',
            ),
        ),
        ops.AddConstraint(
            'Kiosk',
            CheckConstraint(
                check='revoked_at IS NULL OR ask IS NULL',
                name='revoked_kiosk_shows_nothing',
            ),
        ),
    ]
