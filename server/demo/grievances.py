"""Those who had no receipt, and said something all the same: in every state that a door leads to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from server.catalogue.service import catalogue
from server.demo.city import DESK, OF_KEY
from server.grievances import about, service
from server.grievances.rules import Function, Kind, Source
from server.grievances.service import Entry
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.people.models import Staff
from server.people.rules import Role
from server.people.service import Member
from server.workorders import handling
from server.workorders import service as orders
from server.workorders.moves import NEWS
from server.workorders.rules import Disposition


@dataclass(frozen=True, kw_only=True)
class Said:
    days_ago: int
    source: Source
    kind: Kind
    words: str
    function: Function | None = None
    bureau: str | None = None
    """Whose matter it is; without one it is the hall's."""
    deeds: str = ""
    """a: accepted, p: planned, w: answered, c: the citizen is content, x: he is not."""
    answer: str = ""


_F, _S = Source.FAULTS, Source.STUCK
ALL = (
    Said(days_ago=6, source=_F, kind=Kind.CORRECTION, function=Function.GUIDE, bureau="rs", deeds="awc",
         words="办事指南上的咨询电话是空号，打不通。", answer="电话已经更正，谢谢您指出。"),
    Said(days_ago=4, source=_F, kind=Kind.SUGGESTION, function=Function.BOOKING, deeds="ap",
         words="现场取号要等两个小时，能不能给没有预约的人单开一个窗口？",
         answer="已调取取号记录，研究增设现场号专窗。"),
    Said(days_ago=1, source=_F, kind=Kind.CONSULTATION, function=Function.QUERY, bureau="yb", deeds="aw",
         words="网上查进度只写“办理中”，看不出卡在哪一步。", answer="进度页已加上每一步的名称和日期。"),
    Said(days_ago=0, source=_F, kind=Kind.CORRECTION, function=Function.APPLICATION, bureau="ga",
         words="网上申请传照片总说太大，又不写最大多少。"),
    Said(days_ago=0, source=_S, kind=Kind.CANNOT, bureau="sc",
         words="想在二楼挂招牌，窗口只说不行，没有说为什么。"),
    Said(days_ago=3, source=_S, kind=Kind.HARD, bureau="zg", deeds="a",
         words="老房子的原始登记找不到了，几个部门都让我去问别家。"),
    Said(days_ago=2, source=_S, kind=Kind.REFUSED, bureau="mz", deeds="awx",
         words="材料都带齐了，窗口说下班了不收，第二天又说换人了。", answer="请您改日再来办理。"),
)  # fmt: skip


async def write() -> int:
    """Into the caller's transaction, through the doors of the house, on the days when they were said."""
    for said in ALL:
        with before(timedelta(days=said.days_ago)):
            taken = await service.take(_entry(said))
            await _done(said, taken.order.number, taken.order.agency_code)
    # Nobody of them left a phone: there is nothing to tell.
    await sql.fetch("DELETE FROM pgqueuer WHERE entrypoint = $1", NEWS)
    return len(ALL)


@contextmanager
def before(by: timedelta) -> Iterator[None]:
    """The demo's past, which no clock of a running city shows again."""
    clock.advanced -= by
    try:
        yield
    finally:
        clock.advanced += by


def _entry(said: Said) -> Entry:
    matter = None
    if said.bureau:
        theirs = catalogue().matters_of[OF_KEY[said.bureau].code]
        matter = min(m.code for m in theirs if m.agency_code and not m.co_agency_codes)
    return Entry(
        source=said.source, kind=said.kind, function=said.function, words=said.words,
        about=about.find(None if matter else "YT01", None, matter),
    )  # fmt: skip


async def _done(said: Said, number: str, agency_code: str) -> None:
    handler = await of_agency(agency_code, Role.HANDLER)
    for deed in said.deeds:
        if deed == "a":
            await orders.accept(handler, number)
        elif deed == "p":
            day = clock.now().astimezone(BEIJING).date() + timedelta(days=10)
            lead = await of_agency(agency_code, Role.AGENCY_LEAD)
            await handling.plan(lead, number, text=said.answer, until=day)
        elif deed == "w":
            await orders.answer(
                handler, number, disposition=Disposition.FIXED, text=said.answer, legal_basis=None
            )
        else:
            words = "" if deed == "c" else "还是没有办成，请上级看看。"
            await orders.judge(number, satisfied=deed == "c", words=words)


async def of_agency(agency_code: str, role: Role) -> Member:
    staff = await Staff.filter(agency_code=agency_code or DESK, role=role).order_by("id").first()
    if staff is None:
        raise RuntimeError("an agency without its people")
    return Member.of(staff)
