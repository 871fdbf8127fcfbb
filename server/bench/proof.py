"""That the floor is honest: a row of the application's and one of the floor's are of one shape."""

from collections.abc import Mapping
from typing import Any

from server.kit import sql

BYTES_APART = 0.10
"""So far the rows' mean sizes may differ."""
_REVIEW = "FROM reviews t JOIN receipts r ON r.id = t.receipt_id WHERE r.case_number LIKE $1"
_ORDER = (
    "FROM work_orders t JOIN reviews v ON v.id = t.origin_key JOIN receipts r ON r.id = v.receipt_id "
    "WHERE r.case_number LIKE $1 AND t.state = '{}'"
)
_STEP = (
    "FROM work_order_steps t JOIN reviews v ON v.order_number = t.order_id "
    "JOIN receipts r ON r.id = v.receipt_id WHERE r.case_number LIKE $1 AND t.move = '{}'"
)
_PUSH = (
    "FROM sms_pushes t WHERE octet_length(t.body) < 1000 "
    "AND get_byte(t.body, 0) = ascii(CASE WHEN $1 LIKE 'app%' THEN 'A' ELSE '[' END) "
    "ORDER BY octet_length(t.body) DESC"
)
"""Of one item. Ours are sealed, the floor's are not."""
_READ_PUSH = (
    "FROM pgqueuer t WHERE t.dedupe_key LIKE "
    "CASE WHEN $1 LIKE 'app%' THEN 'read_push:%' ELSE 'READ_PUSH:%' END"
)
_SMS = (
    "FROM receipts r JOIN reviews v ON v.receipt_id = r.id JOIN questions q ON q.review_id = v.id "
    "JOIN {} WHERE r.case_number LIKE $1 AND v.level = 1"
)
_MESSAGE = _SMS.format("sms_messages t ON t.about = q.id")
_SEND = _SMS.format(
    "sms_messages m ON m.about = q.id "
    "JOIN pgqueuer t ON t.dedupe_key = 'send:' || replace(m.id::text, '-', '')"
)
ROWS: dict[str, tuple[str, str]] = {
    "receipt: receipts": ("new", "FROM receipts t WHERE t.case_number LIKE $1"),
    "batch: receipts": ("many", "FROM receipts t WHERE t.case_number LIKE $1"),
    "submit good: reviews": ("good", _REVIEW),
    "submit bad: reviews": ("bad", _REVIEW),
    "submit bad: work_orders": ("bad", _ORDER.format("assigned")),
    "submit bad: work_order_steps": ("bad", _STEP.format("open")),
    "answer: work_orders": ("answer", _ORDER.format("answered")),
    "answer: work_order_steps": ("answer", _STEP.format("answer")),
    "callback item: sms_pushes": ("up", _PUSH),
    "callback item: pgqueuer": ("up", _READ_PUSH),
    "invitation: questions": ("sms", _SMS.format("questions t ON t.id = q.id")),
    "invitation: sms_phones": ("sms", _SMS.format("sms_phones t ON t.phone_key = q.phone_key")),
    "invitation: pgqueuer": ("sms", _SEND),
    "message sent: sms_messages": ("sms", _MESSAGE),
    "reply: sms_replies": ("sms", _SMS.format("sms_replies t ON t.about = q.id")),
    "reply: reviews": ("sms", _REVIEW + " AND t.level = 1"),
    "reply: work_orders": ("sms", _ORDER.format("assigned")),
    "reply: work_order_steps": ("sms", _STEP.format("open")),
}
"""What is compared → the mark of its receipts, and where its rows are."""


def faults(what: str, app: Mapping[str, Any] | None, floor: Mapping[str, Any] | None) -> list[str]:
    """In words, what the floor stores otherwise than the application."""
    if app is None or floor is None:
        return [f"{what}: {'the application' if app is None else 'the floor'} stored no row"]
    ours, theirs = (
        {name for name, value in row.items() if value is not None} for row in (app, floor)
    )
    found = [f"{what}: the floor leaves {name} empty" for name in sorted(ours - theirs)]
    found += [f"{what}: only the floor stores {name}" for name in sorted(theirs - ours)]
    if abs(floor["row_bytes"] - app["row_bytes"]) > BYTES_APART * app["row_bytes"]:
        found.append(
            f"{what}: {floor['row_bytes']} bytes in the floor's row, {app['row_bytes']} in ours"
        )
    return found


async def differences() -> list[str]:
    found = []
    for what, (mark, where) in ROWS.items():
        statement = f"SELECT t.*, pg_column_size(t.*) AS row_bytes {where} LIMIT 1"
        app = await sql.fetch_one(statement, f"app-{mark}-%")
        floor = await sql.fetch_one(statement, f"floor-{mark}-%")
        found += faults(what, app, floor)
    return found
