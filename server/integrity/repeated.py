"""G15, N40: officers who are rated badly again and again come to the accountability list. That is a
ranking: what is suspected and nobody has looked at yet does not put anybody on it."""

from datetime import datetime, timedelta

from asyncpg import Record

from server.catalogue.models import Policy
from server.catalogue.service import catalogue
from server.integrity.counted import COUNTED
from server.kit import sql
from server.kit.clock import clock
from server.workorders import accountability

# Bad reviews are found over their orders, which are few; a review counts when it cannot be undone
# any more, and once: only those after the officer's last record of this kind.
_BAD = f"""
SELECT c.agency_code, c.officer_number, array_agg(r.undo_until) AS times,
  (SELECT count(*) FROM accountability a WHERE a.agency_code = c.agency_code
     AND a.officer_number = c.officer_number AND a.why = 'repeated') AS records,
  (SELECT max(a.at) FROM accountability a WHERE a.agency_code = c.agency_code
     AND a.officer_number = c.officer_number AND a.why = 'repeated') AS last_at
FROM work_orders o JOIN reviews r ON r.id = o.origin_key AND r.level <= 2
JOIN receipts c ON c.id = r.receipt_id
WHERE o.visible_from > $1 AND r.undo_until <= $2 AND c.officer_number IS NOT NULL
  AND {COUNTED}
GROUP BY 1, 2
"""  # noqa: S608


async def list_officers() -> int:
    """One record for an officer and a period, whoever counts and however often."""
    now = clock.now()
    policies = [catalogue().policy(""), *catalogue().policies.values()]
    longest = max(policy.repeat_days for policy in policies)
    found = await sql.fetch(_BAD, now - timedelta(days=longest), now)
    listed = 0
    for row in found:
        agency = catalogue().agencies.get(row["agency_code"])
        policy = catalogue().policy(agency.region_code if agency else "")
        many = count(row, policy, now)
        if policy.repeat_bad and many >= policy.repeat_bad:
            words = f"{policy.repeat_days} 天内有 {many} 件差评（{policy.repeat_bad} 件起列入）"
            listed += await accountability.add_officer(
                row["agency_code"], row["officer_number"], row["records"], words, now
            )
    return listed


def count(row: Record, policy: Policy, now: datetime) -> int:
    """Of the last days, since he was listed last."""
    since = now - timedelta(days=policy.repeat_days)
    if row["last_at"]:
        since = max(since, row["last_at"])
    return sum(at > since for at in row["times"])
