"""书面评价表: who prints and keys in paper forms, and how a keyed-in one becomes a review.

The reviewed side does neither. Blanks are printed and keyed in by the region's own staff, or by the
hall's service desk, and a form about the desk's own agency by the region's staff alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from server.catalogue.models import Hall, Matter, Window
from server.catalogue.service import catalogue
from server.kit.clock import BEIJING, clock
from server.kit.errors import Conflict, Denied, Fault, Invalid
from server.kit.transaction import transaction
from server.people.rules import OF_AN_AGENCY, Role
from server.people.service import Member, note_access
from server.receipts import blanks, visits
from server.receipts.blanks import Blank, UnknownPaperForm
from server.receipts.visits import Visit
from server.reviews import paper_rules, rules, service, submission, walls
from server.reviews.paper_rules import Reasons, Row
from server.reviews.rules import ReviewChannel
from server.reviews.snapshot import Given, Verdict, sealed_contact, snapshot_of
from server.reviews.submission import Submission
from server.reviews.walls import Place
from server.workorders.opening import Snapshot, open_order
from sms.phone import normalise

ORIGIN = "paper"
PRINT = "print_paper"
"""In the access log: whoever prints blanks sees the codes on their stubs."""
T = TypeVar("T")


class PaperFormEntered(Conflict):
    code = "paper_form_entered"
    title = "这张表已经录入过了，每张表只算一次"


class OwnPaperForm(Denied):
    code = "own_paper_form"
    title = "这张表评价的是您所在的部门，请交给督办员录入"


class BadPaperForm(Invalid):
    code = "invalid_paper_form"
    title = "这一行有需要改正的地方"


def keeps(member: Member, hall: Hall) -> bool:
    """Whether he keys in the forms of this hall."""
    if member.role in OF_AN_AGENCY:
        return hall.desk_agency_code == member.agency_code
    return hall.region_code in catalogue().within(member.region_code)


def halls_of(member: Member) -> list[Hall]:
    seen = (hall for hall in catalogue().halls.values() if keeps(member, hall))
    return sorted(seen, key=lambda hall: (hall.region_code, hall.code))


def prints(member: Member, place: Place) -> bool:
    """Not for his own agency's windows: he would hold the codes on their stubs."""
    if not keeps(member, place.hall):
        return False
    return member.role is not Role.HANDLER and (
        place.window is None or place.window.agency_code != member.agency_code
    )


def places_of(member: Member, hall: Hall) -> list[Place]:
    windows = sorted(catalogue().seats.get(hall.code, {}).values(), key=lambda w: w.code)
    every = [Place(hall, None), *(Place(hall, window) for window in windows)]
    return [place for place in every if prints(member, place)]


async def print_blanks(place: Place, count: int, by: Member) -> list[Blank]:
    if not prints(by, place):
        raise walls.UnknownPlace
    async with transaction():
        await note_access(by, PRINT, place.path[2:66], f"{place.name[:180]}：{count} 张")
        return await blanks.printed(
            count, region_code=place.hall.region_code, hall_code=place.hall.code,
            window_code=place.window.code if place.window else None, by=by.id, at=clock.now(),
        )  # fmt: skip


async def form_behind(code: str, by: Member) -> tuple[Any, Place]:
    """A form of a hall that he keys in for; any other is as unknown as none."""
    form = await blanks.find(paper_rules.plain(code))
    hall = catalogue().halls.get(form["hall_code"])
    if hall is None or not keeps(by, hall):
        raise UnknownPaperForm
    # A window may have closed since: what was written about it still counts.
    return form, Place(hall, catalogue().seats.get(hall.code, {}).get(form["window_code"] or ""))


@dataclass(frozen=True, kw_only=True)
class Said:
    """A form that passed every rule."""

    verdict: Verdict
    day: date | None
    window: Window | None
    matter: Matter | None
    case_number: str


async def enter(row: Row, by: Member) -> Place:
    """Visit, review, order and the form's end in one commit; each blank counts once."""
    form, place = await form_behind(row.code, by)
    if form["entered_at"]:
        raise PaperFormEntered
    now = clock.now()
    said = _said(row, form, place, now)
    seen = Place(place.hall, said.window)
    async with transaction():
        visit = await visits.record(_visit(form, seen, said), now)
        if visit is None:
            raise PaperFormEntered
        made = _submission(form, visit, said, now)
        if by.agency_code in _reviewed(made.given, said):
            raise OwnPaperForm
        if not all(await submission.store_all([made])):
            raise PaperFormEntered
        if not await blanks.close(form, by.id, now):
            raise PaperFormEntered
    service.taken(made)
    return seen


def _visit(form: Any, place: Place, said: Said) -> Visit:
    leading = said.matter.agency_code if said.matter else None
    day = said.day
    return Visit(
        agency_code=place.window.agency_code if place.window else leading or place.hall.desk_agency_code,
        hall_code=place.hall.code, window_code=place.window.code if place.window else None,
        matter_code=said.matter.code if said.matter else "", claimed_case=said.case_number,
        key=f"paper {form['id'].hex}",
        handled_at=datetime.combine(day, time(0), BEIJING) if day else None,
    )  # fmt: skip


def _submission(form: Any, visit: Any, said: Said, now: datetime) -> Submission:
    policy, verdict = catalogue().policy(visit["region_code"]), said.verdict
    given = Given(
        id=form["review_id"], query_code=blanks.stub_of(form), receipt=visit, verdict=verdict,
        contact=sealed_contact(verdict), channel=ReviewChannel.PAPER, policy=policy, at=now,
        undo_until=now + timedelta(minutes=policy.undo_minutes),
    )  # fmt: skip
    if not rules.is_bad(verdict.level):
        return Submission(given, None)
    # Who gave no reason cannot be asked again on paper: a person has to find out, as after an SMS.
    reasons = verdict.tags or verdict.comment
    days = None if reasons else policy.callback_days
    return Submission(given, open_order(snapshot_of(given, ORIGIN), policy, answer_days=days))


def _reviewed(given: Given, said: Said) -> set[str]:
    """The agencies whom the form is about: the window's, and who would have to answer."""
    shot: Snapshot = snapshot_of(given, ORIGIN)
    at_window = {said.window.agency_code} if said.window else set()
    return at_window | {shot.agency_code, *shot.co_agency_codes}


class _Reading:
    """Takes what was keyed in, field by field, and keeps every fault."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def take(self, value: T | Fault, otherwise: T) -> T:
        if isinstance(value, Fault):
            self.faults.append(value)
            return otherwise
        return value


def _said(row: Row, form: Any, place: Place, now: datetime) -> Said:
    """Raises BadPaperForm with everything that is wrong with the row."""
    reading = _Reading()
    window = reading.take(_window(row.window, form, place), place.window)
    printed_on = form["printed_at"].astimezone(BEIJING).date()
    said = Said(
        verdict=_verdict(row, reading),
        day=reading.take(paper_rules.day_of(row.day, printed_on, now.date()), None),
        window=window, matter=reading.take(_matter(row.matter, Place(place.hall, window)), None),
        case_number=reading.take(paper_rules.case_of(row.case_number), ""),
    )  # fmt: skip
    if reading.faults:
        raise BadPaperForm(errors=reading.faults)
    return said


def _verdict(row: Row, reading: _Reading) -> Verdict:
    """Who wrote his phone number asked to be called back: the form says so above that line."""
    known = catalogue()
    level = reading.take(paper_rules.level_of(row.level, row.again), 0)
    reasons = reading.take(
        paper_rules.reasons_of(row.reasons, level, known.tag_levels), Reasons([], [])
    )
    ticked = [known.tag_text(code) for code in reasons.others] if level else []
    words = reading.take(paper_rules.words_of(row.words, ticked), "")
    if level and not {fault.field for fault in reading.faults} & {"reasons", "words"}:
        fault = paper_rules.reason_fault(level, reasons.tags, words, row.no_reason)
        reading.faults += [fault] if fault else []
    phone = reading.take(_phone(row.phone), None)
    name = paper_rules.plain(row.name)
    if len(name) > paper_rules.NAME_LIMIT:
        reading.faults.append(Fault("name", "too_long", "姓名太长"))
    return Verdict(
        level=level, tags=reasons.tags, comment=words, real_name=phone is not None,
        contact_name=name, contact_phone=phone,
    )  # fmt: skip


def _phone(text: str) -> str | Fault | None:
    text = paper_rules.plain(text)
    if not text:
        return None
    return normalise(text) or Fault("phone", "invalid_phone", "手机号须是 11 位，或带国家码")


def _window(text: str, form: Any, place: Place) -> Window | Fault | None:
    """The one that was printed, or the one that the citizen wrote on a form of the whole hall."""
    text = paper_rules.plain(text)
    if not text:
        return place.window
    found = _named(text, ((w.code, w.name, w) for w in Place(place.hall, None).windows))
    if form["window_code"] and (len(found) != 1 or found[0].code != form["window_code"]):
        return Fault("window", "printed_window", "这张表已经印了窗口，这一格不用填")
    if len(found) == 1:
        return found[0]
    said = "这个大厅没有这个窗口" if not found else "这个大厅有几个窗口都含这几个字，请录全名或编号"
    return Fault("window", "unknown_window", said)


def _matter(text: str, place: Place) -> Matter | Fault | None:
    text = paper_rules.plain(text)
    if not text:
        return None
    found = _named(text, ((m.code, m.name, m) for m in walls.matters(place)))
    if len(found) == 1:
        return found[0]
    if not found:
        said = "这里没有这个事项；表上写得不清楚的可以不填，原话录到“文字”里"
    else:
        said = f"有 {len(found)} 个事项含这几个字，如“{found[0].name}”，请录全名或编码"
    return Fault("matter", "unknown_matter", said)


def _named(text: str, known: Iterable[tuple[str, str, T]]) -> list[T]:
    """By code or whole name; else all whose name holds the text."""
    every = list(known)
    exact = [one for code, name, one in every if text in (code, paper_rules.plain(name))]
    return exact or [one for _, name, one in every if text in paper_rules.plain(name)]
