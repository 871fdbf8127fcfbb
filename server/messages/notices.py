"""Subscribe messages: each spends a grant, and each is sent at most once.

WeChat neither knows a message twice nor tells afterwards whether it took one. So a message is marked
as being sent before WeChat is called, and what was perhaps sent is not sent again."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from server.kit import jobs, metrics, sql
from server.kit.clock import clock
from server.kit.ids import new_id
from server.kit.privacy import BrokenSeal, vault
from server.kit.transaction import transaction
from server.kit.wechat import BUSY, WeChat
from server.kit.wechat_wire import WeChatRefused, WeChatSilent
from server.messages import grants
from server.messages.keywords import fitted
from server.messages.rules import TRIES, WAITS, News, NoticeState, wait_after
from server.people.citizens import openid_in

log = logging.getLogger(__name__)
JOB = "notify"
PAGE = "pages/mine/mine"
"""His history, behind his own sign-in: the address holds no code of his."""
LEASE = timedelta(seconds=30)
"""Well over the longest call. Whoever finds a message in sending after it knows no more than we."""
NOT_SUBSCRIBED = 43101
LATER = frozenset({BUSY, 45009, 45047, 43108})
"""WeChat is busy, or a quota is spent."""
_SEAL = "notice"
_BATCH = 200
Templates = Mapping[str, tuple[str, Mapping[str, str]]]
Otherwise = Callable[[str], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Telling:
    """News of an order for one citizen."""

    citizen_id: UUID
    news: News
    step_id: int
    order_number: str
    """His own, where several citizens are told of one step."""
    values: Mapping[str, str] = field(repr=False)


async def write(telling: Telling) -> bool:
    """In the caller's transaction. True if he is told so, now or by an earlier try of the job; False
    if he has not given leave."""
    told = "SELECT 1 FROM wechat_notices WHERE about = $1 AND order_number = $2"
    if await sql.fetch(told, telling.step_id, telling.order_number):
        return True
    if not await grants.spend(telling.citizen_id, telling.news):
        return False
    now, notice_id = clock.now(), new_id()
    content = json.dumps(dict(telling.values), ensure_ascii=False).encode()
    await sql.fetch(
        "INSERT INTO wechat_notices (id, citizen_id, news, about, order_number, content, state, tries,"
        " created_at, next_at) VALUES ($1, $2, $3, $4, $5, $6, 'queued', 0, $7, $7)",
        notice_id, telling.citizen_id, telling.news, telling.step_id, telling.order_number,
        vault().seal(content, _SEAL), now,
    )  # fmt: skip
    name = notice_id.hex
    await jobs.enqueue(JOB, once_as=f"{JOB}:{name}", notice=name)
    return True


async def deliver(
    notice_id: UUID, *, wechat: WeChat | None, templates: Templates, otherwise: Otherwise
) -> int:
    """The job `notify`; gives 1 if WeChat took the message. `otherwise` is called in the commit that
    settles that it did not, with the order's number."""
    row = await _taken(notice_id)
    if row is None:
        return 0
    if row["tries"] > 1 and row["was"] == NoticeState.SENDING:
        await _settle(row, NoticeState.LOST, "worker_died", otherwise)
        return 0
    asked = _asked(row, templates)
    if wechat is None or asked is None:
        await _settle(row, NoticeState.REFUSED, "cannot_be_written", otherwise)
        return 0
    try:
        await wechat.write(*asked, PAGE)
    except WeChatRefused as refused:
        await _refused(row, refused.code, otherwise)
        return 0
    except WeChatSilent as silent:
        if silent.never_sent:
            await _later(row, "unreachable", otherwise)
        else:
            await _settle(row, NoticeState.LOST, "lost", otherwise)
        return 0
    await _settle(row, NoticeState.SENT, None, None)
    return 1


async def _taken(notice_id: UUID) -> Any:
    """Ours to send, and marked so; `was` tells whether somebody had it before and fell silent."""
    now = clock.now()
    return await sql.fetch_one(
        "UPDATE wechat_notices n SET state = 'sending', next_at = $3, tries = n.tries + 1 "
        "FROM (SELECT m.id, m.state AS was, c.openid FROM wechat_notices m "
        " JOIN citizens c ON c.id = m.citizen_id WHERE m.id = $1 AND m.next_at <= $2 "
        " FOR UPDATE OF m) AS before "
        "WHERE n.id = before.id RETURNING n.*, before.was, before.openid",
        notice_id, now, now + LEASE,
    )  # fmt: skip


def _asked(row: Any, templates: Templates) -> tuple[str, str, dict[str, str]] | None:
    """Whom, which template, and what stands in it; None if any of it is not known any more."""
    openid, template = openid_in(row["openid"]), templates.get(row["news"])
    try:
        values = json.loads(vault().unseal(row["content"], _SEAL)) if row["content"] else None
    except BrokenSeal:
        return None
    if openid is None or template is None or values is None:
        return None
    template_id, keywords = template
    data = {key: fitted(key, values.get(said, "")) for said, key in keywords.items()}
    return openid, template_id, data


async def _refused(row: Any, code: int, otherwise: Otherwise) -> None:
    if code in LATER:
        await _later(row, f"errcode_{code}", otherwise)
        return
    if code == NOT_SUBSCRIBED:
        await grants.end(row["citizen_id"], News(row["news"]))
    else:
        log.error("WeChat refuses a subscribe message", extra={"reason": f"errcode {code}"})
    await _settle(row, NoticeState.REFUSED, f"errcode_{code}", otherwise)


async def _later(row: Any, code: str, otherwise: Otherwise) -> None:
    if row["tries"] >= TRIES:
        await _settle(row, NoticeState.REFUSED, code, otherwise)
        return
    await sql.fetch(
        "UPDATE wechat_notices SET state = 'queued', code = $4, next_at = $3 "
        "WHERE id = $1 AND next_at = $2",
        row["id"], row["next_at"], clock.now() + wait_after(row["tries"], WAITS), code,
    )  # fmt: skip
    metrics.notices.labels(row["news"], "postponed").inc()


async def _settle(
    row: Any, state: NoticeState, code: str | None, otherwise: Otherwise | None
) -> None:
    async with transaction():
        done = await sql.fetch(
            "UPDATE wechat_notices SET state = $3, code = $4, next_at = NULL, content = NULL, "
            "settled_at = $5 WHERE id = $1 AND next_at = $2 RETURNING 1",
            row["id"], row["next_at"], state, code, clock.now(),
        )  # fmt: skip
        if done and otherwise:
            await otherwise(row["order_number"])
    if done:
        metrics.notices.labels(row["news"], state).inc()


_FIND_DUE = """
INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key)
SELECT 0, 'queued', 'notify', convert_to('{"notice": "' || due.name || '"}', 'UTF8'), due.key
FROM (
  SELECT m.name, 'notify:' || m.name AS key FROM (
    SELECT replace(id::text, '-', '') AS name FROM wechat_notices
    WHERE next_at <= $1 ORDER BY next_at LIMIT $2) m
  WHERE NOT EXISTS (SELECT 1 FROM pgqueuer j WHERE j.dedupe_key = 'notify:' || m.name
    AND j.status IN ('queued', 'picked'))) due
ON CONFLICT DO NOTHING RETURNING 1
"""


async def find_due() -> int:
    """Messages whose time has come again, or whose job or worker was lost."""
    return len(await sql.fetch(_FIND_DUE, clock.now(), _BATCH))
