"""A suspicion as supervisors, adjudicators and auditors read it: the verdict and the trace, never the
person. Of the rating only the day is told."""

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from server.catalogue.service import catalogue
from server.integrity import suspicions
from server.integrity.findings import sentence
from server.integrity.models import Look, Pressure, Suspicion
from server.integrity.rules import (
    ACT_NAMES,
    RULE_NAMES,
    STATE_NAMES,
    UNDECIDED,
    Act,
    Rule,
    SuspicionState,
    may,
)
from server.kit import sql
from server.kit.clock import clock
from server.kit.redaction import redact
from server.kit.web import local
from server.people.models import Staff
from server.people.rules import ROLE_NAMES, Role
from server.people.service import Member
from server.receipts import visits, voiding
from server.receipts.models import Void
from server.receipts.voiding import VoidState
from server.reviews.models import Review
from server.reviews.service import redacted
from server.reviews.snapshot import known_to_us


class SuspicionListed(Struct):
    id: int
    rule: str
    rule_name: str
    state: str
    state_name: str
    agency_code: str
    agency: str
    window: str
    level: int | None
    """Empty where nobody has rated."""
    evidence: str
    found_on: date
    due_at: datetime
    overdue: bool


class SuspectedReview(Struct):
    level: int
    tags: list[str]
    tag_texts: list[str]
    words: str
    channel: str
    state: str
    day: date
    order_number: str | None


class LookShown(Struct):
    at: datetime
    act: str
    what: str
    by: str
    words: str


_SYSTEM = "部门的业务系统"
_VOID_NAMES = {
    VoidState.ASKED: "待另一人决定", VoidState.VOIDED: "已作废",
    VoidState.REFUSED: "没有同意",
}  # fmt: skip


class VoidShown(Struct):
    reason: str
    state: str
    state_name: str
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    words: str


class SuspicionShown(SuspicionListed):
    matter: str
    report: str
    """What a citizen wrote who was asked for praise; redacted, and for those alone who decide."""
    review: SuspectedReview | None
    voids: list[VoidShown]
    """What was asked about the receipt, where the rule is about that."""
    others: list[SuspicionListed]
    """About the same receipt."""
    group: list[SuspicionListed]
    """Of the same rule at the same window, the nearest."""
    group_count: int
    looks: list[LookShown]
    may: list[str]


async def listed(found: Sequence[Suspicion]) -> list[SuspicionListed]:
    rows = await sql.fetch(
        "SELECT id, level FROM reviews WHERE id = ANY($1::uuid[])",
        [one.review_id for one in found if one.review_id],
    )
    levels = {row["id"]: row["level"] for row in rows}
    return [_listed(one, levels.get(one.review_id)) for one in found]


def _listed(one: Suspicion, level: int | None) -> SuspicionListed:
    known, rule, state = catalogue(), Rule(one.rule), SuspicionState(one.state)
    window = known.windows.get((one.agency_code, one.window_code or ""))
    return SuspicionListed(
        one.id, rule, RULE_NAMES[rule], state, STATE_NAMES[state], one.agency_code,
        known.agency_name(one.agency_code), window.name if window else one.window_code or "", level,
        sentence(rule, one.evidence), local(one.at).date(), local(one.due_at),
        state in UNDECIDED and one.due_at < clock.now(),
    )  # fmt: skip


async def whole(one: Suspicion, member: Member) -> SuspicionShown:
    (head,) = await listed([one])
    review = await Review.get_or_none(id=one.review_id) if one.review_id else None
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", one.receipt_id)
    many, group = await suspicions.of_same_group(one)
    doors = may(SuspicionState(one.state), member.role, one.proposed_by == member.id)
    return SuspicionShown(
        **{name: getattr(head, name) for name in SuspicionListed.__struct_fields__},
        matter=visits.matter_name(receipt), report=await _report(one, receipt, member),
        review=await _review(review) if review else None, voids=await _voids(one),
        others=await listed(await suspicions.about_same(one)), group=await listed(group),
        group_count=many, looks=await _looks(await suspicions.looks(one)), may=doors,
    )  # fmt: skip


async def _review(review: Review) -> SuspectedReview:
    said = [review.comment, review.supplement or ""]
    words = [await redacted(review, one) for one in said if one]
    return SuspectedReview(
        review.level, review.tags, [catalogue().tag_text(code) for code in review.tags],
        "\n".join(words), review.channel, review.state, local(review.at).date(), review.order_number,
    )  # fmt: skip


async def _voids(one: Suspicion) -> list[VoidShown]:
    return await described(await voiding.history(one.receipt_id)) if one.rule == Rule.VOIDED else []


async def _report(one: Suspicion, receipt: object, member: Member) -> str:
    if one.rule != Rule.PRESSED or member.role is Role.AUDITOR:
        return ""
    told = await Pressure.get_or_none(receipt_id=one.receipt_id)
    return redact(told.words, known=known_to_us(receipt, None)) if told and told.words else ""


async def _looks(found: Sequence[Look]) -> list[LookShown]:
    staff = await Staff.filter(id__in={look.staff_id for look in found})
    names = {one.id: f"{ROLE_NAMES[Role(one.role)]} {one.name}" for one in staff}
    return [
        LookShown(
            local(look.at), look.act, ACT_NAMES[Act(look.act)], names.get(look.staff_id, ""), look.words
        )
        for look in found
    ]  # fmt: skip


async def described(voids: list[Void]) -> list[VoidShown]:
    """With the names of those who asked and decided."""
    asked = {void.id: _staff_id(void.asked_by) for void in voids}
    ids = {*asked.values(), *(void.decided_by for void in voids)} - {None}
    names = {staff.id: staff.name for staff in await Staff.filter(id__in=ids)}
    return [
        VoidShown(
            void.reason, void.state, _VOID_NAMES[VoidState(void.state)],
            names.get(asked[void.id] or 0, "") if asked[void.id] else _SYSTEM, local(void.asked_at),
            names.get(void.decided_by or 0, ""),
            local(void.decided_at) if void.decided_at else None, void.words,
        )
        for void in voids
    ]  # fmt: skip


def _staff_id(scope: str) -> int | None:
    kind, _, name = scope.partition(":")
    return int(name) if kind == "staff" else None
