"""Words of citizens who were signed in are shown to WeChat before they are published.

The rating is stored and counts whatever comes of it; until WeChat has let the words pass, nobody
publishes them."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from server.kit import sql
from server.kit.clock import clock
from server.kit.wechat import BUSY, WeChat
from server.kit.wechat_wire import WeChatRefused, WeChatSilent
from server.messages.rules import WAITS, wait_after
from server.people.citizens import Rater, openid_in
from server.reviews.rules import CheckState

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)
NOT_SEEN = 61010
"""He was not in the mini-program for two hours: WeChat does not judge for him then."""
_LATER = frozenset({BUSY, 45009})
_BATCH = 16
_TAKE = """
UPDATE word_checks w SET next_at = $2, tries = w.tries + 1
FROM (
  SELECT k.review_id, r.comment, r.supplement, a.comment AS answered, p.openid FROM word_checks k
  JOIN reviews r ON r.id = k.review_id LEFT JOIN questionnaire_answers a ON a.review_id = r.id
  LEFT JOIN claims c ON c.review_id = k.review_id LEFT JOIN citizens p ON p.id = c.citizen_id
  WHERE k.next_at <= $1 ORDER BY k.next_at LIMIT $3 FOR UPDATE OF k SKIP LOCKED) AS due
WHERE w.review_id = due.review_id
RETURNING w.review_id, w.next_at, w.tries, due.comment, due.supplement, due.answered, due.openid
"""


async def check(wechat: WeChat) -> int:
    """What is due, a batch at a time; gives how many WeChat has judged."""
    now = clock.now()
    rows = await sql.fetch(_TAKE, now, now + LEASE, _BATCH)
    return sum(await asyncio.gather(*(_check(row, wechat) for row in rows)))


async def _check(row: Any, wechat: WeChat) -> bool:
    openid = openid_in(row["openid"])
    if openid is None:
        await _put(row, CheckState.HELD, "nobody")
        return False
    try:
        opinion = await wechat.opinion_of(openid, _words(row))
    except WeChatSilent:
        await _put(row, CheckState.WAITING, "unreachable", _later(row))
        return False
    except WeChatRefused as refused:
        await _refused(row, refused.code)
        return False
    state = CheckState.PASSED if opinion == "pass" else CheckState.HELD
    return await _put(row, state, opinion)


def _words(row: Any) -> str:
    return "\n".join(filter(None, (row["comment"], row["supplement"], row["answered"])))


def _later(row: Any) -> datetime:
    return clock.now() + wait_after(row["tries"], WAITS)


async def _refused(row: Any, code: int) -> None:
    if code in _LATER:
        await _put(row, CheckState.WAITING, f"errcode_{code}", _later(row))
        return
    if code != NOT_SEEN:
        log.error("WeChat does not check words", extra={"reason": f"errcode {code}"})
    await _put(row, CheckState.WAITING, f"errcode_{code}")


async def _put(row: Any, state: CheckState, reason: str, next_at: datetime | None = None) -> bool:
    """False if there are newer words meanwhile: those are judged, not these."""
    done = await sql.fetch(
        "UPDATE word_checks SET state = $3, reason = $4, next_at = $5, checked_at = $6 "
        "WHERE review_id = $1 AND next_at = $2 RETURNING 1",
        row["review_id"], row["next_at"], state, reason, next_at, clock.now(),
    )  # fmt: skip
    return bool(done)


async def wake(rater: Rater) -> None:
    """He is here again: what could not be judged while he was away can be now."""
    await sql.fetch(
        "UPDATE word_checks w SET next_at = $2, tries = 0 FROM claims c "
        "WHERE c.citizen_id = $1 AND w.review_id = c.review_id AND w.state = 'waiting' "
        "AND w.next_at IS NULL",
        rater.id, clock.now(),
    )  # fmt: skip
