from tortoise import migrations
from tortoise.migrations import operations as ops
from server.kit.indexes import IndexWhere
from tortoise.contrib.postgres.indexes import GinIndex, PostgreSQLIndex
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0005_message_constraints')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Citizen',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('openid_key', fields.CharField(null=True, max_length=22)),
                ('openid', fields.BinaryField(null=True)),
                ('first_seen', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('last_seen', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('erased_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'citizens', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Claim',
            fields=[
                ('review', fields.OneToOneField('models.Review', source_field='review_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('region_code', fields.CharField(max_length=12)),
                ('citizen', fields.ForeignKeyField('models.Citizen', source_field='citizen_id', db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('reviewed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('by_code', fields.BooleanField(default=False)),
            ],
            options={'table': 'claims', 'app': 'models', 'indexes': [PostgreSQLIndex(fields=['citizen_id', 'reviewed_at', 'review_id'], name='claims_of_citizen')], 'pk_attr': 'review_id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Grant',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('citizen', fields.ForeignKeyField('models.Citizen', source_field='citizen_id', db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('news', fields.CharField(max_length=12)),
                ('remaining', fields.SmallIntField(default=0)),
                ('accepted', fields.IntField(default=0)),
                ('rejected', fields.IntField(default=0)),
                ('banned', fields.IntField(default=0)),
                ('answered_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'wechat_grants', 'app': 'models', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Notice',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('citizen', fields.ForeignKeyField('models.Citizen', source_field='citizen_id', null=True, db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('news', fields.CharField(max_length=12)),
                ('about', fields.BigIntField()),
                ('order_number', fields.CharField(max_length=16)),
                ('content', fields.BinaryField(null=True)),
                ('state', fields.CharField(max_length=12)),
                ('code', fields.CharField(null=True, max_length=64)),
                ('tries', fields.SmallIntField(default=0)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('next_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('settled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'wechat_notices', 'app': 'models', 'indexes': [IndexWhere(fields=['next_at'], name='wechat_notices_due', where='next_at IS NOT NULL')], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='WordCheck',
            fields=[
                ('review', fields.OneToOneField('models.Review', source_field='review_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('state', fields.CharField(max_length=8)),
                ('reason', fields.CharField(default='', max_length=32)),
                ('tries', fields.SmallIntField(default=0)),
                ('next_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('checked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'word_checks', 'app': 'models', 'indexes': [IndexWhere(fields=['next_at'], name='word_checks_due', where='next_at IS NOT NULL')], 'pk_attr': 'review_id'},
            bases=['Model'],
        ),
    ]
