from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint

from server.kit.filled_fields import FilledField


class Migration(migrations.Migration):
    dependencies = [("models", "0009_tablets")]
    initial = False

    operations = [
        ops.CreateModel(
            name='Questionnaire',
            fields=[
                ('code', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ('question_1', fields.CharField(max_length=60)),
                ('question_2', fields.CharField(max_length=60)),
                ('question_3', fields.CharField(max_length=60)),
                ('question_4', fields.CharField(max_length=60)),
                ('open_question', fields.CharField(max_length=60)),
            ],
            options={'table': 'questionnaires', 'app': 'models', 'pk_attr': 'code'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Answers',
            fields=[
                ('review', fields.OneToOneField('models.Review', source_field='review_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('matter_code', fields.CharField(max_length=33)),
                ('asked', ArrayField(element_type='text')),
                ('answers', ArrayField(element_type='text')),
                ('comment', fields.TextField(default='', unique=False)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'questionnaire_answers', 'app': 'models', 'indexes': [PostgreSQLIndex(fields=['agency_code', 'at'], name='answers_of_agency'), PostgreSQLIndex(fields=['region_code', 'at'], name='answers_of_region')], 'pk_attr': 'review_id'},
            bases=['Model'],
        ),
        FilledField(
            model_name='Matter',
            name='questionnaire',
            field=fields.CharField(default='', max_length=32),
        ),
        FilledField(
            model_name='Policy',
            name='tell_accepted',
            field=fields.BooleanField(default=True),
        ),
        ops.AddConstraint(
            'Answers',
            CheckConstraint(
                check='cardinality(asked) = 5 AND cardinality(answers) = 4',
                name='every_question_has_its_place',
            ),
        ),
        ops.AddConstraint(
            'Answers',
            CheckConstraint(
                check="answers <@ ARRAY['yes', 'fair', 'no', '']",
                name='answer_is_known',
            ),
        ),
        ops.AddConstraint(
            'Answers',
            CheckConstraint(
                check="comment <> '' OR answers && ARRAY['yes', 'fair', 'no']",
                name='something_is_answered',
            ),
        ),
        ops.AddConstraint(
            'Message',
            UniqueConstraint(
                fields=('about', 'purpose'),
                name='one_message_per_news',
                condition="purpose IN ('accepted', 'closed')",
            ),
        ),
    ]
