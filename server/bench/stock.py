"""Rows by the million, and the receipts and orders that the requests will use up."""

import json
from datetime import datetime, timedelta

from server.bench import ground
from server.bench.channel_floor import key_of
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.privacy import vault

REVIEWED, BAD = 0.40, 0.05
"""Shares of the receipts that the database is filled with."""
COMMENT = "窗口前排队两个多小时，材料退回三次，每次说的要求都不一样，希望一次告知清楚。"
ANSWER = "已核实情况属实：即日起在该窗口增设一名预审人员，材料清单一次性书面告知，并已向您致歉。"


_GOOD = ("5", "4", "满意", "5", "3", "5 态度很好", "非常满意", "５", "5")
_BAD = "1 排队太久，态度很差"


def sealed_applicant(phone: str = "13800138000") -> bytes:
    person = {"kind": 1, "name": "王小明", "phone": phone}
    return vault().seal(json.dumps(person, ensure_ascii=False).encode(), "applicant")


_KEY = "rtrim(encode(decode(md5({0}), 'hex'), 'base64'), '=')"
"""22 characters like a keyed hash."""

_RECEIPTS = f"""
INSERT INTO receipts (region_code, agency_code, case_number, service_number, matter_code, window_code,
  officer_number, stage, channel, handled_at, issued_at, open_until, applicant, phone_key, digest)
SELECT $3, ($4::text[])[1 + i % 4], $1 || lpad(i::text, 9, '0'), 1, ($5::text[])[1 + i % 100],
  ($6::text[])[1 + i % 20], $7, '签收', 'window', at, at, at + interval '7 days', $8,
  {_KEY.format("(i % 50000)::text")}, {_KEY.format("'d' || i")}
FROM generate_series(1, $2::int) AS i
CROSS JOIN LATERAL (SELECT $9::timestamptz + ($10::interval * i / $2::int) AS at) AS moment
RETURNING id
"""  # noqa: S608
_REVIEWS = f"""
INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel, real_name, at,
  undo_until, order_number, query_key)
SELECT uuidv7(r.at - now()), r.id, r.region_code, CASE WHEN r.bad THEN 1 ELSE 3 + (r.id % 3) END,
  CASE WHEN r.bad THEN '{{115}}'::text[] ELSE '{{}}' END, CASE WHEN r.bad THEN $3 ELSE '' END,
  'standing', 'receipt_qr', false, r.at, r.at + interval '10 minutes',
  CASE WHEN r.bad THEN '2025' || upper(substr(md5('o' || r.id), 1, 10)) END,
  {_KEY.format("'q' || r.id")}
FROM (SELECT id, region_code, handled_at + interval '1 hour' AS at, id % 100 < $2 AS bad
      FROM receipts WHERE case_number LIKE $4 AND id % 100 < $1) AS r
"""  # noqa: S608
_ORDERS = """
INSERT INTO work_orders (number, region_code, origin, origin_key, state, outcome, agency_code,
  co_agency_codes, owner_id, matter_code, matter, hall, "window", level, tags, words, real_name,
  opened_on, visible_from, contact_due_at, due_at, provisional, next_due_at, closed_at, contests)
SELECT v.order_number, v.region_code, 'review', v.id,
  CASE WHEN done THEN 'closed' ELSE 'accepted' END, CASE WHEN done THEN 'content' END, r.agency_code,
  '{}', $1, r.matter_code, $2, $3, $4, v.level, v.tags, v.comment, false, v.at::date, v.undo_until,
  v.undo_until + interval '1 day', v.undo_until + interval '5 days', false,
  CASE WHEN NOT done THEN v.undo_until + interval '5 days' END,
  CASE WHEN done THEN v.at + interval '12 days' END, 0
FROM reviews v JOIN receipts r ON r.id = v.receipt_id
CROSS JOIN LATERAL (SELECT v.at < now() - interval '15 days' AS done) AS age
WHERE v.order_number IS NOT NULL AND r.case_number LIKE $5
RETURNING number
"""
_STEPS = """
INSERT INTO work_order_steps (order_id, at, move, state, actor, actor_id, words)
SELECT o.number, o.visible_from + step.n * interval '1 hour', step.move, step.state, step.actor,
  CASE WHEN step.actor = 'handler' THEN o.owner_id END, CASE WHEN step.n > 1 THEN $2 ELSE '' END
FROM work_orders o
CROSS JOIN (VALUES (0, 'open', 'assigned', 'system'), (1, 'accept', 'accepted', 'handler'),
  (3, 'verify', 'accepted', 'handler'), (30, 'answer', 'answered', 'handler'),
  (40, 'confirm', 'closed', 'citizen')) AS step(n, move, state, actor)
JOIN reviews v ON v.id = o.origin_key JOIN receipts r ON r.id = v.receipt_id
WHERE r.case_number LIKE $1 AND (step.n < 2 OR o.closed_at IS NOT NULL)
"""
_HANGING = (
    """INSERT INTO opinions (order_id, round, about, agency_code, satisfied, at)
    SELECT o.number, 1, 'agency', o.agency_code, true, o.closed_at FROM work_orders o
    WHERE o.closed_at IS NOT NULL""",
    """INSERT INTO escalations (order_id, region_code, due_at, rung, at)
    SELECT o.number, o.region_code, o.contact_due_at, 0, o.contact_due_at - interval '1 day'
    FROM work_orders o""",
    """INSERT INTO alerts (staff_id, order_number, kind, words, at, seen_at)
    SELECT o.owner_id, o.number, 'warn', '期限将到，已提醒经办人', o.contact_due_at, o.contact_due_at
    FROM work_orders o""",
)
"""Beside the orders of the past: verdicts, a warning each, and who was warned."""


async def receipts(
    mark: str, count: int, *, since: datetime, span: timedelta, agencies: list[str] | None = None
) -> list[int]:
    """So many receipts with case numbers that begin with the mark, spread over a span."""
    agencies = agencies or [ground.AGENCY] * 4
    rows = await sql.fetch(
        _RECEIPTS, f"{mark}-", count, ground.REGION, agencies, ground.MATTERS[:100], ground.WINDOWS,
        ground.OFFICER, sealed_applicant(), since, span,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def _reviewed(mark: str, owner: int, reviewed: int, bad: int) -> list[str]:
    """Of 100 receipts with this mark so many are reviewed, so many badly and with an order."""
    pattern = f"{mark}-%"
    await sql.fetch(_REVIEWS, reviewed, bad, COMMENT, pattern)
    numbers = await sql.fetch(
        _ORDERS,
        owner,
        ground.MATTER_NAME.format(7),
        ground.HALL,
        ground.WINDOW_NAME.format(7),
        pattern,
    )
    await sql.fetch(_STEPS, pattern, ANSWER)
    return [row["number"] for row in numbers]


async def fill(level: int, owner: int) -> None:
    """The past: a year of receipts of four agencies, some of them reviewed."""
    if level:
        year = timedelta(days=350)
        since = clock.now() - year - timedelta(days=8)
        await receipts("past", level, since=since, span=year, agencies=ground.AGENCIES)
        await _reviewed("past", owner, int(REVIEWED * 100), int(BAD * 100))
        for statement in _HANGING:
            await sql.fetch(statement)


async def open_receipts(mark: str, count: int) -> list[int]:
    """Of the last three days, nobody has reviewed them yet."""
    days = timedelta(days=3)
    return await receipts(mark, count, since=clock.now() - days, span=days - timedelta(hours=2))


async def receipts_to_invite(side: str, count: int) -> dict[int, str]:
    """Receipt → the phone of its applicant, one each."""
    first = 13900000000 if side == "app" else 13950000000
    numbers = await open_receipts(f"{side}-sms", count)
    phones = dict(zip(numbers, map(str, range(first, first + count)), strict=True))
    keyed = vault().fingerprints_of(phones.values(), "phone")
    await sql.fetch(
        "UPDATE receipts r SET applicant = p.applicant, phone_key = p.phone_key "
        "FROM unnest($1::bigint[], $2::bytea[], $3::text[]) AS p(id, applicant, phone_key) "
        "WHERE r.id = p.id",
        numbers, [sealed_applicant(phone) for phone in phones.values()],
        keyed if side == "app" else list(map(key_of, phones.values())),
    )  # fmt: skip
    return phones


def reply(phone: str, number: int) -> dict[str, object]:
    """As the provider pushes it; every tenth is bad, with its reason."""
    return {
        "phone_number": phone, "content": _GOOD[number % 10 - 1] if number % 10 else _BAD,
        "send_time": clock.now().astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        "dest_code": "1069000", "sequence_id": number,
    }  # fmt: skip


async def accepted_orders(mark: str, count: int, owner: int) -> list[str]:
    """Visible to the agency and waiting for its answer."""
    await open_receipts(mark, count)
    return await _reviewed(mark, owner, 100, 100)


async def finish() -> None:
    """As autovacuum and the checkpointer would have left it."""
    for command in ("VACUUM (ANALYZE)", "CHECKPOINT"):
        await sql.fetch(command)
