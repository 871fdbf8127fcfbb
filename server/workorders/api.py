"""The agency's doors. Another agency's order does not exist."""

import base64
import binascii
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from sanic import Request

from server.kit import sql, web
from server.kit.clock import clock
from server.kit.errors import Denied
from server.kit.forms import Form
from server.kit.web import BadQuery, Door, bad_query, flag
from server.people.guard import StaffWith
from server.people.rules import SEES_ORDERS
from server.people.service import Member
from server.workorders import service
from server.workorders.models import WorkOrder
from server.workorders.moves import UnknownOrder
from server.workorders.rules import OPEN, BlankText, Disposition, IllegalMove, State, WrongRole
from server.workorders.shown import OrderListed, OrderShown, listed, shown, whole

door = Door("work-orders")
DESK = StaffWith(*sorted(SEES_ORDERS))
SEARCH_LIMIT = 60


class OrderPage(Struct):
    items: list[OrderListed]
    next_cursor: str | None


class NothingForm(Form):
    pass


class AnswerForm(Form):
    disposition: Disposition
    text: Annotated[str, Meta(max_length=2000)]
    legal_basis: Annotated[str, Meta(max_length=1000)] | None = None


@door.get(
    "/api/v1/work-orders", guard=DESK, answers={200: OrderPage}, refusals=(BadQuery, Denied),
    query={
        "state": "工单状态", "overdue": "true：只看逾期", "q": "编号、事项、窗口或内容中的文字",
        "limit": "1–200，默认 50", "cursor": "上一页的 next_cursor",
    },
    summary="本部门的工单：逾期的在前，再按最近的期限",
)  # fmt: skip
async def list_orders(request: Request, who: Member) -> OrderPage:
    limit = web.whole(request, "limit", default=50, low=1, high=200)
    state = request.args.get("state") or None
    if state is not None and state not in set(State):
        raise bad_query("state", f"须是 {'、'.join(State)} 之一")
    orders, cursor = await inbox(
        who, state=state, overdue=flag(request, "overdue"), search=request.args.get("q") or "",
        cursor=request.args.get("cursor") or "", limit=limit,
    )  # fmt: skip
    return OrderPage([OrderListed(**listed(order)) for order in orders], cursor)  # type: ignore[arg-type]


def page_of(orders: list[WorkOrder], limit: int) -> OrderPage:
    """Of a list that was asked for one more than the page holds, in the order of the inbox."""
    items = [OrderListed(**listed(order)) for order in orders[:limit]]  # type: ignore[arg-type]
    return OrderPage(items, _cursor(orders[limit - 1]) if len(orders) > limit else None)


async def inbox(
    who: Member, *, state: str | None = None, overdue: bool | None = None, search: str = "",
    cursor: str = "", limit: int = 50,
) -> tuple[list[WorkOrder], str | None]:  # fmt: skip
    """Open orders by their next due time, so overdue first; then the closed ones."""
    where, values = service.visible_to(who, clock.now())
    conditions = [where]

    def bind(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    if state:
        conditions.append(f"state = {bind(state)}")
    if overdue is not None:
        late = f"(next_due_at < {bind(clock.now())} AND state = ANY({_WAITING}))"
        conditions.append(late if overdue else f"NOT coalesce({late}, false)")
    if search:
        like = bind("%" + _escaped(search[:SEARCH_LIMIT]) + "%")
        found = (f"{column} ILIKE {like}" for column in ("number", "matter", '"window"', "words"))
        conditions.append(f"({' OR '.join(found)})")
    if cursor:
        due, number = read_cursor(cursor)
        conditions.append(f"({_ORDER}) > ({bind(due)}, {bind(number)})")
    return await _page(" AND ".join(conditions), values, limit)


_WAITING = f"ARRAY[{', '.join(repr(str(s)) for s in sorted(OPEN - {State.ANSWERED}))}]"
_ORDER = "coalesce(next_due_at, 'infinity'), number"


async def _page(where: str, values: list[object], limit: int) -> tuple[list[WorkOrder], str | None]:
    rows = await sql.fetch(
        f"SELECT * FROM work_orders WHERE {where} ORDER BY {_ORDER} LIMIT {limit + 1}",  # noqa: S608
        *values,
    )
    orders = [WorkOrder._init_from_db(**dict(row)) for row in rows[:limit]]
    more = len(rows) > limit and orders
    return orders, _cursor(orders[-1]) if more else None


def _escaped(text: str) -> str:
    return text.replace("\0", "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _cursor(order: WorkOrder) -> str:
    return cursor_of(order.next_due_at, order.number)


def cursor_of(due: datetime | None, number: str) -> str:
    at = due.isoformat() if due else ""
    return base64.urlsafe_b64encode(f"{at} {number}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, number = text.partition(" ")
        # asyncpg writes datetime.max, and no other, as 'infinity'.
        due = datetime.fromisoformat(at) if at else datetime.max  # noqa: DTZ901
        if (at and due.tzinfo is None) or "\0" in number:
            raise ValueError
        return due, number
    except (ValueError, binascii.Error):
        raise bad_query("cursor", "不是本接口给出的 next_cursor") from None


@door.get(
    "/api/v1/work-orders/<number>", guard=DESK, answers={200: OrderShown},
    refusals=(UnknownOrder, Denied), summary="一张工单与它的全部经过",
)  # fmt: skip
async def one_order(request: Request, who: Member, number: str) -> OrderShown:
    order = await service.find(who, number)
    return await with_steps(order, who)


async def with_steps(order: WorkOrder, who: Member) -> OrderShown:
    return shown(await whole(order), who)


@door.post(
    "/api/v1/work-orders/<number>/accept", guard=DESK, form=NothingForm, answers={200: OrderShown},
    refusals=(UnknownOrder, WrongRole, IllegalMove), summary="受理：谁受理，谁负责到底",
)  # fmt: skip
async def accept_order(request: Request, who: Member, number: str, form: NothingForm) -> OrderShown:
    return await with_steps(await service.accept(who, number), who)


@door.post(
    "/api/v1/work-orders/<number>/answer", guard=DESK, form=AnswerForm, answers={200: OrderShown},
    refusals=(UnknownOrder, WrongRole, IllegalMove, BlankText),
    summary="答复：已整改（fixed）或解释说明（explained）；群众在查询页看到原文",
)  # fmt: skip
async def answer_order(request: Request, who: Member, number: str, form: AnswerForm) -> OrderShown:
    order = await service.answer(
        who, number, disposition=form.disposition, text=form.text, legal_basis=form.legal_basis
    )
    return await with_steps(order, who)
