"""The supervisor's doors."""

from sanic import Request

from server.kit.forms import Form
from server.kit.web import Door
from server.people.service import Member
from server.workorders import ruling
from server.workorders.api import DESK, with_steps
from server.workorders.handling_api import ORDER, REFUSALS, AgencyCode, Reason, Text, TextForm
from server.workorders.moves import UnknownAgency, UnknownOrder
from server.workorders.rules import IllegalMove, Ruling, WrongRole
from server.workorders.shown import OrderShown

door = Door("work-orders-ruling")


class ReassignForm(Form):
    agency_code: AgencyCode


class ReasonForm(Form):
    reason: Reason


class RuleForm(Form):
    finding: Ruling
    text: Text


class ReleaseForm(Form):
    agency_code: AgencyCode
    reason: Reason


@door.post(
    f"{ORDER}/reassign", guard=DESK, form=ReassignForm, answers={200: OrderShown},
    refusals=(UnknownOrder, WrongRole, IllegalMove, UnknownAgency),
    summary="改派：对群众承诺的期限不变",
)  # fmt: skip
async def reassign_order(
    request: Request, who: Member, number: str, form: ReassignForm
) -> OrderShown:
    order = await ruling.reassign(who, number, agency_code=form.agency_code)
    return await with_steps(order, who)


@door.post(
    f"{ORDER}/refuse", guard=DESK, form=ReasonForm, answers={200: OrderShown}, refusals=REFUSALS,
    summary="驳回退单：仍由原部门办理，期限不变",
)  # fmt: skip
async def refuse_return(request: Request, who: Member, number: str, form: ReasonForm) -> OrderShown:
    return await with_steps(await ruling.refuse(who, number, reason=form.reason), who)


@door.post(
    f"{ORDER}/supervise", guard=DESK, form=TextForm, answers={200: OrderShown}, refusals=REFUSALS,
    summary="督办：群众不认可的，或逾期的工单",
)  # fmt: skip
async def supervise_order(request: Request, who: Member, number: str, form: TextForm) -> OrderShown:
    return await with_steps(await ruling.supervise(who, number, text=form.text), who)


@door.post(
    f"{ORDER}/rule", guard=DESK, form=RuleForm, answers={200: OrderShown}, refusals=REFUSALS,
    summary="裁定办结：proper 处理得当，accountable 应予问责并列入问责名单",
)  # fmt: skip
async def rule_order(request: Request, who: Member, number: str, form: RuleForm) -> OrderShown:
    order = await ruling.rule(who, number, finding=form.finding, text=form.text)
    return await with_steps(order, who)


@door.post(
    f"{ORDER}/release", guard=DESK, form=ReleaseForm, answers={200: OrderShown},
    refusals=(*REFUSALS, UnknownAgency), summary="免除一个协办部门，写明理由",
)  # fmt: skip
async def release_part(request: Request, who: Member, number: str, form: ReleaseForm) -> OrderShown:
    order = await ruling.release(
        who, number, agency_code=form.agency_code, reason=form.reason
    )  # fmt: skip
    return await with_steps(order, who)


@door.post(
    f"{ORDER}/urge", guard=DESK, form=TextForm, answers={200: OrderShown}, refusals=REFUSALS,
    summary="催办：送到经办人和部门负责人，状态不变",
)  # fmt: skip
async def urge_order(request: Request, who: Member, number: str, form: TextForm) -> OrderShown:
    return await with_steps(await ruling.urge(who, number, text=form.text), who)


@door.post(
    f"{ORDER}/takeover", guard=DESK, form=ReasonForm, answers={200: OrderShown}, refusals=REFUSALS,
    summary="提级办理：督办员成为经办人，写明理由，状态不变",
)  # fmt: skip
async def take_over_order(
    request: Request, who: Member, number: str, form: ReasonForm
) -> OrderShown:
    return await with_steps(await ruling.takeover(who, number, reason=form.reason), who)
