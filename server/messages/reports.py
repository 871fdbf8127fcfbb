"""What the provider tells us afterwards of messages that it took."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record

from server.kit import metrics, sql
from server.kit.clock import clock
from server.kit.transaction import transaction
from server.messages.rules import FINAL, MessageState
from server.messages.steps import settled_by
from sms.gateway import Report


async def apply_reports(reports: Sequence[Report]) -> int:
    """Settles what they tell of; doubled, late and contradicting ones are counted and change
    nothing. Gives how many messages were settled."""
    async with transaction():
        messages = await _told_of(reports)
        settled: dict[UUID, Report] = {}
        for report in reports:
            message = messages.of(report)
            result = _take(report, message)
            metrics.reports.labels(result).inc()
            if message and result == "settled":
                settled[message["id"]] = report
        if settled:
            await _settle(settled)
    for message_id, report in settled.items():
        purpose = messages.by_id[message_id]["purpose"]
        outcome = MessageState.DELIVERED if report.delivered else MessageState.FAILED
        metrics.messages.labels(purpose, outcome).inc()
    return len(settled)


class _Messages:
    def __init__(self, rows: Sequence[Record]) -> None:
        self.by_id: dict[UUID, dict[str, Any]] = {row["id"]: dict(row) for row in rows}
        self._by_provider = {m["provider_id"]: m for m in self.by_id.values() if m["provider_id"]}

    def of(self, report: Report) -> dict[str, Any] | None:
        ours = _our_id(report.out_id)
        if ours and ours in self.by_id:
            return self.by_id[ours]
        return self._by_provider.get(report.provider_id)


async def _told_of(reports: Sequence[Report]) -> _Messages:
    """Locked until the end of the transaction, in one order for all who come with reports."""
    return _Messages(await sql.fetch(
        "SELECT id, state, purpose, sent_at, provider_id FROM sms_messages "
        "WHERE id = ANY($1) OR provider_id = ANY($2) ORDER BY id FOR UPDATE",
        [ours for report in reports if (ours := _our_id(report.out_id))],
        [report.provider_id for report in reports if report.provider_id],
    ))  # fmt: skip


def _our_id(out_id: str | None) -> UUID | None:
    """The account may send for others, whose OutIds are none of ours."""
    try:
        return UUID(hex=out_id) if out_id and len(out_id) == 32 else None
    except ValueError:
        return None


def _take(report: Report, message: dict[str, Any] | None) -> str:
    """What the report is to us; one that settles its message does so for those that follow."""
    if message is None:
        return "unknown"
    state = MessageState(message["state"])
    if after := settled_by(report, state, message["sent_at"]):
        message["state"] = after
        return "settled"
    if state not in FINAL:
        return "outdated"
    told = MessageState.DELIVERED if report.delivered else MessageState.FAILED
    return "repeated" if state is told else "contradicting"


async def _settle(settled: dict[UUID, Report]) -> None:
    await sql.fetch(
        "UPDATE sms_messages m SET code = r.code, next_at = NULL, settled_at = $1, "
        "state = CASE WHEN r.delivered THEN 'delivered' ELSE 'failed' END, "
        "sent_at = coalesce(m.sent_at, r.at, $1), provider_id = coalesce(r.provider_id, m.provider_id) "
        "FROM unnest($2::uuid[], $3::bool[], $4::text[], $5::timestamptz[], $6::text[]) "
        "AS r(id, delivered, code, at, provider_id) WHERE m.id = r.id",
        clock.now(), list(settled), [r.delivered for r in settled.values()],
        [r.code or None for r in settled.values()], [r.at for r in settled.values()],
        [r.provider_id for r in settled.values()],
    )  # fmt: skip
