"""What clerks have taken in for citizens: each has its operator, who is the first asked."""

from dataclasses import dataclass, replace
from datetime import timedelta

from server.demo.city import OF_KEY
from server.demo.grievances import before, of_agency
from server.grievances import intake
from server.grievances.intake import Call, Spoken
from server.grievances.rules import Kind, Source
from server.kit import sql
from server.people.rules import Role
from server.workorders import ruling
from server.workorders import service as orders
from server.workorders.moves import NEWS
from server.workorders.rules import Disposition


@dataclass(frozen=True, kw_only=True)
class Told:
    days_ago: int
    bureau: str
    """Whose it is."""
    by: str = "zw"
    """Whose clerk took it in: the hall's desk, or the bureau's own window."""
    call: Call
    deeds: str = ""
    """a: accepted, w: answered, u: the clerk urges."""
    answer: str = ""


def _call(source: Source, words: str, **more: object) -> Call:
    return Call(source=source, words=words, **more)  # type: ignore[arg-type]


ALL = (
    Told(days_ago=1, bureau="rs", deeds="u", call=_call(
        Source.STUCK, "社保卡挂失，窗口说系统坏了不给办，让下周再来。", kind=Kind.REFUSED)),
    Told(days_ago=5, bureau="sc", by="sc", call=_call(
        Source.FAULTS, "办事指南的材料清单里少写了一份场地证明。", kind=Kind.CORRECTION,
        on_the_spot=Spoken(disposition=Disposition.FIXED, text="已当场更正办事指南，材料已经收下。"))),
    Told(days_ago=3, bureau="mz", deeds="aw", answer="已联系社区，本周五前发放到位。", call=_call(
        Source.HOTLINE, "高龄补贴两个月没有到账，打社区电话没有人接。", external_number="RX-20260001",
        phone="13800138011", name="热线来电人", real_name=True)),
    Told(days_ago=4, bureau="ga", deeds="a", call=_call(
        Source.LETTER, "来信反映：居住证办理地点搬走了，网上的地址还是旧的。")),
    Told(days_ago=0, bureau="yb", call=_call(Source.VISIT, "异地就医备案交了三次材料，每次说的都不一样。")),
)  # fmt: skip


async def write() -> int:
    """Into the caller's transaction, through the clerks' own door."""
    for told in ALL:
        with before(timedelta(days=told.days_ago)):
            await _lived(told)
    # What they would have been texted then is no news to anybody now.
    await sql.fetch("DELETE FROM pgqueuer WHERE entrypoint = $1", NEWS)
    return len(ALL)


async def _lived(told: Told) -> None:
    clerk = await of_agency(OF_KEY[told.by].code, Role.HANDLER)
    call = replace(told.call, agency_code=OF_KEY[told.bureau].code)
    taken = await intake.take(clerk, call, anyway=True)
    number = taken.order.number
    handler = await of_agency(taken.order.agency_code, Role.HANDLER)
    for deed in told.deeds:
        if deed == "a":
            await orders.accept(handler, number)
        elif deed == "u":
            await ruling.urge(clerk, number, text="群众还在大厅等，请窗口负责人尽快处理。")
        else:
            await orders.answer(
                handler, number, disposition=Disposition.FIXED, text=told.answer, legal_basis=None
            )
