"""A case as each side may read it. Nothing here says who the citizen is."""

from collections.abc import Callable
from datetime import date, datetime, time

from msgspec import Struct

from server.appeals import adjudication, cases, exclusion, persons, rules, service, sides
from server.appeals.about import mask_of, seen_of
from server.appeals.models import Appeal, Exclusion, Vote
from server.appeals.refusals import NotImpartial
from server.appeals.rules import ENDED, AppealState, Round
from server.catalogue.service import catalogue
from server.kit.clock import BEIJING, clock
from server.kit.errors import Refusal
from server.kit.web import local
from server.people.models import Staff
from server.people.rules import Role
from server.people.service import Member
from server.reviews.models import Review
from server.workorders import shown as orders
from server.workorders.shown import StepShown


class AppealShown(Struct):
    """To the reviewed side: its own case, and that the citizen has objected."""

    id: str
    round: str
    state: str
    ground: str | None
    text: str
    """Empty of an objection: what the citizen says there is for those who rule."""
    officer_number: str | None
    at: datetime
    due_at: datetime
    provisional: bool
    reason: str | None
    ruling: str | None
    ruled_at: datetime | None


class CaseListed(Struct):
    id: str
    round: str
    state: str
    order_number: str
    agency_code: str
    agency: str
    ground: str | None
    at: datetime
    due_at: datetime
    provisional: bool
    overdue: bool
    voted: bool
    """By the one who asks."""
    why_not: str
    """What keeps him from ruling; empty if nothing."""


class VoteShown(Struct):
    mine: bool
    by: str | None
    """The name, for auditors."""
    upheld: bool | None
    """Null: he stood back."""
    reason: str | None
    text: str
    at: datetime


class CaseShown(CaseListed):
    matter: str
    hall: str
    window: str
    day: date
    level: int
    tags: list[str]
    tag_texts: list[str]
    words: str
    real_name: bool
    text: str
    """Of the appellant: the agency, or in an objection the citizen, redacted."""
    officer_number: str | None
    statement: str | None
    statement_until: datetime | None
    may_vote: bool
    waits_for: str
    """Why nobody can rule yet."""
    steps: list[StepShown]
    votes: list[VoteShown]
    """His own, and the other's once he has given his own or the case has ended."""
    votes_given: int
    excluded_as: str | None
    """Of an objection: the reason of the exclusion that it is against."""
    first_ruling: str | None
    first_case: str | None
    """Of an objection: the appeal before it, what it said, and the citizen's statement."""
    first_text: str | None
    first_statement: str | None
    earlier_findings: int | None
    """Of a case that a supervisor has to confirm: reviews of the same person found malicious before."""
    reason: str | None
    ruling: str | None
    ruled_at: datetime | None


def appeal_shown(appeal: Appeal) -> AppealShown:
    ours = appeal.round == Round.APPEAL
    state = AppealState(appeal.state)
    # That a supervisor has to confirm says something about the citizen.
    open_ = state is AppealState.CONFIRMING
    return AppealShown(
        str(appeal.id), appeal.round, AppealState.OPEN if open_ else state, appeal.ground,
        appeal.words if ours else "", appeal.officer_number, _filed(appeal), local(appeal.due_at),
        appeal.provisional, None if open_ else appeal.reason, appeal.ruling,
        local(appeal.ruled_at) if appeal.ruled_at else None,
    )  # fmt: skip


def _filed(appeal: Appeal) -> datetime:
    """Of a citizen's objection only the day: the hour could tell who he was."""
    at = local(appeal.at)
    return at if appeal.round == Round.APPEAL else datetime.combine(at.date(), time(), BEIJING)


async def cases_listed(member: Member, appeals: list[Appeal]) -> list[CaseListed]:
    biases = {}
    if member.role is Role.ADJUDICATOR:
        biases = await sides.biases(member, appeals)
    ids = [appeal.id for appeal in appeals]
    mine = await Vote.filter(appeal_id__in=ids, staff_id=member.id, upheld__isnull=False)
    voted = {vote.appeal_id for vote in mine}
    return [
        CaseListed(**_listed(appeal, appeal.id in voted, biases.get(appeal.id, "")))  # type: ignore[arg-type]
        for appeal in appeals
    ]


def _listed(appeal: Appeal, voted: bool, why_not: str) -> dict[str, object]:
    over = appeal.state in ENDED
    return {
        "id": str(appeal.id), "round": appeal.round, "state": appeal.state,
        "order_number": appeal.order_number, "agency_code": appeal.agency_code,
        "agency": catalogue().agency_name(appeal.agency_code), "ground": appeal.ground,
        "at": _filed(appeal), "due_at": local(appeal.due_at), "provisional": appeal.provisional,
        "overdue": not over and appeal.due_at < clock.now(), "voted": voted, "why_not": why_not,
    }  # fmt: skip


async def case_shown(member: Member, appeal: Appeal) -> CaseShown:
    """Raises NotImpartial for who may not read it."""
    votes = await Vote.filter(appeal_id=appeal.id).order_by("id")
    docket = await adjudication.docket(member, appeal, votes)
    if not await service.sees_case(member, appeal):
        why = docket.bias if member.role is Role.ADJUDICATOR else "这件申诉现在没有要您办的事"
        raise NotImpartial(f"{why}，不能查看案情")
    review = await Review.get(id=appeal.review_id)
    seen = await seen_of(review)
    objected = appeal.round == Round.OBJECTION
    against = await exclusion.latest(appeal.review_id) if objected else None
    before = await cases.first(against.case_id) if against else None
    mask = await mask_of(review)
    confirming = appeal.state == AppealState.CONFIRMING and member.role is Role.SUPERVISOR
    return CaseShown(
        **_listed(appeal, docket.voted, docket.bias),  # type: ignore[arg-type]
        matter=seen.matter, hall=seen.hall, window=seen.window, day=seen.opened_on,
        level=review.level, tags=seen.tags,
        tag_texts=[catalogue().tag_text(tag) for tag in seen.tags], words=seen.words,
        real_name=review.real_name, text=mask(appeal.words), officer_number=appeal.officer_number,
        statement=appeal.statement,
        statement_until=local(appeal.statement_until) if appeal.statement_until else None,
        may_vote=member.role is Role.ADJUDICATOR and _may_vote(docket),
        waits_for=_waits_for(docket), steps=await _steps(member, appeal, mask),
        votes=await _votes(member, appeal, votes),
        votes_given=sum(vote.upheld is not None for vote in votes),
        earlier_findings=await persons.earlier_findings(review) if confirming else None,
        reason=appeal.reason, ruling=appeal.ruling,
        ruled_at=local(appeal.ruled_at) if appeal.ruled_at else None,
        **_first_round(against, before, mask),  # type: ignore[arg-type]
    )  # fmt: skip


def _first_round(
    against: Exclusion | None, before: Appeal | None, mask: Callable[[str], str]
) -> dict[str, str | None]:
    """What an objection is raised against."""
    return {
        "excluded_as": against.reason if against else None,
        "first_ruling": against.words if against else None,
        "first_case": str(before.id) if before else None,
        "first_text": mask(before.words) if before else None,
        "first_statement": before.statement if before else None,
    }


def _may_vote(docket: rules.Docket) -> bool:
    try:
        rules.check_ruler(docket)
    except Refusal:
        return False
    return not rules.may_still_state(docket.statement_given, docket.statement_until, clock.now())


def _waits_for(docket: rules.Docket) -> str:
    if docket.state is not AppealState.OPEN:
        return ""
    if rules.may_still_state(docket.statement_given, docket.statement_until, clock.now()):
        return "群众的说明"
    called = docket.must_be_called and docket.round is Round.APPEAL
    return "实名差评的回访（回访之前不能支持申诉）" if called else ""


async def _steps(member: Member, appeal: Appeal, mask: Callable[[str], str]) -> list[StepShown]:
    order = await cases.order_of(appeal)
    steps = orders.shown(await orders.whole(order), member).steps if order else []
    for step in steps:
        step.words = mask(step.words)
    return steps


async def _votes(member: Member, appeal: Appeal, votes: list[Vote]) -> list[VoteShown]:
    open_to_all = appeal.state != AppealState.OPEN
    auditor = member.role is Role.AUDITOR
    mine = any(vote.staff_id == member.id and vote.upheld is not None for vote in votes)
    names = {}
    if auditor:
        found = await Staff.filter(id__in=[vote.staff_id for vote in votes])
        names = {staff.id: staff.name for staff in found}
    return [
        VoteShown(
            vote.staff_id == member.id, names.get(vote.staff_id), vote.upheld, vote.reason,
            vote.words, local(vote.at),
        )
        for vote in votes if open_to_all or mine or vote.staff_id == member.id
    ]  # fmt: skip
