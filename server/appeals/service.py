"""The reviewed side's desk, and who sees what of a case."""

from dataclasses import dataclass
from datetime import datetime

from server.appeals import cases, rules, sides, telling
from server.appeals.models import Appeal
from server.appeals.refusals import AlreadyAppealed, NoOpenAppeal, NotAppealable, UnknownOfficer
from server.appeals.rules import AppealState, Round
from server.catalogue.service import catalogue
from server.kit.clock import clock
from server.kit.errors import Fault, Refusal
from server.kit.transaction import transaction
from server.people.rules import OF_AN_AGENCY, Role
from server.people.service import Member
from server.reviews.models import Review
from server.reviews.rules import Excluded, ReviewState
from server.reviews.snapshot import CALL_BACK, ON_THE_WALL, ORIGIN
from server.workorders import moves
from server.workorders.models import WorkOrder
from server.workorders.rules import WrongRole, check_text

OF_A_REVIEW = frozenset({ORIGIN, CALL_BACK, ON_THE_WALL})
"""Orders behind which a bad review stands; a call-back's “no” is not one."""


@dataclass(frozen=True, kw_only=True)
class Filing:
    ground: Excluded
    text: str
    officer_number: str | None = None


async def file(member: Member, number: str, filing: Filing) -> Appeal:
    """举证解释、申诉申辩: once a review. Its order goes on, and the review counts until two have ruled."""
    words = check_text(filing.text)
    async with transaction():
        order = await moves.find(member, number)
        _check_lead(member, order)
        review = await _review_of(order, lock=True)
        now = clock.now()
        _check(order, review, now)
        officer = await _officer(review, filing.officer_number)
        appeal = await cases.store(
            review, Round.APPEAL, words, now, agency_code=order.agency_code, by_id=member.id,
            officer_number=officer, ground=filing.ground,
        ) if review else None  # fmt: skip
        if appeal is None:
            raise AlreadyAppealed
        await telling.filed(appeal, now)
        await telling.appealed(appeal, now)
        return appeal


def _check_lead(member: Member, order: WorkOrder) -> None:
    if member.role not in OF_AN_AGENCY or member.agency_code != order.agency_code:
        raise WrongRole("由牵头部门的经办人或负责人申诉")


async def _review_of(order: WorkOrder, *, lock: bool = False) -> Review | None:
    if order.origin not in OF_A_REVIEW:
        return None
    of = Review.select_for_update() if lock else Review
    return await of.filter(id=order.origin_key).first()


def _check(order: WorkOrder, review: Review | None, now: datetime) -> None:
    if review and review.order_number != order.number:
        raise NotAppealable("这张工单已经重新派出，以新的工单为准")
    rules.check_appeal(
        of_a_review=review is not None, level=order.level,
        state=ReviewState(review.state) if review else ReviewState.STANDING,
        until=cases.last_day(order.region_code, order.visible_from).at, now=now,
    )  # fmt: skip


async def _officer(review: Review | None, number: str | None) -> str | None:
    """Of the agency that handled the case, as the catalogue knows him."""
    typed = (number or "").strip()
    if not typed or review is None:
        return None
    receipt = await review.receipt
    if (receipt.agency_code, typed) not in catalogue().officers:
        raise UnknownOfficer(
            errors=[Fault("officer_number", UnknownOfficer.code, UnknownOfficer.title)]
        )
    return typed


async def withdraw(member: Member, number: str) -> Appeal:
    """By who made it, or his lead; while nobody has ruled."""
    async with transaction():
        order = await moves.find(member, number)
        _check_lead(member, order)
        found = await _standing(order)
        if found is None:
            raise NoOpenAppeal
        _, appeal = await cases.lock(found)
        if appeal.state != AppealState.OPEN:
            raise NoOpenAppeal
        if member.role is not Role.AGENCY_LEAD and member.id != appeal.by_id:
            raise WrongRole("由提出申诉的人或部门负责人撤回")
        await cases.end(appeal, AppealState.WITHDRAWN, "申诉方撤回", clock.now())
        return appeal


async def _standing(order: WorkOrder) -> Appeal | None:
    """The agency's, not withdrawn."""
    found = Appeal.filter(order_number=order.number, round=Round.APPEAL)
    return await found.exclude(state=AppealState.WITHDRAWN).first()


@dataclass(frozen=True)
class Side:
    """What the reviewed side knows of the cases about one order."""

    cases: list[Appeal]
    until: datetime
    refusal: str
    """Why it may not appeal now; empty if it may."""
    may_withdraw: bool
    others: list[str]
    """Orders that the same review had or has, before or after an objection."""


async def of_order(member: Member, order: WorkOrder) -> Side:
    """For the lead agency and its supervisor; a co-handler is no party."""
    if member.role in OF_AN_AGENCY:
        _check_lead(member, order)
    review = await _review_of(order)
    found = await cases.of_review(review.id) if review else []
    mine = next((a for a in found if a.state == AppealState.OPEN and a.by_id), None)
    lead = member.role is Role.AGENCY_LEAD
    return Side(
        found, cases.last_day(order.region_code, order.visible_from).at,
        await _why_not(member, order, review, found),
        mine is not None and (lead or mine.by_id == member.id),
        await _others(order) if len(found) > 1 else [],
    )  # fmt: skip


async def _others(order: WorkOrder) -> list[str]:
    same = WorkOrder.filter(origin=order.origin, origin_key=order.origin_key)
    return [one.number for one in await same.exclude(number=order.number).order_by("visible_from")]


async def _why_not(
    member: Member, order: WorkOrder, review: Review | None, found: list[Appeal]
) -> str:
    try:
        _check_lead(member, order)
        _check(order, review, clock.now())
    except Refusal as refusal:
        return refusal.detail
    counted = [a for a in found if a.round == Round.APPEAL and a.state != AppealState.WITHDRAWN]
    return AlreadyAppealed.title if counted else ""


# Who sees what


async def sees_evidence(member: Member, appeal: Appeal) -> bool:
    """Those who may rule it, and the supervisor while, and after, he had to confirm it. What was taken
    back nobody rules."""
    if appeal.region_code not in catalogue().within(member.region_code):
        return False
    if appeal.state == AppealState.WITHDRAWN:
        return False
    if member.role is Role.SUPERVISOR:
        return appeal.state == AppealState.CONFIRMING or appeal.confirmed_by == member.id
    return member.role is Role.ADJUDICATOR and not await sides.bias_of(member, appeal)


async def sees_case(member: Member, appeal: Appeal) -> bool:
    """Its words, the statement, the votes: as the evidence, and the auditor all but that."""
    return member.role is Role.AUDITOR or await sees_evidence(member, appeal)
