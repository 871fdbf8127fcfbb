"""The supervisor's doors: the ladder with its counts, and the accountability record."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.kit.errors import Denied
from server.kit.forms import Form
from server.kit.web import BadQuery, Door, bad_query, flag, local, whole
from server.people.guard import StaffWith
from server.people.rules import SEES_ORDERS, Role
from server.people.service import Member
from server.workorders import accountability, api, supervision
from server.workorders.accountability import (
    WHY_NAMES,
    AlreadyFollowed,
    AlreadyListed,
    UnknownRecord,
    Why,
)
from server.workorders.models import Accountability
from server.workorders.rules import BlankText, WrongRole
from server.workorders.service import UnknownOrder
from server.workorders.supervision import VIEW_NAMES, UnknownView

door = Door("supervision")
DESK = StaffWith(*sorted(SEES_ORDERS))
EYES = StaffWith(*sorted(SEES_ORDERS | {Role.AUDITOR}))
READERS = StaffWith(Role.SUPERVISOR, Role.AUDITOR)
SUPERVISOR = StaffWith(Role.SUPERVISOR)
Text = Annotated[str, Meta(max_length=2000)]


class View(Struct):
    view: str
    name: str
    count: int


class Views(Struct):
    items: list[View]


class RecordShown(Struct):
    id: int
    agency_code: str
    agency: str
    order_number: str | None
    officer_number: str | None
    why: str
    why_name: str
    words: str
    at: datetime
    by_rule: bool
    followed: str | None
    """What came of it; empty while nothing has."""
    followed_at: datetime | None


class RecordPage(Struct):
    items: list[RecordShown]
    next_cursor: str | None


class FollowForm(Form):
    text: Text


class ListForm(Form):
    why: Why
    text: Text


def record_shown(record: Accountability) -> RecordShown:
    return RecordShown(
        record.id, record.agency_code, catalogue().agency_name(record.agency_code),
        record.order_number, record.officer_number, record.why, WHY_NAMES[Why(record.why)],
        record.words, local(record.at), record.by_id is None, record.followed,
        local(record.followed_at) if record.followed_at else None,
    )  # fmt: skip


@door.get(
    "/api/v1/supervision", guard=EYES, answers={200: Views}, refusals=(Denied,),
    summary="核实库、督办库、问责等视图各有多少（与清单同一口径）",
)  # fmt: skip
async def supervision_views(request: Request, who: Member) -> Views:
    counts = await supervision.views(who)
    return Views([View(view, VIEW_NAMES[view], count) for view, count in counts.items()])


@door.get(
    "/api/v1/supervision/<view>", guard=DESK, answers={200: api.OrderPage},
    refusals=(UnknownView, BadQuery, Denied),
    query={"limit": "1–200，默认 50", "cursor": "上一页的 next_cursor"},
    summary="一个视图中的工单，按最近的期限；问责（account）见 /api/v1/accountability",
)  # fmt: skip
async def supervision_view(request: Request, who: Member, view: str) -> api.OrderPage:
    limit = whole(request, "limit", default=50, low=1, high=200)
    cursor = request.args.get("cursor") or ""
    after = api.read_cursor(cursor) if cursor else None
    orders = await supervision.listed(who, view, after=after, limit=limit + 1)
    return api.page_of(orders, limit)


@door.get(
    "/api/v1/accountability", guard=READERS, answers={200: RecordPage}, refusals=(BadQuery, Denied),
    query={
        "open": "true：只看还没有处理结果的", "limit": "1–200，默认 50",
        "cursor": "上一页的 next_cursor",
    },
    summary="问责名单：谁、为什么、后来怎样；新的在前",
)  # fmt: skip
async def accountability_list(request: Request, who: Member) -> RecordPage:
    limit = whole(request, "limit", default=50, low=1, high=200)
    found = await accountability.records(
        who, unfollowed=flag(request, "open"), before=_before(request), limit=limit + 1
    )
    more = len(found) > limit
    items = [record_shown(record) for record in found[:limit]]
    return RecordPage(items, str(items[-1].id) if more else None)


def _before(request: Request) -> int | None:
    cursor = request.args.get("cursor") or ""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise bad_query("cursor", "不是本接口给出的 next_cursor")
    return int(cursor)


@door.post(
    "/api/v1/accountability/<record>/follow", guard=SUPERVISOR, form=FollowForm,
    answers={200: RecordShown}, refusals=(UnknownRecord, AlreadyFollowed, BlankText, Denied),
    summary="写明问责的处理结果（一次）",
)  # fmt: skip
async def follow_accountability(
    request: Request, who: Member, record: str, form: FollowForm
) -> RecordShown:
    if not (record.isascii() and record.isdigit() and len(record) <= 18):
        raise UnknownRecord
    return record_shown(await accountability.follow(who, int(record), form.text))


@door.post(
    "/api/v1/work-orders/<number>/accountability", guard=DESK, form=ListForm,
    answers={200: RecordShown}, refusals=(UnknownOrder, WrongRole, AlreadyListed, BlankText, Denied),
    summary="列入问责名单（督办员，写明原因）",
)  # fmt: skip
async def list_order_accountable(
    request: Request, who: Member, number: str, form: ListForm
) -> RecordShown:
    return record_shown(await supervision.put_on_list(who, number, form.why, form.text))
