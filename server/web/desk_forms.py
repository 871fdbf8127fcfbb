"""The forms of an order's page (pure): what each asks for, and what is wrong with what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from server.people.rules import OF_AN_AGENCY, SEES_ORDERS, Role
from server.workorders.flags import REASON_LIMIT
from server.workorders.rules import WHO, WRITES, Move, Record, is_blank

Kind = Literal["text", "line", "pick", "choose", "day", "number", "tick", "hidden"]
Typed = dict[str, str]
TEXT_LIMIT, BASIS_LIMIT, COMMENT_LIMIT = 2000, 1000, 500


@dataclass(frozen=True, kw_only=True)
class Field:
    name: str
    label: str
    kind: Kind = "text"
    missing: str = ""
    """What is said if nothing was typed; empty: it may be left out."""
    limit: int = TEXT_LIMIT
    rows: int = 4
    help: str = ""
    picks: tuple[tuple[str, str], ...] = ()
    """Of the kinds `pick` and `choose`; a choice without them is of the order."""


@dataclass(frozen=True, kw_only=True)
class Act:
    key: str
    """The last word of its address."""
    title: str
    button: str
    roles: frozenset[str]
    done: str
    step: str
    """The step by which it is known to be done."""
    help: str = ""
    fields: tuple[Field, ...] = ()


def _move(move: Move, title: str, button: str, done: str, *fields: Field, help: str = "") -> Act:
    return Act(
        key=str(move), title=title, button=button, roles=WHO[move] & set(Role), done=done, step=str(move),
        fields=fields, help=help,
    )  # fmt: skip


def _beside(
    key: str, record: Record, title: str, button: str, done: str, *fields: Field, help: str = "",
    roles: frozenset[str] | None = None,
) -> Act:  # fmt: skip
    """Of an act that moves nothing: who may is said by its record, unless it is narrower."""
    return Act(
        key=key, title=title, button=button, roles=roles or WRITES[record] & set(Role), done=done,
        step=str(record), fields=fields, help=help,
    )  # fmt: skip


def _text(label: str, missing: str, *, rows: int = 4, help: str = "") -> Field:
    return Field(name="text", label=label, missing=missing, rows=rows, help=help)


def _reason(label: str, missing: str, *, limit: int = BASIS_LIMIT, help: str = "") -> Field:
    return Field(name="reason", label=label, missing=missing, limit=limit, rows=3, help=help)


def _agency(label: str, missing: str, help: str = "") -> Field:
    return Field(name="agency_code", label=label, kind="choose", missing=missing, help=help)


_LEAD = frozenset({Role.AGENCY_LEAD})
_SUPERVISOR = frozenset({Role.SUPERVISOR})
_AGENCY = OF_AN_AGENCY
_READS = "群众在查询页会读到这段话。"
_STEP = Field(name="step_id", label="", kind="hidden", missing="没有指明是哪条留言")

_ALL = (
    _move(Move.ACCEPT, "受理", "受理这张工单", "已受理。这张工单现在由您负责到底。"),
    _move(
        Move.ANSWER, "答复群众", "提交答复", "答复已送出，群众在查询页可以看到。",
        Field(
            name="disposition", label="处理结果", kind="pick",
            missing="请选择处理结果：已整改，还是解释说明",
            picks=(("fixed", "已整改：问题属实，已经改好"),
                   ("explained", "解释说明：诉求缺乏依据，把道理讲清楚")),
        ),
        _text(
            "答复内容", "请写下给群众的答复", rows=7,
            help=f"群众在查询页读到的就是这里的原文，一字不改，提交后不能修改。最多 {TEXT_LIMIT} 字。",
        ),
        Field(
            name="legal_basis", label="政策法规依据（可不填）", limit=BASIS_LIMIT, rows=2,
            help="留在工单里备查，群众的查询页不显示；要让群众知道的，请写进答复内容。",
        ),
    ),
    _beside(
        "part", Record.PART, "协办意见", "提交协办意见", "协办意见已交给牵头部门。",
        _text("本部门的意见", "请写下本部门的意见", rows=6, help="只给牵头部门和督办员看，提交后不能修改。"),
    ),
    _beside(
        "call-back", Record.CALL_BACK, "登记电话回访", "登记回访", "回访已登记。",
        Field(
            name="result", label="回访结果", kind="pick", missing="请选择回访结果",
            picks=(("satisfied", "联系上了，群众满意"), ("dissatisfied", "联系上了，群众不满意"),
                   ("unreached", "没有联系上（改日再访，三天都没有联系上为止）")),
        ),
        Field(name="told_answer", label="已把部门的答复告诉群众", kind="tick"),
        Field(
            name="text", label="群众怎么说，或怎样联系的", limit=COMMENT_LIMIT, rows=3,
            help="满意的可以不写。不要写姓名、电话，写了也会遮盖。",
        ),
        help="实名的差评和诉求要百分之百回访。电话在“查看群众身份”里，登记事由后显示。",
    ),
    _move(
        Move.ASK, "请群众补充（停表）", "发给群众", "问题已发给群众，等候期间停表。",
        _text("要问群众的话", "请写下要问的话", help="一次问清楚；群众不必说明身份。" + _READS),
    ),
    _move(
        Move.PLAN, "建立台账、限期整改", "承诺期限", "已建立台账，群众看得到承诺的日期。",
        _text("整改打算", "请写明打算怎样整改", help=_READS),
        Field(name="until", label="改好的日期", kind="day", missing="请选择改好的日期"),
    ),
    _move(
        Move.EXTEND, "延期（一次）", "延期", "已延期，群众看得到新的期限和理由。",
        Field(name="working_days", label="延长几个工作日", kind="number", missing="请写明延长几个工作日"),
        _reason("延期的理由", "请写明延期的理由", help=_READS),
    ),
    _move(
        Move.RETURN, "退回督办员（一次）", "退回", "已退回，等督办员裁定。",
        _agency("应由哪个部门办理", "请选择应当办理的部门"),
        _reason("退回的理由", "请写明退回的理由"),
        help="不能直接转给别的部门，由督办员在一个工作日内裁定；对群众承诺的期限不变。",
    ),
    _beside(
        "verify", Record.VERIFY, "核实", "登记核实结果", "核实结果已登记。",
        Field(
            name="finding", label="群众反映的情况", kind="pick", missing="请选择核实结果",
            picks=(("true", "属实"), ("partly", "部分属实"), ("untrue", "不属实"),
                   ("unreachable", "联系不上群众，无法核实")),
        ),
        Field(
            name="how", label="怎样核实的", kind="pick", missing="请选择怎样核实的",
            picks=(("relay", "留言了解"), ("call", "电话了解"), ("visit", "上门了解"),
                   ("records", "查阅记录")),
        ),
        _text("核实情况", "请写明核实情况"),
        help="核实结果不影响群众的评价，评价由群众说了算。",
    ),
    _beside(
        "verifier", Record.VERIFY, "指定核实人", "指定", "已指定，并提醒了核实人。",
        Field(name="username", label="由谁核实", kind="choose", missing="请选择核实人"), roles=_LEAD,
    ),
    Act(
        key="reveal", title="查看群众身份", button="登记事由并查看", roles=_AGENCY, done="", step="",
        fields=(_reason("为何要查看", "请写明为何要查看", limit=REASON_LIMIT),),
        help="只给指定的核实人看，只显示这一次。事由先登记，审计员看得到。",
    ),
    _beside(
        "message", Record.MESSAGE, "给群众留言", "留言", "留言已送出，群众在查询页可以看到。",
        _text("给群众的话", "请写下要说的话", rows=3, help="期限照常计算。互相不知道身份。"),
    ),
    _beside(
        "flag", Record.MESSAGE, "标记为辱骂", "标记并折叠", "已标记并折叠，等督办员认定。", _STEP,
        _reason("理由", "请写明理由", limit=REASON_LIMIT), roles=_AGENCY,
    ),
    _move(
        Move.REASSIGN, "改派", "改派给这个部门", "已改派，对群众承诺的期限不变。",
        _agency("改派给哪个部门", "请选择部门"),
    ),
    _move(
        Move.REFUSE, "驳回退单", "仍由原部门办理", "已驳回退单，仍由原部门办理。",
        _reason("驳回的理由", "请写明驳回的理由", help="群众看得到“由原部门继续办理”，看不到理由。"),
    ),
    _move(
        Move.SUPERVISE, "督办", "督办", "已督办，部门要重新答复。",
        _text("督办要求", "请写明督办要求", help=_READS),
    ),
    _move(
        Move.RULE, "裁定办结", "裁定", "已裁定，工单办结。",
        Field(
            name="finding", label="裁定", kind="pick", missing="请选择裁定",
            picks=(("proper", "处理得当"), ("accountable", "应予问责，列入问责名单")),
        ),
        _text("裁定的理由", "请写明裁定的理由", help=_READS),
        help="裁定之后工单办结，不能再改。",
    ),
    _beside(
        "urge", Record.URGE, "催办", "催办", "已催办，经办人和部门负责人会收到提醒。",
        _text("催办的话", "请写明催办的话", rows=3), roles=SEES_ORDERS,
    ),
    _beside(
        "release", Record.RELEASE, "免除协办部门", "免除", "已免除这个部门的协办。",
        _agency("免除哪个部门", "请选择部门"), _reason("免除的理由", "请写明免除的理由"),
    ),
    _beside(
        "takeover", Record.TAKEOVER, "提级办理", "由我办理", "已提级办理，您是这张工单的经办人。",
        _reason("提级的理由", "请写明提级的理由"), help="您成为经办人，仍由部门答复；状态不变。",
    ),
    _beside(
        "flag-ruling", Record.MESSAGE, "认定留言", "认定", "已认定。", _STEP,
        Field(
            name="upheld", label="这条留言", kind="pick", missing="请选择",
            picks=(("yes", "是辱骂，保持折叠"), ("no", "不是辱骂，恢复显示")),
        ),
        roles=_SUPERVISOR,
    ),
    _beside(
        "accountability", Record.ESCALATE, "列入问责名单", "列入", "已列入问责名单。",
        Field(name="why", label="原因", kind="choose", missing="请选择原因"),
        _text("事实和依据", "请写明事实和依据", help="只在问责名单里看得到。"), roles=_SUPERVISOR,
    ),
    _move(
        Move.MERGE, "并案", "并入", "已并案，群众会看到那张工单的答复。",
        Field(
            name="into", label="并入哪张工单（编号）", kind="line", limit=16, missing="请写明工单编号",
        ),
        help="同一件事的两张工单，并成一张办理；须由同一个部门办理，尚未办结。",
    ),
)  # fmt: skip
ACTS = {act.key: act for act in _ALL}


def read(act: Act, form: Mapping[str, str]) -> Typed:
    return {field.name: form.get(field.name, "") for field in act.fields}


def faults(act: Act, typed: Typed) -> dict[str, str]:
    """Field → what is wrong, in the order of the form."""
    found = ((field.name, _fault(field, typed[field.name])) for field in act.fields)
    return {name: words for name, words in found if words}


def _fault(field: Field, typed: str) -> str:
    if is_blank(typed):
        return field.missing
    if len(typed) > field.limit:
        label = field.label.partition("（")[0]
        return f"{label}最多 {field.limit} 字，现在是 {len(typed)} 字"
    if not _READABLE.get(field.kind, _anything)(field, typed):
        return field.missing or "请重新填写"
    return ""


def _anything(_: Field, typed: str) -> bool:
    return True


def _is_day(_: Field, typed: str) -> bool:
    try:
        return bool(date.fromisoformat(typed.strip()))
    except ValueError:
        return False


def _is_number(_: Field, typed: str) -> bool:
    digits = typed.strip()
    return digits.isascii() and digits.isdigit() and len(digits) < 10


def _is_picked(field: Field, typed: str) -> bool:
    return typed in dict(field.picks)


_READABLE = {
    "pick": _is_picked, "day": _is_day, "number": _is_number, "hidden": _is_number,
}  # fmt: skip
