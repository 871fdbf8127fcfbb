"""The agency's doors to the citizen of an order: who verifies, who he is, and speaking with him."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.kit.clock import clock
from server.kit.errors import Denied
from server.kit.forms import Form
from server.kit.web import BadQuery, Door, local, whole
from server.people.service import Member
from server.reviews import callbacks, verification
from server.reviews.rules import CommentTooLong
from server.workorders import flags
from server.workorders.api import DESK, cursor_of, read_cursor, with_steps
from server.workorders.moves import UnknownOrder
from server.workorders.rules import BlankText, IllegalMove, WrongRole
from server.workorders.shown import OrderShown

door = Door("verification")
ORDER = "/api/v1/work-orders/<number>"
Reason = Annotated[str, Meta(max_length=1000)]


class VerifierForm(Form):
    username: Annotated[str, Meta(max_length=64)]


class RevealForm(Form):
    reason: Reason


class TalkForm(Form):
    reached: bool
    satisfied: bool | None = None
    told_answer: bool = False
    """He told the citizen what the agency answered."""
    text: str = ""


class FlagForm(Form):
    step_id: int
    """As the order shows it."""
    reason: Reason


class FlagRuling(Form):
    step_id: int
    upheld: bool


class PersonShown(Struct):
    name: str
    phone: str
    case_number: str


class CallBackListed(Struct):
    number: str
    matter: str
    agency: str
    state: str
    """waiting, or unreachable: tried, and to be tried again."""
    due_at: datetime
    overdue: bool


class CallBacks(Struct):
    items: list[CallBackListed]
    next_cursor: str | None
    done: int
    """Of all real-name bad reviews, over all time: the numerator of the call-back rate."""
    all: int
    overdue: int


@door.post(
    f"{ORDER}/verifier", guard=DESK, form=VerifierForm, answers={200: OrderShown},
    refusals=(UnknownOrder, WrongRole, IllegalMove, verification.UnknownVerifier),
    summary="指定核实人：本部门的一个账号；未指定时是受理人",
)  # fmt: skip
async def name_verifier(
    request: Request, who: Member, number: str, form: VerifierForm
) -> OrderShown:
    return await with_steps(await verification.name_verifier(who, number, form.username), who)


@door.post(
    f"{ORDER}/reveal", guard=DESK, form=RevealForm, answers={200: PersonShown},
    refusals=(
        UnknownOrder, verification.NotVerifier, callbacks.Anonymous, BlankText,
        verification.ReasonTooShort, flags.ReasonTooLong, IllegalMove,
    ),
    summary="实名差评：核实人查看群众的姓名、电话与办件（先留痕，审计员可查）",
)  # fmt: skip
async def reveal_citizen(
    request: Request, who: Member, number: str, form: RevealForm
) -> PersonShown:
    person = await verification.reveal(who, number, form.reason)
    return PersonShown(person.name, person.phone, person.case_number)


@door.post(
    f"{ORDER}/call-back", guard=DESK, form=TalkForm, answers={200: OrderShown},
    refusals=(
        UnknownOrder, WrongRole, IllegalMove, BlankText, CommentTooLong, callbacks.Anonymous,
        callbacks.AlreadyCalled, callbacks.SatisfiedRequired,
    ),
    summary="登记实名差评的电话回访；没有联系上的改日再访，三天都没有联系上为止",
)  # fmt: skip
async def record_call_back(
    request: Request, who: Member, number: str, form: TalkForm
) -> OrderShown:
    talk = callbacks.Talk(
        reached=form.reached, satisfied=form.satisfied, told_answer=form.told_answer, text=form.text
    )
    return await with_steps(await callbacks.record(who, number, talk), who)


@door.get(
    "/api/v1/call-backs", guard=DESK, answers={200: CallBacks}, refusals=(BadQuery, Denied),
    query={"limit": "1–200，默认 50", "cursor": "上一页的 next_cursor"},
    summary="待回访的实名差评，以及回访率的分子与分母",
)  # fmt: skip
async def list_call_backs(request: Request, who: Member) -> CallBacks:
    limit = whole(request, "limit", default=50, low=1, high=200)
    cursor = request.args.get("cursor") or ""
    rows = await callbacks.to_do(who, after=read_cursor(cursor) if cursor else None, limit=limit)
    rate, last = await callbacks.rate(who), rows[limit - 1] if len(rows) > limit else None
    return CallBacks(
        [
            CallBackListed(
                row["order_number"], row["matter"], catalogue().agency_name(row["agency_code"]),
                row["state"], local(row["due_at"]), row["due_at"] < clock.now(),
            )
            for row in rows[:limit]
        ],
        cursor_of(last["due_at"], last["order_number"]) if last else None,
        rate.done, rate.all, rate.overdue,
    )  # fmt: skip


@door.post(
    f"{ORDER}/flag", guard=DESK, form=FlagForm, answers={200: OrderShown},
    refusals=(
        UnknownOrder, WrongRole, BlankText, flags.ReasonTooLong, flags.UnknownStep,
        flags.AlreadyFlagged,
    ),
    summary="把群众的一条留言标记为辱骂：折叠显示，不删除，不影响评价",
)  # fmt: skip
async def flag_message(request: Request, who: Member, number: str, form: FlagForm) -> OrderShown:
    return await with_steps(await flags.flag(who, number, form.step_id, form.reason), who)


@door.post(
    f"{ORDER}/flag-ruling", guard=DESK, form=FlagRuling, answers={200: OrderShown},
    refusals=(UnknownOrder, WrongRole, flags.UnknownStep, flags.NotFlagged, flags.AlreadyRuled),
    summary="督办员认定标记是否成立；不成立的恢复显示",
)  # fmt: skip
async def rule_on_flag(request: Request, who: Member, number: str, form: FlagRuling) -> OrderShown:
    return await with_steps(await flags.rule(who, number, form.step_id, form.upheld), who)
