from tortoise import migrations
from tortoise.migrations import operations as ops
from server.kit.indexes import IndexWhere
from tortoise.contrib.postgres.indexes import BrinIndex, GinIndex, PostgreSQLIndex
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields

from server.kit.filled_fields import FilledField


class Migration(migrations.Migration):
    dependencies = [('models', '0010_questionnaires')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Accountability',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('order_number', fields.CharField(null=True, max_length=16)),
                ('staff_id', fields.IntField(null=True)),
                ('officer_number', fields.CharField(null=True, max_length=32)),
                ('ordinal', fields.SmallIntField(null=True)),
                ('why', fields.CharField(max_length=16)),
                ('words', fields.TextField(default='', db_default='', unique=False)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('by_id', fields.IntField(null=True)),
                ('followed', fields.TextField(null=True, unique=False)),
                ('followed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('followed_by_id', fields.IntField(null=True)),
            ],
            options={'table': 'accountability', 'app': 'models', 'indexes': [PostgreSQLIndex(fields=['region_code', 'at'], name='accountability_of_region')], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Alert',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('staff_id', fields.IntField()),
                ('order_number', fields.CharField(null=True, max_length=16)),
                ('kind', fields.CharField(max_length=16)),
                ('words', fields.TextField(default='', db_default='', unique=False)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('seen_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'alerts', 'app': 'models', 'indexes': [IndexWhere(fields=['staff_id', 'at'], name='alerts_unseen', where='seen_at IS NULL')], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Escalation',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('order', fields.ForeignKeyField('models.WorkOrder', source_field='order_id', db_constraint=True, to_field='number', related_name='escalations', on_delete=OnDelete.CASCADE)),
                ('region_code', fields.CharField(max_length=12)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('rung', fields.SmallIntField()),
                ('ladder', fields.CharField(default='agency', db_default='agency', max_length=12)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('listed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'escalations', 'app': 'models', 'indexes': [IndexWhere(fields=['listed_at'], name='escalations_to_list', where='listed_at IS NOT NULL')], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Flag',
            fields=[
                ('step', fields.OneToOneField('models.Step', source_field='step_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('by_id', fields.IntField()),
                ('reason', fields.CharField(max_length=200)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('upheld', fields.BooleanField(null=True)),
                ('ruled_by_id', fields.IntField(null=True)),
                ('ruled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'flags', 'app': 'models', 'pk_attr': 'step_id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Opinion',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('order', fields.ForeignKeyField('models.WorkOrder', source_field='order_id', db_constraint=True, to_field='number', related_name='opinions', on_delete=OnDelete.CASCADE)),
                ('round', fields.SmallIntField()),
                ('about', fields.CharField(max_length=8)),
                ('agency_code', fields.CharField(max_length=18)),
                ('satisfied', fields.BooleanField()),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'opinions', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Part',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('order', fields.ForeignKeyField('models.WorkOrder', source_field='order_id', db_constraint=True, to_field='number', related_name='parts', on_delete=OnDelete.CASCADE)),
                ('agency_code', fields.CharField(max_length=18)),
                ('state', fields.CharField(default='waiting', db_default='waiting', max_length=8)),
                ('words', fields.TextField(default='', db_default='', unique=False)),
                ('actor_id', fields.IntField(null=True)),
                ('done_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'order_parts', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Sample',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('day', fields.DateField()),
                ('seed', fields.CharField(max_length=64)),
                ('permille', fields.SmallIntField()),
                ('population', fields.IntField()),
                ('drawn', fields.IntField()),
                ('drawn_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'samples', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CallBack',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('review', fields.ForeignKeyField('models.Review', source_field='review_id', db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('sample', fields.ForeignKeyField('models.Sample', source_field='sample_id', null=True, db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('order_number', fields.CharField(null=True, max_length=16)),
                ('kind', fields.CharField(max_length=12)),
                ('state', fields.CharField(max_length=12)),
                ('channel', fields.CharField(null=True, max_length=16)),
                ('made_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('done_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('satisfied', fields.BooleanField(null=True)),
                ('words', fields.TextField(default='', db_default='', unique=False)),
                ('staff_id', fields.IntField(null=True)),
            ],
            options={'table': 'call_backs', 'app': 'models', 'indexes': [IndexWhere(fields=['region_code', 'due_at'], name='call_backs_waiting', where='done_at IS NULL')], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        FilledField(
            model_name='Policy',
            name='ask_days',
            field=fields.SmallIntField(default=5),
        ),
        FilledField(
            model_name='Policy',
            name='climb_days',
            field=fields.SmallIntField(default=1),
        ),
        FilledField(
            model_name='Policy',
            name='extension_days',
            field=fields.SmallIntField(default=10),
        ),
        FilledField(
            model_name='Policy',
            name='late_days',
            field=fields.SmallIntField(default=30),
        ),
        FilledField(
            model_name='Policy',
            name='repeat_bad',
            field=fields.SmallIntField(default=3),
        ),
        FilledField(
            model_name='Policy',
            name='repeat_days',
            field=fields.SmallIntField(default=90),
        ),
        FilledField(
            model_name='Policy',
            name='ruling_days',
            field=fields.SmallIntField(default=1),
        ),
        FilledField(
            model_name='Policy',
            name='sample_permille',
            field=fields.SmallIntField(default=10),
        ),
        FilledField(
            model_name='Policy',
            name='supervise_days',
            field=fields.SmallIntField(default=5),
        ),
        FilledField(
            model_name='Policy',
            name='warn_days',
            field=fields.SmallIntField(default=1),
        ),
        ops.AddField(
            model_name='Receipt',
            name='default_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Review',
            name='replaced_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='answer_days',
            field=fields.SmallIntField(null=True),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='asked_from',
            field=fields.CharField(null=True, max_length=12),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='called_back_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='climb_due',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='climbs_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='desk_agency_code',
            field=fields.CharField(null=True, max_length=18),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='extension_days',
            field=fields.SmallIntField(null=True),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='merged_into',
            field=fields.CharField(null=True, max_length=16),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='planned_until',
            field=fields.DateField(null=True),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='proposed_agency_code',
            field=fields.CharField(null=True, max_length=18),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='returns',
            field=fields.SmallIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='ruling',
            field=fields.CharField(null=True, max_length=12),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='told_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='told_how',
            field=fields.CharField(null=True, max_length=12),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='verified_as',
            field=fields.CharField(null=True, max_length=12),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='verified_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='verifier_id',
            field=fields.IntField(null=True),
        ),
        ops.AddIndex(
            model_name='Receipt',
            index=IndexWhere(fields=['default_at'], name='receipts_to_default', where='default_at IS NOT NULL'),
        ),
        ops.AddIndex(
            model_name='Review',
            index=BrinIndex(fields=['at'], name='reviews_by_time'),
        ),
        ops.AddIndex(
            model_name='WorkOrder',
            index=IndexWhere(fields=['next_due_at'], name='work_orders_due', where='closed_at IS NULL'),
        ),
        ops.AddIndex(
            model_name='WorkOrder',
            index=IndexWhere(fields=['merged_into'], name='work_orders_merged', where='merged_into IS NOT NULL'),
        ),
        ops.AddIndex(
            model_name='WorkOrder',
            index=IndexWhere(fields=['next_due_at'], name='work_orders_redated', where="closed_at IS NULL AND state <> 'answered' AND climb_due IS DISTINCT FROM next_due_at"),
        ),
        ops.AddIndex(
            model_name='WorkOrder',
            index=IndexWhere(fields=['climbs_at'], name='work_orders_to_climb', where='closed_at IS NULL AND climbs_at IS NOT NULL'),
        ),
        ops.AddIndex(
            model_name='WorkOrder',
            index=IndexWhere(fields=['next_due_at'], name='work_orders_answered', where="state = 'answered'"),
        ),
    ]
