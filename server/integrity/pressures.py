"""“被要求好评”: what a citizen reports is protected like a review, and costs him no right to rate.

The supervisor reads it in the queue; the reviewed side never learns of it. Whoever reports follows it
by a query code of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from asyncpg import Record

from server.integrity.models import Pressure, Suspicion
from server.integrity.rules import How, Rule, SuspicionState
from server.integrity.suspicions import Finding, suspect
from server.kit import query_codes as codes
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Fault, Invalid
from server.kit.ids import new_id
from server.kit.privacy import vault
from server.kit.redaction import redact
from server.kit.transaction import transaction
from server.reviews.models import Review
from server.reviews.rules import COUNTING, check_comment
from server.reviews.snapshot import known_to_us


class HowRequired(Invalid):
    code = "how_required"
    title = "请至少选一项，或写下经过"


class AlreadyReported(Conflict):
    code = "already_reported"
    title = "这次服务已经有人反映过，正在核查，不用再提交。补充情况请拨打 12345"


class State(StrEnum):
    """All that who reported is told."""

    RECEIVED = "received"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"


STATE_WORDS = {
    State.RECEIVED: "已收到，正在由监督部门核查",
    State.CONFIRMED: "已核查：您反映的情况属实，已交有关单位按规定处理",
    State.CLEARED: "已核查：现有材料还不能证实您反映的情况。谢谢您告诉我们",
}
_LOOKED_AT = {
    SuspicionState.CONFIRMED: State.CONFIRMED, SuspicionState.CLEARED: State.CLEARED,
}  # fmt: skip


@dataclass(frozen=True)
class Followed:
    receipt: Record
    state: State
    how: list[str]
    reported_at: datetime
    due_at: datetime
    """By then it is looked at."""


_PRESSED = """
INSERT INTO pressures (id, region_code, agency_code, receipt_id, query_key, how, words, at, suspicion_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT DO NOTHING RETURNING 1
"""


async def report(receipt: Any, how: Sequence[How], words: str) -> str:
    """One report and one suspicion in one commit; gives the query code. Of two at once the first
    stands."""
    words, how = check_comment(words), sorted(set(how))
    if not how and not words:
        raise HowRequired(errors=[Fault("how", "how_required", HowRequired.title)])
    now, name = clock.now(), new_id()
    code = codes.query_code(name)
    async with transaction():
        review = await Review.get_or_none(receipt_id=receipt["id"], state__in=list(COUNTING))
        known = known_to_us(receipt, review.contact if review else None)
        stored = await sql.fetch(
            _PRESSED, name, receipt["region_code"], receipt["agency_code"], receipt["id"],
            codes.query_key(code), how, redact(words, known=known) if words else "", now,
        )  # fmt: skip
        if not stored:
            raise AlreadyReported
        # The words are the supervisor's alone: the evidence is read by more than him.
        about = Finding.of(receipt, Rule.PRESSED, review.id if review else None, {"how": how})
        (suspicion_id,) = await suspect([about], now)
        await Pressure.filter(id=name).update(suspicion_id=suspicion_id)
    return code


async def _of(code: str) -> Pressure | None:
    keys = vault().fingerprints(code, "query")
    return await Pressure.get_or_none(query_key__in=keys)


async def is_known(code: str) -> bool:
    return await _of(code) is not None


async def followed(query_code: str) -> Followed:
    """By the code of the report, as he typed it."""
    pressure = await _of(codes.typed(query_code))
    if pressure is None:
        raise codes.UnknownQueryCode
    suspicion = await Suspicion.get(id=pressure.suspicion_id)
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", pressure.receipt_id)
    state = _LOOKED_AT.get(SuspicionState(suspicion.state), State.RECEIVED)
    return Followed(receipt, state, pressure.how, pressure.at, suspicion.due_at)
