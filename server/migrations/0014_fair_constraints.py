from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint

_FREE_CALL_BACKS = """
DO $$ DECLARE named text; BEGIN
  SELECT conname INTO named FROM pg_constraint
  WHERE conrelid = 'call_backs'::regclass AND confrelid = 'reviews'::regclass;
  IF named IS NOT NULL THEN EXECUTE format('ALTER TABLE call_backs DROP CONSTRAINT %I', named); END IF;
END $$
"""
# No joins in it: only then PostgreSQL asks both tables by their keys. `contact` is there if it can be
# written to: of a letter a clerk often knows the name alone.
_VOICES = """
CREATE VIEW voices AS
  SELECT r.id, r.region_code, r.receipt_id, r.state, r.level, r.channel, r.real_name, r.contact, r.at,
    r.undo_until, r.order_number, r.query_key,
    (SELECT c.citizen_id FROM claims c WHERE c.review_id = r.id) AS citizen_id
  FROM reviews r
  UNION ALL
  SELECT g.id, g.region_code, g.receipt_id, 'standing', NULL::smallint, g.channel, g.real_name,
    CASE WHEN g.contact_key IS NOT NULL THEN g.contact END, g.at, g.at, g.order_number,
    g.query_key, g.citizen_id
  FROM grievances g
"""


class Migration(migrations.Migration):
    """As in 0002: CreateModel does not create the constraints that it names. And the view of all who
    stand behind an order, whatever they said."""


    dependencies = [("models", "0013_fair")]
    initial = False

    operations = [
        ops.RemoveConstraint('Notice', name='one_notice_per_step'),
        ops.AddConstraint(
            'Notice',
            UniqueConstraint(fields=('about', 'order_number'), name='one_notice_per_step'),
        ),
        ops.AddConstraint(
            'Void',
            UniqueConstraint(
                fields=('receipt_id',),
                name='one_void_per_receipt',
                condition="state <> 'refused'",
            ),
        ),
        ops.AddConstraint(
            'Void',
            CheckConstraint(
                check="state IN ('asked', 'voided', 'refused')",
                name='void_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'Void',
            CheckConstraint(
                check="(state = 'asked') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL) AND asked_by <> 'staff:' || coalesce(decided_by, 0)",
                name='void_needs_a_second_person',
            ),
        ),
        ops.AddConstraint(
            'Exclusion',
            UniqueConstraint(
                fields=('review_id',),
                name='excluded_once',
                condition='lifted_at IS NULL',
            ),
        ),
        ops.AddConstraint(
            'Exclusion',
            CheckConstraint(
                check='first_id <> second_id',
                name='exclusion_needs_two_people',
            ),
        ),
        ops.AddConstraint(
            'Exclusion',
            CheckConstraint(
                check="reason IN ('mistaken', 'malicious', 'not_ours', 'not_the_applicant', 'gamed')",
                name='exclusion_reason_is_known',
            ),
        ),
        ops.AddConstraint(
            'PaperForm',
            UniqueConstraint(
                fields=('key',),
                name='one_paper_form_per_code',
            ),
        ),
        ops.AddConstraint(
            'PaperForm',
            UniqueConstraint(
                fields=('stub_key',),
                name='one_paper_form_per_stub',
            ),
        ),
        ops.AddConstraint(
            'PaperForm',
            UniqueConstraint(
                fields=('review_id',),
                name='one_review_per_paper_form',
            ),
        ),
        ops.AddConstraint(
            'PaperForm',
            CheckConstraint(
                check='(entered_at IS NULL) = (entered_by IS NULL)',
                name='keyed_in_form_has_its_operator',
            ),
        ),
        ops.AddConstraint(
            'Grievance',
            UniqueConstraint(
                fields=('query_key',),
                name='one_grievance_per_query_code',
            ),
        ),
        ops.AddConstraint(
            'Grievance',
            UniqueConstraint(
                fields=('request_key',),
                name='one_grievance_per_request',
                condition='request_key IS NOT NULL',
            ),
        ),
        ops.AddConstraint(
            'Grievance',
            UniqueConstraint(
                fields=('region_code', 'source', 'external_number'),
                name='one_grievance_per_ticket',
                condition='external_number IS NOT NULL',
            ),
        ),
        ops.AddConstraint(
            'Grievance',
            CheckConstraint(
                check="source IN ('faults', 'stuck', 'hotline', 'letter', 'visit', 'national')",
                name='grievance_source_is_known',
            ),
        ),
        ops.AddConstraint(
            'Grievance',
            CheckConstraint(
                check="kind IN ('', 'correction', 'consultation', 'suggestion', 'cannot', 'hard', 'refused')",
                name='grievance_kind_is_known',
            ),
        ),
        ops.AddConstraint(
            'Grievance',
            CheckConstraint(
                check="source IN ('faults', 'stuck') OR entered_by IS NOT NULL",
                name='clerks_entry_has_its_operator',
            ),
        ),
        ops.AddConstraint(
            'Appeal',
            UniqueConstraint(
                fields=('review_id', 'round'),
                name='one_appeal_per_review_and_round',
                condition="state <> 'withdrawn'",
            ),
        ),
        ops.AddConstraint(
            'Appeal',
            CheckConstraint(
                check="state IN ('open', 'confirming', 'upheld', 'refused', 'withdrawn')",
                name='appeal_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'Appeal',
            CheckConstraint(
                check="round IN ('appeal', 'objection')",
                name='appeal_round_is_known',
            ),
        ),
        ops.AddConstraint(
            'Appeal',
            CheckConstraint(
                check="(state IN ('refused', 'upheld', 'withdrawn')) = (ruled_at IS NOT NULL)",
                name='ended_appeal_has_its_ruling',
            ),
        ),
        ops.AddConstraint(
            'Appeal',
            CheckConstraint(
                check="reason IS NULL OR reason IN ('mistaken', 'malicious', 'not_ours', 'not_the_applicant', 'gamed')",
                name='appeal_reason_is_known',
            ),
        ),
        ops.AddConstraint(
            'Appeal',
            CheckConstraint(
                check="(round = 'appeal') = (by_id IS NOT NULL)",
                name='appeal_has_its_appellant',
            ),
        ),
        ops.AddConstraint(
            'Vote',
            UniqueConstraint(
                fields=('appeal_id', 'staff_id'),
                name='one_vote_per_adjudicator',
            ),
        ),
        ops.AddConstraint(
            'Vote',
            CheckConstraint(
                check="reason IS NULL OR upheld AND reason IN ('mistaken', 'malicious', 'not_ours', 'not_the_applicant', 'gamed')",
                name='vote_reason_is_known',
            ),
        ),
        ops.AddConstraint(
            'Evidence',
            CheckConstraint(
                check="kind IN ('jpeg', 'png', 'pdf')",
                name='evidence_kind_is_known',
            ),
        ),
        ops.AddConstraint(
            'Evidence',
            UniqueConstraint(
                fields=('appeal_id', 'digest'),
                name='evidence_is_kept_once',
            ),
        ),
        ops.AddConstraint(
            'Suspicion',
            UniqueConstraint(
                fields=('review_id', 'rule'),
                name='one_suspicion_per_review_and_rule',
                condition='review_id IS NOT NULL',
            ),
        ),
        ops.AddConstraint(
            'Suspicion',
            CheckConstraint(
                check="rule IN ('quick', 'same_device', 'same_phone', 'same_person', 'insider', 'burst', 'same_words', 'voided', 'reissued', 'undone', 'objected', 'pressed')",
                name='suspicion_rule_is_known',
            ),
        ),
        ops.AddConstraint(
            'Suspicion',
            CheckConstraint(
                check="state IN ('open', 'proposed', 'confirmed', 'cleared')",
                name='suspicion_state_is_known',
            ),
        ),
        ops.AddConstraint(
            'Suspicion',
            CheckConstraint(
                check="state <> 'confirmed' OR coalesce(proposed_by <> decided_by, FALSE)",
                name='confirmed_by_a_second_person',
            ),
        ),
        ops.AddConstraint(
            'Suspicion',
            CheckConstraint(
                check="(state IN ('confirmed', 'cleared')) = (decided_at IS NOT NULL)",
                name='decided_suspicion_has_its_time',
            ),
        ),
        ops.AddConstraint(
            'Look',
            CheckConstraint(
                check="act IN ('proposed', 'agreed', 'disagreed', 'cleared', 'settled')",
                name='look_act_is_known',
            ),
        ),
        ops.AddConstraint(
            'Insider',
            UniqueConstraint(
                fields=('kind', 'key', 'agency_code'),
                name='one_insider_per_key',
            ),
        ),
        ops.AddConstraint(
            'Insider',
            CheckConstraint(
                check="kind IN ('phone', 'openid')",
                name='insider_kind_is_known',
            ),
        ),
        ops.AddConstraint(
            'Objection',
            UniqueConstraint(
                fields=('review_id',),
                name='one_objection_per_review',
            ),
        ),
        ops.AddConstraint(
            'Objection',
            UniqueConstraint(
                fields=('receipt_id', 'generation'),
                name='one_objection_per_code',
            ),
        ),
        ops.AddConstraint(
            'Objection',
            CheckConstraint(
                check='generation BETWEEN 1 AND 3',
                name='objections_are_few',
            ),
        ),
        ops.AddConstraint(
            'Pressure',
            UniqueConstraint(
                fields=('receipt_id',),
                name='one_report_per_receipt',
            ),
        ),
        ops.AddConstraint(
            'Pressure',
            UniqueConstraint(
                fields=('query_key',),
                name='one_report_per_query_code',
            ),
        ),
        ops.RunSQL(sql=_FREE_CALL_BACKS),
        ops.RunSQL(sql=_VOICES),
    ]
