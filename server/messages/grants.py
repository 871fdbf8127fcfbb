"""Leave to write by WeChat: a citizen gives it for one kind of news, and each message spends one."""

from uuid import UUID

from asyncpg import Record

from server.kit import metrics, sql
from server.kit.clock import clock
from server.kit.errors import Invalid
from server.messages.rules import GrantAnswer, News
from server.people.citizens import Rater
from server.people.tokens import BadToken

MOST = 100
"""More than anybody has open; a client that counts wrongly counts up to here."""


class UnknownTemplate(Invalid):
    code = "unknown_template"
    title = "没有这种订阅消息"


def news_named(template: str, ids: dict[str, str]) -> News:
    """By our word for it or by WeChat's id; `ids` has them by our word."""
    for news in News:
        if template in (news, ids.get(news) or news):
            return news
    raise UnknownTemplate


_ANSWERED = """
INSERT INTO wechat_grants (citizen_id, news, remaining, accepted, rejected, banned, answered_at)
SELECT id, $2, $3::int, $3::int, $4::int, $5::int, $6
FROM citizens WHERE id = $1 AND erased_at IS NULL FOR SHARE
ON CONFLICT (citizen_id, news) DO UPDATE SET
  remaining = CASE WHEN excluded.banned > 0 THEN 0
    ELSE least(wechat_grants.remaining + excluded.remaining, $7::int) END,
  accepted = wechat_grants.accepted + excluded.accepted,
  rejected = wechat_grants.rejected + excluded.rejected,
  banned = wechat_grants.banned + excluded.banned, answered_at = excluded.answered_at
RETURNING remaining
"""


async def answered(rater: Rater, news: News, answer: GrantAnswer) -> int:
    """Counts what he answered; gives how many messages we may send him now."""
    counts = [int(answer is kind) for kind in GrantAnswer]
    row = await sql.fetch_one(_ANSWERED, rater.id, news, *counts, clock.now(), MOST)
    if row is None:
        raise BadToken
    metrics.grants.labels(news, answer).inc()
    return row["remaining"]


async def of(rater: Rater) -> list[Record]:
    return await sql.fetch(
        "SELECT news, remaining, accepted, rejected, banned, answered_at FROM wechat_grants "
        "WHERE citizen_id = $1 ORDER BY news",
        rater.id,
    )


async def spend(citizen_id: UUID, news: News) -> bool:
    """In the transaction that writes the message."""
    rows = await sql.fetch(
        "UPDATE wechat_grants SET remaining = remaining - 1 "
        "WHERE citizen_id = $1 AND news = $2 AND remaining > 0 RETURNING 1",
        citizen_id, news,
    )  # fmt: skip
    return bool(rows)


async def end(citizen_id: UUID, news: News) -> None:
    """WeChat says that he does not want it, whatever we have counted."""
    await sql.fetch(
        "UPDATE wechat_grants SET remaining = 0 WHERE citizen_id = $1 AND news = $2",
        citizen_id, news,
    )  # fmt: skip


async def forget(rater: Rater) -> None:
    """In the transaction that forgets him; what was sent stays as a count of nobody."""
    await sql.fetch("DELETE FROM wechat_grants WHERE citizen_id = $1", rater.id)
    await sql.fetch(
        "UPDATE wechat_notices SET citizen_id = NULL, content = NULL, next_at = NULL, "
        "settled_at = coalesce(settled_at, $2), code = CASE state WHEN 'queued' THEN 'forgotten' "
        "ELSE code END, state = CASE state WHEN 'queued' THEN 'cancelled' WHEN 'sending' THEN 'lost' "
        "ELSE state END WHERE citizen_id = $1",
        rater.id, clock.now(),
    )  # fmt: skip
