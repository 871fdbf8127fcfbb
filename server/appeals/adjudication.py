"""The third role: two who belong to neither side, each without having read the other."""

from dataclasses import dataclass
from datetime import datetime

from server.appeals import cases, exclusion, persons, rules, sides, telling
from server.appeals.exclusion import Decision
from server.appeals.models import Appeal, Vote
from server.appeals.refusals import AlreadyVoted, NotConfirming, NotImpartial, ReviewReplaced
from server.appeals.rules import AppealState, Ballot, Docket, Outcome, Round
from server.kit import sql
from server.kit.clock import clock
from server.kit.transaction import transaction
from server.people.rules import Role
from server.people.service import Member
from server.reviews import callbacks
from server.reviews.models import Review
from server.reviews.rules import EXCLUDED_NAMES, Excluded
from server.workorders.models import WorkOrder
from server.workorders.rules import WrongRole, check_text


@dataclass
class Case:
    """Locked, with what hangs on it."""

    appeal: Appeal
    review: Review
    votes: list[Vote]
    now: datetime


async def _held(appeal: Appeal) -> Case:
    review, locked = await cases.lock(appeal)
    votes = await Vote.filter(appeal_id=locked.id).order_by("id")
    return Case(locked, review, votes, clock.now())


async def docket(member: Member, appeal: Appeal, votes: list[Vote]) -> Docket:
    """As the case stands for this member."""
    order = await cases.order_of(appeal)
    return Docket(
        round=Round(appeal.round), state=AppealState(appeal.state),
        bias=await sides.bias_of(member, appeal),
        voted=any(vote.staff_id == member.id for vote in votes),
        statement_given=appeal.statement_at is not None, statement_until=appeal.statement_until,
        must_be_called=bool(order) and await must_be_called(order),
    )  # fmt: skip


async def must_be_called(order: WorkOrder | None) -> bool:
    """A real-name review whose citizen was not called back, and not tried on enough days."""
    if order is None or not order.real_name or order.called_back_at:
        return False
    return not await callbacks.done_for(order.number)


def _check_role(member: Member) -> None:
    if member.role is not Role.ADJUDICATOR:
        raise WrongRole("由复核员裁定")


async def vote(member: Member, appeal_id: str, ballot: Ballot, text: str) -> Appeal:
    """The second one decides, in the same commit with all that follows."""
    words = check_text(text)
    found = await cases.find(member, appeal_id)
    _check_role(member)
    async with transaction():
        case = await _held(found)
        rules.check_vote(await docket(member, case.appeal, case.votes), ballot, case.now)
        await _write(member, case, words, ballot)
        result = rules.outcome(Round(case.appeal.round), _ballots(case.votes))
        if result:
            await _conclude(case, result)
        return case.appeal


async def recuse(member: Member, appeal_id: str, reason: str) -> Appeal:
    """回避: he names why, and another rules."""
    words = check_text(reason)
    found = await cases.find(member, appeal_id)
    _check_role(member)
    async with transaction():
        case = await _held(found)
        rules.check_ruler(await docket(member, case.appeal, case.votes))
        await _write(member, case, words, None)
        if len(await sides.rulers(case.appeal)) < rules.RULERS:
            await telling.filed(case.appeal, case.now)
        return case.appeal


_VOTE = """
INSERT INTO appeal_votes (appeal_id, staff_id, at, upheld, reason, words)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING *
"""


async def _write(member: Member, case: Case, words: str, ballot: Ballot | None) -> None:
    row = await sql.fetch_one(
        _VOTE, case.appeal.id, member.id, case.now, ballot.upheld if ballot else None,
        ballot.reason if ballot else None, words,
    )  # fmt: skip
    if row is None:
        raise AlreadyVoted
    case.votes.append(Vote._init_from_db(**dict(row)))


def _counted(votes: list[Vote]) -> list[Vote]:
    return [vote for vote in votes if vote.upheld is not None]


def _ballots(votes: list[Vote]) -> list[Ballot]:
    return [
        Ballot(bool(vote.upheld), Excluded(vote.reason) if vote.reason else None)
        for vote in _counted(votes)
    ]


def _ruling(case: Case) -> str:
    """What both wrote, for both sides to read."""
    return "\n".join(vote.words for vote in _counted(case.votes))


async def _conclude(case: Case, result: Outcome) -> None:
    if case.appeal.round == Round.OBJECTION:
        await _rule_on_objection(case, result)
    elif not result.upheld:
        await _refuse(case, _ruling(case))
    elif rules.needs_confirmation(result, await persons.earlier_findings(case.review)):
        case.appeal.state, case.appeal.reason = AppealState.CONFIRMING, result.reason
        await case.appeal.save(update_fields=["state", "reason"])
        await telling.to_confirm(case.appeal, case.now)
    else:
        await _uphold(case, result.reason, _ruling(case))


async def _refuse(case: Case, ruling: str, **more: int) -> None:
    """The review stands."""
    await cases.end(case.appeal, AppealState.REFUSED, ruling, case.now, reason=None, **more)
    await telling.ruled(case.appeal, f"申诉没有得到支持，评价照常计入：{ruling}", case.now)


async def _uphold(case: Case, reason: Excluded | None, ruling: str, **more: int) -> None:
    assert reason is not None
    first, second = (vote.staff_id for vote in _counted(case.votes))
    await cases.end(case.appeal, AppealState.UPHELD, ruling, case.now, reason=reason, **more)
    await exclusion.exclude(case.review, case.appeal.agency_code, Decision(
        reason=reason, words=ruling, first_id=first, second_id=second, at=case.now,
        case_id=case.appeal.id,
    ))  # fmt: skip
    words = f"申诉得到支持，评价不予采纳（{EXCLUDED_NAMES[reason]}）"
    await telling.ruled(case.appeal, words, case.now)


REPLACED = "这次服务已经有了新的评价，以新的为准，旧的评价不再恢复。"


async def _rule_on_objection(case: Case, result: Outcome) -> None:
    ruling = _ruling(case)
    excluded = await exclusion.standing(case.review.id, lock=True)
    if result.upheld and excluded:
        try:
            await exclusion.lift(case.review, excluded, case.now)
        except ReviewReplaced:
            ruling = f"{REPLACED}\n{ruling}"
        else:
            await cases.end(case.appeal, AppealState.UPHELD, ruling, case.now)
            return
    await cases.end(case.appeal, AppealState.REFUSED, ruling, case.now)


async def confirm(member: Member, appeal_id: str, upheld: bool, text: str) -> Appeal:
    """Of a person of whom it was found before: a supervisor, who is none of the two."""
    words = check_text(text)
    found = await cases.find(member, appeal_id)
    if member.role is not Role.SUPERVISOR:
        raise WrongRole("由督办员确认")
    async with transaction():
        case = await _held(found)
        if case.appeal.state != AppealState.CONFIRMING:
            raise NotConfirming
        if any(vote.staff_id == member.id for vote in case.votes):
            raise NotImpartial("您是裁定的复核员之一，须由别的督办员确认")
        ruling = f"{_ruling(case)}\n督办员：{words}"
        if upheld:
            await _uphold(case, Excluded.MALICIOUS, ruling, confirmed_by=member.id)
        else:
            await _refuse(case, ruling, confirmed_by=member.id)
        return case.appeal
