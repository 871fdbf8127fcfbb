from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from uuid import uuid4

from server.kit.indexes import GinWhere, IndexWhere

from server.kit.filled_fields import FilledField


class _Known:
    """Of the state alone: the column is there already, its foreign key goes in 0014."""

    async def database_forward(self, *_, **__):
        return None


class _Forgotten(_Known, ops.RemoveField):
    pass


class _Named(_Known, ops.AddField):
    pass


class Migration(migrations.Migration):
    dependencies = [("models", "0012_closed_loop_constraints")]
    initial = False

    operations = [
        ops.CreateModel(
            name='Appeal',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('order_number', fields.CharField(max_length=16)),
                ('review_id', fields.UUIDField()),
                ('round', fields.CharField(default='appeal', db_default='appeal', max_length=10)),
                ('by_id', fields.IntField(null=True)),
                ('officer_number', fields.CharField(null=True, max_length=32)),
                ('ground', fields.CharField(null=True, max_length=20)),
                ('words', fields.TextField(unique=False)),
                ('state', fields.CharField(default='open', db_default='open', max_length=12)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('provisional', fields.BooleanField(default=False, db_default=False)),
                ('statement_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('statement', fields.TextField(null=True, unique=False)),
                ('statement_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('reason', fields.CharField(null=True, max_length=20)),
                ('ruling', fields.TextField(null=True, unique=False)),
                ('ruled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('confirmed_by', fields.IntField(null=True)),
                ('warned_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('overdue_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'appeals', 'app': 'models', 'constraints': [UniqueConstraint(fields=('review_id', 'round'), name='one_appeal_per_review_and_round', condition="state <> 'withdrawn'"), CheckConstraint(check="state IN ('open', 'confirming', 'upheld', 'refused', 'withdrawn')", name='appeal_state_is_known'), CheckConstraint(check="round IN ('appeal', 'objection')", name='appeal_round_is_known'), CheckConstraint(check="(state IN ('refused', 'upheld', 'withdrawn')) = (ruled_at IS NOT NULL)", name='ended_appeal_has_its_ruling'), CheckConstraint(check="reason IS NULL OR reason IN ('mistaken', 'malicious', 'not_ours', 'not_the_applicant', 'gamed')", name='appeal_reason_is_known'), CheckConstraint(check="(round = 'appeal') = (by_id IS NOT NULL)", name='appeal_has_its_appellant')], 'indexes': [PostgreSQLIndex(fields=['order_number'], name='appeals_of_order'), PostgreSQLIndex(fields=['region_code', 'at'], name='appeals_of_region'), IndexWhere(fields=['due_at'], name='appeals_open', where="state NOT IN ('refused', 'upheld', 'withdrawn')")], 'pk_attr': 'id', 'table_description': 'One case about one review. It holds nothing by which the citizen could be known.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Evidence',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('appeal', fields.ForeignKeyField('models.Appeal', source_field='appeal_id', db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=100)),
                ('kind', fields.CharField(max_length=16)),
                ('size', fields.IntField()),
                ('digest', fields.CharField(max_length=64)),
                ('by_id', fields.IntField()),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'evidence', 'app': 'models', 'constraints': [CheckConstraint(check="kind IN ('jpeg', 'png', 'pdf')", name='evidence_kind_is_known'), UniqueConstraint(fields=('appeal_id', 'digest'), name='evidence_is_kept_once')], 'pk_attr': 'id', 'table_description': 'A file of the appellant, in what it was checked to be. Its bytes lie apart, sealed.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='EvidenceContent',
            fields=[
                ('evidence', fields.OneToOneField('models.Evidence', source_field='evidence_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('sealed', fields.BinaryField()),
            ],
            options={'table': 'evidence_contents', 'app': 'models', 'pk_attr': 'evidence_id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Exclusion',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('review', fields.ForeignKeyField('models.Review', source_field='review_id', db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('reason', fields.CharField(max_length=20)),
                ('words', fields.TextField(default='', db_default='', unique=False)),
                ('first_id', fields.IntField()),
                ('second_id', fields.IntField()),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('case_id', fields.UUIDField(null=True)),
                ('person_key', fields.CharField(null=True, max_length=22)),
                ('lifted_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'exclusions', 'app': 'models', 'constraints': [UniqueConstraint(fields=('review_id',), name='excluded_once', condition='lifted_at IS NULL'), CheckConstraint(check='first_id <> second_id', name='exclusion_needs_two_people'), CheckConstraint(check="reason IN ('mistaken', 'malicious', 'not_ours', 'not_the_applicant', 'gamed')", name='exclusion_reason_is_known')], 'indexes': [PostgreSQLIndex(fields=['region_code', 'at'], name='exclusions_of_region'), PostgreSQLIndex(fields=['review_id'], name='exclusions_of_review'), IndexWhere(fields=['person_key'], name='exclusions_of_person', where='person_key IS NOT NULL')], 'pk_attr': 'id', 'table_description': '不予采纳: a review that is kept, and left out of every figure. A row with a reason and two people.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Grievance',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('receipt', fields.ForeignKeyField('models.Receipt', source_field='receipt_id', db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('source', fields.CharField(max_length=12)),
                ('kind', fields.CharField(default='', db_default='', max_length=16)),
                ('function', fields.CharField(default='', db_default='', max_length=16)),
                ('words', fields.TextField(unique=False)),
                ('channel', fields.CharField(max_length=16)),
                ('real_name', fields.BooleanField(default=False, db_default=False)),
                ('contact', fields.BinaryField(null=True)),
                ('contact_key', fields.CharField(null=True, max_length=22)),
                ('citizen_id', fields.UUIDField(null=True)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('came_on', fields.DateField(null=True)),
                ('order_number', fields.CharField(max_length=16)),
                ('query_key', fields.CharField(max_length=22)),
                ('request_key', fields.CharField(null=True, max_length=22)),
                ('request_digest', fields.CharField(null=True, max_length=22)),
                ('entered_by', fields.IntField(null=True)),
                ('external_number', fields.CharField(null=True, max_length=64)),
            ],
            options={'table': 'grievances', 'app': 'models', 'constraints': [UniqueConstraint(fields=('query_key',), name='one_grievance_per_query_code'), UniqueConstraint(fields=('request_key',), name='one_grievance_per_request', condition='request_key IS NOT NULL'), UniqueConstraint(fields=('region_code', 'source', 'external_number'), name='one_grievance_per_ticket', condition='external_number IS NOT NULL'), CheckConstraint(check="source IN ('faults', 'stuck', 'hotline', 'letter', 'visit', 'national')", name='grievance_source_is_known'), CheckConstraint(check="kind IN ('', 'correction', 'consultation', 'suggestion', 'cannot', 'hard', 'refused')", name='grievance_kind_is_known'), CheckConstraint(check="source IN ('faults', 'stuck') OR entered_by IS NOT NULL", name='clerks_entry_has_its_operator')], 'indexes': [PostgreSQLIndex(fields=['region_code', 'at'], name='grievances_of_region'), PostgreSQLIndex(fields=['order_number'], name='grievances_of_order'), IndexWhere(fields=['contact_key', 'at'], name='grievances_of_phone', where='contact_key IS NOT NULL'), IndexWhere(fields=['citizen_id', 'at'], name='grievances_of_citizen', where='citizen_id IS NOT NULL')], 'pk_attr': 'id', 'table_description': 'One grievance of one citizen; its work order opens in the same commit. Never deleted.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Insider',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('kind', fields.CharField(max_length=8)),
                ('key', fields.CharField(max_length=22)),
                ('agency_code', fields.CharField(max_length=18)),
                ('officer_number', fields.CharField(null=True, max_length=32)),
                ('loaded_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'insiders', 'app': 'models', 'constraints': [UniqueConstraint(fields=('kind', 'key', 'agency_code'), name='one_insider_per_key'), CheckConstraint(check="kind IN ('phone', 'openid')", name='insider_kind_is_known')], 'pk_attr': 'id', 'table_description': 'A phone or openid of the staff, as a keyed hash: it is only ever compared.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Objection',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('receipt', fields.ForeignKeyField('models.Receipt', source_field='receipt_id', db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('review_id', fields.UUIDField()),
                ('generation', fields.SmallIntField()),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'objections', 'app': 'models', 'constraints': [UniqueConstraint(fields=('review_id',), name='one_objection_per_review'), UniqueConstraint(fields=('receipt_id', 'generation'), name='one_objection_per_code'), CheckConstraint(check='generation BETWEEN 1 AND 3', name='objections_are_few')], 'pk_attr': 'id', 'table_description': "“不是我评的”: the phone's owner says that the first rater was somebody else."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PaperForm',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('key', fields.CharField(max_length=22)),
                ('review_id', fields.UUIDField()),
                ('stub_key', fields.CharField(max_length=22)),
                ('region_code', fields.CharField(max_length=12)),
                ('hall_code', fields.CharField(max_length=32)),
                ('window_code', fields.CharField(null=True, max_length=32)),
                ('printed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('printed_by', fields.IntField()),
                ('entered_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('entered_by', fields.IntField(null=True)),
            ],
            options={'table': 'paper_forms', 'app': 'models', 'constraints': [UniqueConstraint(fields=('key',), name='one_paper_form_per_code'), UniqueConstraint(fields=('stub_key',), name='one_paper_form_per_stub'), UniqueConstraint(fields=('review_id',), name='one_review_per_paper_form'), CheckConstraint(check='(entered_at IS NULL) = (entered_by IS NULL)', name='keyed_in_form_has_its_operator')], 'indexes': [IndexWhere(fields=['entered_at'], name='paper_forms_keyed_in', where='entered_at IS NOT NULL'), PostgreSQLIndex(fields=['printed_at'], name='paper_forms_printed')], 'pk_attr': 'id', 'table_description': '书面评价表: a printed blank with two codes. It is keyed in once.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Pressure',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('receipt', fields.ForeignKeyField('models.Receipt', source_field='receipt_id', db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('query_key', fields.CharField(max_length=22)),
                ('how', ArrayField(default=list, element_type='TEXT')),
                ('words', fields.TextField(default='', db_default='', unique=False)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('suspicion_id', fields.BigIntField()),
            ],
            options={'table': 'pressures', 'app': 'models', 'constraints': [UniqueConstraint(fields=('receipt_id',), name='one_report_per_receipt'), UniqueConstraint(fields=('query_key',), name='one_report_per_query_code')], 'pk_attr': 'id', 'table_description': '“被要求好评”, protected like a review: the agency never learns of it from us.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Proof',
            fields=[
                ('key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=22)),
                ('receipt', fields.ForeignKeyField('models.Receipt', source_field='receipt_id', db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('code_key', fields.CharField(null=True, max_length=22)),
                ('sent_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('tries', fields.SmallIntField(default=0, db_default=0)),
                ('sent_today', fields.SmallIntField(default=1, db_default=1)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'objection_proofs', 'app': 'models', 'pk_attr': 'key', 'table_description': "A one-time code, asked for with a receipt and some phone. It is sent if the phone is the"},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Suspicion',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('window_code', fields.CharField(null=True, max_length=32)),
                ('receipt_id', fields.BigIntField()),
                ('review_id', fields.UUIDField(null=True)),
                ('rule', fields.CharField(max_length=16)),
                ('evidence', fields.TextField(unique=False)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('state', fields.CharField(default='open', db_default='open', max_length=10)),
                ('proposed_by', fields.IntField(null=True)),
                ('proposed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('proposal', fields.TextField(default='', db_default='', unique=False)),
                ('decided_by', fields.IntField(null=True)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('decision', fields.TextField(default='', db_default='', unique=False)),
                ('overdue_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'suspicions', 'app': 'models', 'constraints': [UniqueConstraint(fields=('review_id', 'rule'), name='one_suspicion_per_review_and_rule', condition='review_id IS NOT NULL'), CheckConstraint(check="rule IN ('quick', 'same_device', 'same_phone', 'same_person', 'insider', 'burst', 'same_words', 'voided', 'reissued', 'undone', 'objected', 'pressed')", name='suspicion_rule_is_known'), CheckConstraint(check="state IN ('open', 'proposed', 'confirmed', 'cleared')", name='suspicion_state_is_known'), CheckConstraint(check="state <> 'confirmed' OR coalesce(proposed_by <> decided_by, FALSE)", name='confirmed_by_a_second_person'), CheckConstraint(check="(state IN ('confirmed', 'cleared')) = (decided_at IS NOT NULL)", name='decided_suspicion_has_its_time')], 'indexes': [PostgreSQLIndex(fields=['receipt_id'], name='suspicions_of_receipt'), PostgreSQLIndex(fields=['region_code', 'state', 'id'], name='suspicions_of_region'), IndexWhere(fields=['due_at'], name='suspicions_due', where='decided_at IS NULL AND overdue_at IS NULL')], 'pk_attr': 'id', 'table_description': "One rule's finding about one review. Until somebody has looked, the review is in no ranking."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Look',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('suspicion', fields.ForeignKeyField('models.Suspicion', source_field='suspicion_id', db_index=True, db_constraint=True, to_field='id', related_name='looks', on_delete=OnDelete.CASCADE)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('staff_id', fields.IntField()),
                ('act', fields.CharField(max_length=10)),
                ('words', fields.TextField(default='', db_default='', unique=False)),
            ],
            options={'table': 'suspicion_looks', 'app': 'models', 'constraints': [CheckConstraint(check="act IN ('proposed', 'agreed', 'disagreed', 'cleared', 'settled')", name='look_act_is_known')], 'pk_attr': 'id', 'table_description': 'Who looked at a suspicion, and what he held of it. Never changed, never deleted.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Trace',
            fields=[
                ('review_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('window_code', fields.CharField(null=True, max_length=32)),
                ('officer_number', fields.CharField(null=True, max_length=32)),
                ('receipt_id', fields.BigIntField()),
                ('channel', fields.CharField(max_length=16)),
                ('level', fields.SmallIntField()),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('seconds', fields.IntField(null=True)),
                ('undone', fields.BooleanField(default=False)),
                ('device_key', fields.CharField(null=True, max_length=22)),
                ('phone_key', fields.CharField(null=True, max_length=22)),
                ('words', fields.CharField(default='', max_length=500)),
            ],
            options={'table': 'traces', 'app': 'models', 'indexes': [PostgreSQLIndex(fields=['agency_code', 'window_code', 'at'], name='traces_of_window'), PostgreSQLIndex(fields=['receipt_id'], name='traces_of_receipt'), PostgreSQLIndex(fields=['at'], name='traces_by_time'), IndexWhere(fields=['device_key', 'at'], name='traces_of_device', where='device_key IS NOT NULL'), IndexWhere(fields=['phone_key', 'at'], name='traces_of_phone', where='phone_key IS NOT NULL'), IndexWhere(fields=['words'], name='traces_of_words', where="words <> ''")], 'pk_attr': 'review_id', 'table_description': 'What one rating is compared by. Written by the worker, off the hot path; kept `trace_days`.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Void',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('region_code', fields.CharField(max_length=12)),
                ('agency_code', fields.CharField(max_length=18)),
                ('receipt', fields.ForeignKeyField('models.Receipt', source_field='receipt_id', db_index=True, db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('reason', fields.CharField(max_length=200)),
                ('asked_by', fields.CharField(max_length=40)),
                ('asked_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('state', fields.CharField(default='asked', db_default='asked', max_length=8)),
                ('decided_by', fields.IntField(null=True)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('words', fields.CharField(default='', db_default='', max_length=200)),
            ],
            options={'table': 'voids', 'app': 'models', 'constraints': [UniqueConstraint(fields=('receipt_id',), name='one_void_per_receipt', condition="state <> 'refused'"), CheckConstraint(check="state IN ('asked', 'voided', 'refused')", name='void_state_is_known'), CheckConstraint(check="(state = 'asked') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL) AND asked_by <> 'staff:' || coalesce(decided_by, 0)", name='void_needs_a_second_person')], 'indexes': [PostgreSQLIndex(fields=['agency_code', 'id'], name='voids_of_agency'), IndexWhere(fields=['decided_at'], name='voids_done', where="state = 'voided'")], 'pk_attr': 'id', 'table_description': '作废: asked for with a reason by one, decided by another. The receipt keeps its review.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Vote',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('appeal', fields.ForeignKeyField('models.Appeal', source_field='appeal_id', db_constraint=True, to_field='id', on_delete=OnDelete.CASCADE)),
                ('staff_id', fields.IntField()),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('upheld', fields.BooleanField(null=True)),
                ('reason', fields.CharField(null=True, max_length=20)),
                ('words', fields.TextField(unique=False)),
            ],
            options={'table': 'appeal_votes', 'app': 'models', 'constraints': [UniqueConstraint(fields=('appeal_id', 'staff_id'), name='one_vote_per_adjudicator'), CheckConstraint(check="reason IS NULL OR upheld AND reason IN ('mistaken', 'malicious', 'not_ours', 'not_the_applicant', 'gamed')", name='vote_reason_is_known')], 'pk_attr': 'id', 'table_description': 'What one adjudicator holds; the other does not read it before he has given his own.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Watermark',
            fields=[
                ('name', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ('traced_to', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'watermarks', 'app': 'models', 'pk_attr': 'name', 'table_description': 'Up to which time reviews were traced and compared; one row.'},
            bases=['Model'],
        ),
        FilledField(
            model_name='Policy',
            name='adjudicate_days',
            field=fields.SmallIntField(default=10),
        ),
        FilledField(
            model_name='Policy',
            name='appeal_days',
            field=fields.SmallIntField(default=5),
        ),
        FilledField(
            model_name='Policy',
            name='burst_count',
            field=fields.SmallIntField(default=8),
        ),
        FilledField(
            model_name='Policy',
            name='burst_minutes',
            field=fields.SmallIntField(default=10),
        ),
        FilledField(
            model_name='Policy',
            name='cannot_days',
            field=fields.SmallIntField(default=3),
        ),
        FilledField(
            model_name='Policy',
            name='hard_days',
            field=fields.SmallIntField(default=5),
        ),
        FilledField(
            model_name='Policy',
            name='objection_days',
            field=fields.SmallIntField(default=30),
        ),
        FilledField(
            model_name='Policy',
            name='quick_many',
            field=fields.SmallIntField(default=8),
        ),
        FilledField(
            model_name='Policy',
            name='quick_seconds',
            field=fields.SmallIntField(default=10),
        ),
        FilledField(
            model_name='Policy',
            name='refused_days',
            field=fields.SmallIntField(default=1),
        ),
        FilledField(
            model_name='Policy',
            name='same_days',
            field=fields.SmallIntField(default=30),
        ),
        FilledField(
            model_name='Policy',
            name='same_device',
            field=fields.SmallIntField(default=10),
        ),
        FilledField(
            model_name='Policy',
            name='same_person',
            field=fields.SmallIntField(default=10),
        ),
        FilledField(
            model_name='Policy',
            name='same_phone',
            field=fields.SmallIntField(default=10),
        ),
        FilledField(
            model_name='Policy',
            name='same_words',
            field=fields.SmallIntField(default=5),
        ),
        FilledField(
            model_name='Policy',
            name='statement_days',
            field=fields.SmallIntField(default=3),
        ),
        FilledField(
            model_name='Policy',
            name='trace_days',
            field=fields.SmallIntField(default=90),
        ),
        FilledField(
            model_name='Policy',
            name='insider',
            field=fields.SmallIntField(default=1),
        ),
        FilledField(
            model_name='Policy',
            name='voided_days',
            field=fields.SmallIntField(default=30),
        ),
        FilledField(
            model_name='Policy',
            name='reissued_hours',
            field=fields.SmallIntField(default=24),
        ),
        FilledField(
            model_name='Policy',
            name='undone_bad',
            field=fields.SmallIntField(default=3),
        ),
        ops.RemoveConstraint(
            model_name='Receipt',
            name='one_visit_per_request',
            fields=None,
        ),
        ops.RemoveConstraint(
            model_name='Receipt',
            name='visit_has_its_hall',
            fields=None,
        ),
        ops.RemoveConstraint(
            model_name='Receipt',
            name='receipt_has_its_matter',
            fields=None,
        ),
        ops.RemoveConstraint(
            model_name='Receipt',
            name='visit_reaches_nobody',
            fields=None,
        ),
        ops.AddField(
            model_name='Receipt',
            name='generation',
            field=fields.SmallIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name='Receipt',
            name='reopened_until',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddConstraint(
            model_name='Receipt',
            constraint=UniqueConstraint(fields=('case_number',), name='one_visit_per_request', condition="channel = 'wall'"),
        ),
        ops.AddConstraint(
            model_name='Receipt',
            constraint=CheckConstraint(check="channel = 'grievance' OR (channel = 'wall') = (hall_code IS NOT NULL)", name='visit_has_its_hall'),
        ),
        ops.AddConstraint(
            model_name='Receipt',
            constraint=CheckConstraint(check="channel IN ('wall', 'grievance') OR matter_code <> ''", name='receipt_has_its_matter'),
        ),
        ops.AddConstraint(
            model_name='Receipt',
            constraint=CheckConstraint(check="channel NOT IN ('wall', 'grievance') OR (phone_key IS NULL AND invite_at IS NULL AND officer_number IS NULL)", name='visit_reaches_nobody'),
        ),
        ops.AddField(
            model_name='Review',
            name='device_key',
            field=fields.CharField(null=True, max_length=22),
        ),
        ops.AddField(
            model_name='Review',
            name='entered_by',
            field=fields.IntField(null=True),
        ),
        ops.AddIndex(
            model_name='Review',
            index=IndexWhere(fields=['undone_at'], name='reviews_undone', where='undone_at IS NOT NULL'),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='first_asked_id',
            field=fields.IntField(null=True),
        ),
        ops.AddIndex(
            model_name='WorkOrder',
            index=IndexWhere(fields=['first_asked_id'], name='work_orders_first_asked', where='first_asked_id IS NOT NULL'),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='followers',
            field=ArrayField(null=True, element_type='INT'),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='promised_until',
            field=fields.DateField(null=True),
        ),
        ops.AddField(
            model_name='WorkOrder',
            name='promised_from',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddIndex(
            model_name='WorkOrder',
            index=GinWhere(fields=['followers'], name='work_orders_of_followers', where='followers IS NOT NULL'),
        ),
        ops.AddField(
            model_name='Step',
            name='of_order',
            field=fields.CharField(null=True, max_length=16),
        ),
        _Forgotten(model_name='CallBack', name='review'),
        _Named(model_name='CallBack', name='review_id', field=fields.UUIDField()),
    ]
