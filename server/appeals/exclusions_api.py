"""Doors of the register of exclusions, and of the public that counts them."""

from datetime import date, datetime

from asyncpg import Record
from msgspec import Struct
from sanic import Request

from server.appeals import figures, register
from server.appeals.api import place
from server.appeals.figures import Count, rounded
from server.appeals.rules import AppealState
from server.catalogue.service import catalogue
from server.kit import web
from server.kit.errors import Denied
from server.kit.web import ANYONE, BadQuery, Door, bad_query, local
from server.people.guard import StaffWith
from server.people.rules import Role
from server.people.service import Member
from server.receipts import visits
from server.workorders.api import cursor_of

door = Door("exclusions")


class ExclusionListed(Struct):
    order_number: str | None
    agency_code: str
    agency: str
    matter: str
    level: int
    reason: str
    words: str
    at: datetime
    lifted_at: datetime | None
    by: list[str] | None
    """The two people, for auditors; so with the receipt."""
    receipt_id: str | None


class ExclusionPage(Struct):
    items: list[ExclusionListed]
    next_cursor: str | None


@door.get(
    "/api/v1/exclusions", guard=StaffWith(*sorted(register.READS)), answers={200: ExclusionPage},
    refusals=(BadQuery, Denied),
    query={"limit": "1–200，默认 50", "cursor": "上一页的 next_cursor"},
    summary="不予采纳登记：本地区被剔除的评价，新的在前",
)  # fmt: skip
async def list_exclusions(request: Request, who: Member) -> ExclusionPage:
    limit = web.whole(request, "limit", default=50, low=1, high=200)
    rows = await register.exclusions(who, before=place(request), limit=limit)
    last = rows[limit - 1] if len(rows) > limit else None
    items = [exclusion_listed(row, who) for row in rows[:limit]]
    return ExclusionPage(items, cursor_of(last["at"], str(last["id"])) if last else None)


def exclusion_listed(of: Record, who: Member) -> ExclusionListed:
    audits = who.role is Role.AUDITOR
    return ExclusionListed(
        of["order_number"], of["agency_code"], catalogue().agency_name(of["agency_code"]),
        visits.matter_name(of), of["level"], of["reason"], of["words"], local(of["at"]),
        local(of["lifted_at"]) if of["lifted_at"] else None,
        [of["first"] or "", of["second"] or ""] if audits else None,
        str(of["receipt_id"]) if audits else None,
    )  # fmt: skip


class ExclusionShare(Struct):
    numerator: int
    denominator: int
    """Rounded up to the next five."""
    value: float | None


class AgencyCounted(Struct):
    agency_code: str
    agency: str
    bad_reviews: int
    """Rounded up to the next five."""
    excluded: dict[str, int]
    """By reason."""
    excluded_share: ExclusionShare
    """Of all reviews."""
    appeals: int
    upheld: int
    refused: int
    withdrawn: int
    waiting: int


class ExclusionFigures(Struct):
    region: str | None
    first: date
    last: date
    agencies: list[AgencyCounted]


@door.get(
    "/api/v1/public/exclusions", guard=ANYONE, answers={200: ExclusionFigures},
    refusals=(BadQuery,),
    query={
        "region": "区划代码，含下级；不写是全部", "from": "第一天，如 2026-09-01；默认 90 天",
        "to": "最后一天，最晚到昨天",
    },
    summary="公开：各部门不予采纳的评价、申诉的数量与占比",
)  # fmt: skip
async def public_exclusions(request: Request) -> ExclusionFigures:
    return await figures_asked(request)


async def figures_asked(request: Request) -> ExclusionFigures:
    region = request.args.get("region") or None
    if region is not None and region not in catalogue().regions:
        raise bad_query("region", "没有这个区划代码")
    of = figures.period(_day(request, "from"), _day(request, "to"), figures.today())
    found = await figures.counts(region, of)
    return ExclusionFigures(region, of.first, of.last, [_counted(one) for one in found])


def _day(request: Request, name: str) -> date | None:
    text = request.args.get(name) or ""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad_query(name, "须是 2026-09-01 这样的日期") from None


def _counted(one: Count) -> AgencyCounted:
    all_ = rounded(one.reviews)
    of = one.appeals
    waiting = of.get(AppealState.OPEN, 0) + of.get(AppealState.CONFIRMING, 0)
    return AgencyCounted(
        one.agency_code, catalogue().agency_name(one.agency_code), rounded(one.bad_reviews),
        {str(reason): number for reason, number in one.excluded.items()},
        ExclusionShare(one.left_out, all_, round(one.left_out / all_, 4) if all_ else None),
        sum(of.values()), of.get(AppealState.UPHELD, 0), of.get(AppealState.REFUSED, 0),
        of.get(AppealState.WITHDRAWN, 0), waiting,
    )  # fmt: skip
