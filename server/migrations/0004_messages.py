from tortoise import migrations
from tortoise.migrations import operations as ops
from server.kit.indexes import IndexWhere
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.contrib.postgres.indexes import GinIndex, PostgreSQLIndex
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields

from server.kit.filled_fields import FilledField


class Migration(migrations.Migration):
    dependencies = [('models', '0003_jobs')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Incoming',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('identity_key', fields.CharField(max_length=22)),
                ('origin_key', fields.CharField(max_length=22)),
                ('phone_key', fields.CharField(max_length=22)),
                ('content', fields.BinaryField(null=True)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('received_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('outcome', fields.CharField(max_length=20)),
                ('about', fields.UUIDField(null=True)),
                ('handled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('handled_by', fields.IntField(null=True)),
                ('note', fields.CharField(default='', max_length=500)),
            ],
            options={'table': 'sms_replies', 'app': 'models', 'indexes': [PostgreSQLIndex(fields=['outcome', 'received_at'], name='sms_replies_by_outcome'), IndexWhere(fields=['received_at'], name='sms_replies_kept', where='content IS NOT NULL'), IndexWhere(fields=['received_at'], name='sms_replies_new', where="outcome = 'new'"), IndexWhere(fields=['phone_key', 'at'], name='sms_replies_new_of_phone', where="outcome = 'new'"), PostgreSQLIndex(fields=['phone_key', 'at'], name='sms_replies_of_phone')], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Message',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('purpose', fields.CharField(max_length=16)),
                ('about', fields.UUIDField(null=True)),
                ('phone_key', fields.CharField(null=True, max_length=22)),
                ('content', fields.BinaryField(null=True)),
                ('parts', fields.SmallIntField()),
                ('state', fields.CharField(max_length=12)),
                ('code', fields.CharField(null=True, max_length=64)),
                ('tries', fields.SmallIntField(default=0)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('next_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('not_after', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('sent_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('settled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('provider_id', fields.CharField(null=True, max_length=128)),
            ],
            options={'table': 'sms_messages', 'app': 'models', 'indexes': [IndexWhere(fields=['next_at'], name='sms_messages_due', where='next_at IS NOT NULL'), PostgreSQLIndex(fields=['phone_key', 'created_at'], name='sms_messages_of_phone'), PostgreSQLIndex(fields=['agency_code', 'created_at'], name='sms_messages_of_agency'), PostgreSQLIndex(fields=['created_at'], name='sms_messages_by_time'), IndexWhere(fields=['created_at'], name='sms_messages_dead', where="state = 'dead'"), IndexWhere(fields=['settled_at'], name='sms_messages_unsent', where="state IN ('failed', 'cancelled')"), IndexWhere(fields=['created_at'], name='sms_messages_kept', where='content IS NOT NULL'), IndexWhere(fields=['provider_id'], name='sms_messages_of_provider', where='provider_id IS NOT NULL')], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Phone',
            fields=[
                ('phone_key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=22)),
                ('masked', fields.CharField(max_length=24)),
                ('opted_out_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sms_phones', 'app': 'models', 'pk_attr': 'phone_key'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Push',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('kind', fields.CharField(max_length=6)),
                ('body', fields.BinaryField(null=True)),
                ('received_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('read_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sms_pushes', 'app': 'models', 'indexes': [IndexWhere(fields=['id'], name='sms_pushes_unread', where='read_at IS NULL'), IndexWhere(fields=['received_at'], name='sms_pushes_kept', where='body IS NOT NULL')], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Question',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('receipt', fields.ForeignKeyField('models.Receipt', source_field='receipt_id', db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('review_id', fields.UUIDField(null=True)),
                ('phone_key', fields.CharField(max_length=22)),
                ('phone', fields.BinaryField(null=True)),
                ('asking', fields.CharField(max_length=8)),
                ('state', fields.CharField(max_length=12)),
                ('reminder', fields.BooleanField(default=False)),
                ('options', ArrayField(default=list, element_type='TEXT')),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('give_up_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('asked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('open_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('clarified_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('held_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'questions', 'app': 'models', 'indexes': [IndexWhere(fields=['due_at'], name='questions_waiting', where="state = 'waiting'"), IndexWhere(fields=['open_until'], name='questions_open', where="state = 'open'"), PostgreSQLIndex(fields=['phone_key', 'asked_at'], name='questions_of_phone'), IndexWhere(fields=['review_id'], name='questions_of_review', where='review_id IS NOT NULL'), IndexWhere(fields=['ended_at'], name='questions_kept', where='phone IS NOT NULL')], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SetAside',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('push', fields.ForeignKeyField('models.Push', source_field='push_id', db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('place', fields.IntField()),
                ('reason', fields.CharField(max_length=100)),
                ('item', fields.BinaryField(null=True)),
                ('handled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('handled_by', fields.IntField(null=True)),
            ],
            options={'table': 'sms_set_aside', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Wording',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('purpose', fields.CharField(max_length=16)),
                ('variant', fields.SmallIntField()),
                ('template_code', fields.CharField(default='', max_length=32)),
                ('text', fields.CharField(max_length=500)),
            ],
            options={'table': 'wordings', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        FilledField(
            model_name='Policy',
            name='daily_messages',
            field=fields.SmallIntField(default=3),
        ),
        FilledField(
            model_name='Policy',
            name='hour_from',
            field=fields.SmallIntField(default=9),
        ),
        FilledField(
            model_name='Policy',
            name='hour_to',
            field=fields.SmallIntField(default=20),
        ),
        FilledField(
            model_name='Policy',
            name='invite_minutes',
            field=fields.SmallIntField(default=30),
        ),
        FilledField(
            model_name='Policy',
            name='message_days',
            field=fields.SmallIntField(default=90),
        ),
        FilledField(
            model_name='Policy',
            name='message_price',
            field=fields.SmallIntField(default=45),
        ),
        FilledField(
            model_name='Policy',
            name='question_hours',
            field=fields.SmallIntField(default=24),
        ),
        FilledField(
            model_name='Policy',
            name='reason_hours',
            field=fields.SmallIntField(default=24),
        ),
        FilledField(
            model_name='Policy',
            name='remind_hours',
            field=fields.SmallIntField(default=48),
        ),
        FilledField(
            model_name='Policy',
            name='sms',
            field=fields.BooleanField(default=True),
        ),
        FilledField(
            model_name='Policy',
            name='sms_sign',
            field=fields.CharField(default='政务服务', max_length=20),
        ),
        FilledField(
            model_name='Policy',
            name='thank',
            field=fields.BooleanField(default=False),
        ),
        FilledField(
            model_name='Policy',
            name='wording',
            field=fields.SmallIntField(default=1),
        ),
        ops.AddField(
            model_name='Receipt',
            name='invite_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddIndex(
            model_name='Receipt',
            index=IndexWhere(fields=['invite_at'], name='receipts_to_invite', where='invite_at IS NOT NULL'),
        ),
        ops.AddIndex(
            model_name='Review',
            index=IndexWhere(fields=['at'], name='reviews_awaiting_reason', where="state = 'awaiting_reason'"),
        ),
    ]
