"""The agency's doors. Another agency's order does not exist."""

import base64
import binascii
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.errors import Denied
from server.kit.forms import Form
from server.kit.web import BadQuery, Door, bad_query, flag, local, whole
from server.people.guard import StaffWith
from server.people.rules import ROLE_NAMES, SEES_ORDERS
from server.people.service import Member
from server.workorders import service
from server.workorders.models import Step, WorkOrder
from server.workorders.rules import (
    MOVE_NAMES,
    OPEN,
    BlankText,
    Disposition,
    IllegalMove,
    Move,
    State,
    WrongRole,
    is_overdue,
    may,
)
from server.workorders.service import UnknownOrder

door = Door("work-orders")
DESK = StaffWith(*sorted(SEES_ORDERS))
SEARCH_LIMIT = 60


class StepShown(Struct):
    at: datetime
    """Of a citizen's step only the day: the hour could tell who he was."""
    move: str
    what: str
    state: str
    by: str
    words: str
    disposition: str | None
    legal_basis: str | None


class OrderListed(Struct):
    number: str
    origin: str
    state: str
    agency_code: str
    matter: str
    window: str
    level: int | None
    opened_on: date
    due_at: datetime
    next_due_at: datetime | None
    overdue: bool


class OrderPage(Struct):
    items: list[OrderListed]
    next_cursor: str | None


class OrderShown(OrderListed):
    co_agency_codes: list[str]
    hall: str
    tags: list[str]
    tag_texts: list[str]
    words: str
    real_name: bool
    provisional: bool
    outcome: str | None
    may: list[str]
    steps: list[StepShown]


class NothingForm(Form):
    pass


class AnswerForm(Form):
    disposition: Disposition
    text: Annotated[str, Meta(max_length=2000)]
    legal_basis: Annotated[str, Meta(max_length=1000)] | None = None


def listed(order: WorkOrder) -> dict[str, object]:
    return {
        "number": order.number, "origin": order.origin, "state": order.state,
        "agency_code": order.agency_code, "matter": order.matter, "window": order.window,
        "level": order.level, "opened_on": order.opened_on, "due_at": local(order.due_at),
        "next_due_at": local(order.next_due_at) if order.next_due_at else None,
        "overdue": is_overdue(State(order.state), order.next_due_at, clock.now()),
    }  # fmt: skip


def shown(order: WorkOrder, steps: Sequence[Step], member: Member) -> OrderShown:
    own = member.agency_code == order.agency_code or member.agency_code is None
    return OrderShown(
        **listed(order),  # type: ignore[arg-type]
        co_agency_codes=order.co_agency_codes, hall=order.hall, tags=order.tags,
        tag_texts=[catalogue().tag_text(code) for code in order.tags], words=order.words,
        real_name=order.real_name, provisional=order.provisional, outcome=order.outcome,
        may=[str(move) for move in may(State(order.state), member.role)] if own else [],
        steps=[step_shown(step) for step in steps],
    )  # fmt: skip


_ROLE_WORDS = {
    "citizen": "群众",
    "system": "系统",
    **{str(r): name for r, name in ROLE_NAMES.items()},
}


def step_shown(step: Step) -> StepShown:
    at = local(step.at)
    if step.actor in ("citizen", "system"):
        at = datetime(at.year, at.month, at.day, tzinfo=BEIJING)
    what = MOVE_NAMES[Move(step.move)] if step.move in set(Move) else "群众补充说明"
    return StepShown(
        at, step.move, what, step.state, _ROLE_WORDS.get(step.actor, step.actor), step.words,
        step.disposition, step.legal_basis,
    )  # fmt: skip


@door.get(
    "/api/v1/work-orders", guard=DESK, answers={200: OrderPage}, refusals=(BadQuery, Denied),
    query={
        "state": "工单状态", "overdue": "true：只看逾期", "q": "编号、事项、窗口或内容中的文字",
        "limit": "1–200，默认 50", "cursor": "上一页的 next_cursor",
    },
    summary="本部门的工单：逾期的在前，再按最近的期限",
)  # fmt: skip
async def list_orders(request: Request, who: Member) -> OrderPage:
    limit = whole(request, "limit", default=50, low=1, high=200)
    state = request.args.get("state") or None
    if state is not None and state not in set(State):
        raise bad_query("state", f"须是 {'、'.join(State)} 之一")
    orders, cursor = await inbox(
        who, state=state, overdue=flag(request, "overdue"), search=request.args.get("q") or "",
        cursor=request.args.get("cursor") or "", limit=limit,
    )  # fmt: skip
    return OrderPage([OrderListed(**listed(order)) for order in orders], cursor)  # type: ignore[arg-type]


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
        due, number = _read_cursor(cursor)
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
    at = order.next_due_at.isoformat() if order.next_due_at else ""
    return base64.urlsafe_b64encode(f"{at} {order.number}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
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
    return shown(order, await Step.filter(order_id=order.number).order_by("id"), who)


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
