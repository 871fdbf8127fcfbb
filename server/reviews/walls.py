"""The code on a wall: where it hangs, what may be rated there, and how often."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote
from uuid import UUID

from server.catalogue.models import Hall, Matter, Window
from server.catalogue.service import catalogue
from server.kit.clock import clock
from server.kit.errors import Fault, Invalid, Limited, Missing
from server.kit.limits import DAY, HOUR, Limiter
from server.kit.transaction import transaction
from server.receipts import visits
from server.receipts.codes import code_of
from server.receipts.visits import Visit
from server.reviews import service, submission
from server.reviews.snapshot import Attempt, Verdict

MOST_MATTERS = 50
PERSON_HERE, PERSON = 3, 10
"""A day. Who is served at one window more often than that has a slip for it."""
NOBODY = {"phone_key": None}
_SLIP = "手里有办事回执的，扫回执上的二维码不受影响"


class UnknownPlace(Missing):
    code = "unknown_place"
    title = "没有找到这个大厅或窗口"

    def __init__(self) -> None:
        super().__init__("没有找到这个大厅或窗口，它可能已经停用。请到大厅的服务台咨询")


class UnknownMatter(Invalid):
    code = "unknown_matter"
    title = "这里不办这个事项，请重新选择，或不选"


@dataclass(frozen=True)
class Place:
    hall: Hall
    window: Window | None

    @property
    def name(self) -> str:
        return f"{self.hall.name} {self.window.name}" if self.window else self.hall.name

    @property
    def path(self) -> str:
        """As it stands in an address."""
        codes = [self.hall.code, *([self.window.code] if self.window else [])]
        return "/".join(["h", *(quote(code, safe="") for code in codes)])

    @property
    def windows(self) -> list[Window]:
        """That the code stands for."""
        if self.window:
            return [self.window]
        return list(catalogue().seats.get(self.hall.code, {}).values())

    @property
    def agencies(self) -> list[str]:
        return list(dict.fromkeys(window.agency_code for window in self.windows))


def find(hall_code: str, window_code: str | None = None) -> Place:
    known = catalogue()
    hall = known.halls.get(hall_code)
    if hall is None:
        raise UnknownPlace
    if window_code is None:
        return Place(hall, None)
    window = known.seats.get(hall_code, {}).get(window_code)
    if window is None:
        raise UnknownPlace
    return Place(hall, window)


def matters(place: Place, search: str = "") -> list[Matter]:
    """What may be rated there: of the window's agency, or of all that sit in the hall; what belongs to
    no agency comes last."""
    known = catalogue().matters_of
    offered = {
        matter.code: matter
        for agency in (*place.agencies, None)
        for matter in sorted(known.get(agency, []), key=lambda matter: matter.code)
    }
    return list(_matching(offered.values(), search.casefold().split()))


def _matching(offered: Iterable[Matter], words: list[str]) -> Iterable[Matter]:
    for matter in offered:
        text = (
            f"{matter.name} {matter.code} {catalogue().agency_name(matter.agency_code)}".casefold()
        )
        if all(word in text for word in words):
            yield matter


@dataclass(frozen=True, kw_only=True)
class About:
    """What the citizen says that it was about; every part may be empty."""

    matter: Matter | None = None
    claimed_case: str = field(default="", repr=False)


def about(place: Place, matter_code: str, claimed_case: str) -> About:
    """Unknown and foreign are told alike."""
    matter = catalogue().matters.get(matter_code)
    if matter_code:
        handlers = {matter.agency_code, *matter.co_agency_codes} if matter else set()
        if not handlers & {*place.agencies, None}:
            raise UnknownMatter(
                errors=[Fault("matter_code", "unknown_matter", UnknownMatter.title)]
            )
    return About(matter=matter, claimed_case=claimed_case.strip())


@dataclass(frozen=True)
class Visitor:
    """Who stands before the wall, as far as he is to be counted; keys, never names or addresses."""

    limiter: Limiter
    person: str | None
    address: str
    per_hour: int
    """What a code takes for each window that it stands for."""
    per_hour_of_address: int
    """A whole hall may have the same one."""


@dataclass(frozen=True)
class Taken:
    review: service.Submitted
    code: str
    """Of the visit: with it the review is undone, and given anew."""


async def submit(
    place: Place, said: About, verdict: Verdict, visitor: Visitor, *,
    attempt: Attempt | None = None, rater: UUID | None = None, device_key: str | None = None,
) -> Taken:  # fmt: skip
    """Visit, review and order in one commit. The same request once more is answered as the first was,
    and not counted again."""
    verdict = service.checked(verdict, NOBODY)
    if attempt and (before := await visits.earlier(attempt.key)):
        return Taken(await service.again(before, attempt), code_of(before["id"]))
    await _admit(visitor, place)
    async with transaction():
        visit = await visits.record(_visit(place, said, attempt), clock.now())
        if visit:
            made = service.prepared(
                visit, verdict, channel=None, attempt=attempt, rater=rater, device_key=device_key
            )
            if not all(await submission.store_all([made])):
                raise RuntimeError("a visit without its review")
    if visit is None:
        return await _faster(attempt)
    return Taken(service.taken(made), code_of(visit["id"]))


async def _faster(attempt: Attempt | None) -> Taken:
    """The same request was on its way twice, and the other one was first."""
    before = await visits.earlier(attempt.key) if attempt else None
    if before is None:
        raise RuntimeError("a visit was refused by nothing")
    return Taken(await service.again(before, attempt), code_of(before["id"]))


def _visit(place: Place, said: About, attempt: Attempt | None) -> Visit:
    """The window's agency; without a window the matter's, and else the hall's service desk."""
    leading = said.matter.agency_code if said.matter else None
    return Visit(
        agency_code=place.window.agency_code if place.window else leading or place.hall.desk_agency_code,
        hall_code=place.hall.code, window_code=place.window.code if place.window else None,
        matter_code=said.matter.code if said.matter else "", claimed_case=said.claimed_case,
        key=attempt.key if attempt else "",
    )  # fmt: skip


async def _admit(visitor: Visitor, place: Place) -> None:
    """By person and window. Who cannot be told from others is counted with those of his address."""
    times, here = max(1, len(place.windows)), place.path
    counts = [
        (f"{visitor.address} {here}", times * visitor.per_hour_of_address, HOUR,
         f"这个网络刚才提交的评价太多，请过一会儿再试。{_SLIP}"),
        (here, times * visitor.per_hour, HOUR, f"这里刚才收到的评价太多，请过一会儿再试。{_SLIP}"),
    ]  # fmt: skip
    if visitor.person:
        counts[:0] = [
            (f"{visitor.person} {here}", PERSON_HERE, DAY,
             f"您今天在这里已经评过 {PERSON_HERE} 次，明天可以再评。{_SLIP}"),
            (visitor.person, PERSON, DAY,
             f"您今天扫大厅的二维码已经评过 {PERSON} 次，明天可以再评。{_SLIP}"),
        ]  # fmt: skip
    for key, most, seconds, told in counts:
        try:
            await visitor.limiter.count("wall", key, most, seconds)
        except Limited as refusal:
            refusal.detail = told
            raise
