"""核查: one looks and proposes, a second one decides; or one finds that there is nothing in it."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from server.appeals import exclusion
from server.integrity import suspicions
from server.integrity.models import Look, Suspicion
from server.integrity.rules import (
    NEXT,
    OF_THE_OFFICE,
    UNDECIDED,
    WHO,
    Act,
    Rule,
    SuspicionState,
    excludes,
    reason_of,
    restored,
)
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Denied
from server.kit.transaction import transaction
from server.people.service import Member
from server.receipts.visits import place_of
from server.reviews.models import Review
from server.reviews.rules import ReviewState
from server.workorders import accountability
from server.workorders.accountability import Why
from server.workorders.rules import check_text


class AlreadyLooked(Conflict):
    code = "already_looked"
    title = "这条核查已经有人处理过"


class NotASecondPerson(Denied):
    code = "not_a_second_person"
    title = "提出认定的人不能自己决定，须由另一人决定"


class NotYours(Denied):
    code = "wrong_role"
    title = "您的角色不能这样处理核查"


@dataclass(frozen=True)
class _Held:
    """A suspicion with all that are about the same review, locked; and that review."""

    suspicion: Suspicion
    review: Review | None
    others: list[Suspicion]
    now: datetime


async def propose(member: Member, suspicion_id: int, text: str) -> Suspicion:
    """A supervisor has looked and would confirm it."""
    words = check_text(text)
    async with transaction():
        held = await _hold(member, suspicion_id, Act.PROPOSED)
        of = held.suspicion
        of.proposed_by, of.proposed_at, of.proposal = member.id, held.now, words
        return await _step(of, member, Act.PROPOSED, words, held.now)


async def decide(member: Member, suspicion_id: int, *, agree: bool, text: str = "") -> Suspicion:
    """By somebody else than who proposed it. Who disagrees says why, and it is looked at again."""
    act = Act.AGREED if agree else Act.DISAGREED
    words = text.strip() if agree else check_text(text)
    async with transaction():
        held = await _hold(member, suspicion_id, act)
        if held.suspicion.proposed_by == member.id:
            raise NotASecondPerson
        if agree:
            await _follow(held, member, words)
        return await _step(held.suspicion, member, act, words, held.now)


async def clear(member: Member, suspicion_id: int, text: str) -> Suspicion:
    """Nothing in it, for a reason; the review is in the rankings again at once."""
    words = check_text(text)
    async with transaction():
        held = await _hold(member, suspicion_id, Act.CLEARED)
        if held.suspicion.rule == Rule.OBJECTED and held.review:
            await _restore(held.review)
        return await _step(held.suspicion, member, Act.CLEARED, words, held.now)


async def _hold(member: Member, suspicion_id: int, act: Act) -> _Held:
    """First the review, then all that is suspected of it: whoever decides on two of them at once waits
    here, and not in a circle."""
    found = await suspicions.find(member, suspicion_id)
    if member.role not in WHO[act]:
        raise NotYours
    review = None
    if found.review_id:
        review = await Review.select_for_update().get_or_none(id=found.review_id)
    rows = await sql.fetch(
        "SELECT * FROM suspicions WHERE id = $1 OR review_id = $2 ORDER BY id FOR UPDATE",
        suspicion_id, found.review_id,
    )  # fmt: skip
    locked = [Suspicion._init_from_db(**dict(row)) for row in rows]
    (suspicion,) = (one for one in locked if one.id == suspicion_id)
    if (SuspicionState(suspicion.state), act) not in NEXT:
        raise AlreadyLooked
    return _Held(suspicion, review, [one for one in locked if one.id != suspicion_id], clock.now())


async def _step(of: Suspicion, member: Member, act: Act, words: str, now: datetime) -> Suspicion:
    of.state = NEXT[SuspicionState(of.state), act]
    if of.state not in UNDECIDED:
        of.decided_by, of.decided_at, of.decision = member.id, now, words
    await of.save()
    await Look.create(suspicion_id=of.id, at=now, staff_id=member.id, act=act, words=words)
    return of


async def _follow(held: _Held, member: Member, words: str) -> None:
    """What a confirmed suspicion does: to the review, to the others about it, and to the office."""
    of, review = held.suspicion, held.review
    rule = Rule(of.rule)
    if rule in OF_THE_OFFICE:
        await _hold_to_account(of, member, held.now)
    if review is None or not excludes(rule, review.level, ReviewState(review.state)):
        return
    decision = exclusion.Decision(
        reason=reason_of(rule), words=f"{of.proposal}\n{words}".strip(), first_id=of.proposed_by or 0,
        second_id=member.id, at=held.now,
    )  # fmt: skip
    await exclusion.exclude(review, of.agency_code, decision)
    for other in held.others:
        # What the office did about it is looked at for itself.
        if other.state in UNDECIDED and other.rule not in OF_THE_OFFICE:
            other.proposed_by, other.proposed_at = of.proposed_by, of.proposed_at
            other.proposal = other.proposal or of.proposal
            await _step(other, member, Act.SETTLED, words, held.now)


async def _hold_to_account(of: Suspicion, member: Member, now: datetime) -> None:
    """N40, N47. The number of the suspicion leads supervisors to it; nothing leads to the citizen."""
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", of.receipt_id)
    why = Why.FORCED if of.rule == Rule.PRESSED else Why.FALSIFIED
    _, window = place_of(receipt)
    at = f"（{window.name}）" if window else ""
    await accountability.add_place(
        of.region_code, of.agency_code, receipt["officer_number"], why, now, by_id=member.id,
        words=f"经两人核查认定{_DONE[Rule(of.rule)]}{at}，见核查第 {of.id} 号",
    )  # fmt: skip


_DONE = {
    Rule.PRESSED: "要求群众给好评", Rule.VOIDED: "收到差评后把回执作废",
    Rule.REISSUED: "收到差评后给同一办件另出回执",
}  # fmt: skip


async def _restore(review: Review) -> None:
    """It was the applicant's own after all. Whatever stands on the receipt meanwhile goes on standing,
    and the constraint says so of one that is given in this very moment."""
    if review.state != ReviewState.SUSPENDED:
        return
    try:
        async with transaction():
            await sql.fetch(
                "UPDATE reviews SET state = $2 WHERE id = $1", review.id,
                str(restored(review.level, review.order_number)),
            )  # fmt: skip
    except asyncpg.UniqueViolationError:
        return
