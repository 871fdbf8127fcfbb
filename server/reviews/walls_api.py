"""The doors of static codes: a hall or a window, what may be rated there, and the rating."""

from typing import Annotated
from urllib.parse import unquote

from msgspec import Meta, Struct
from sanic import Request

from server.catalogue.models import Matter
from server.catalogue.service import catalogue
from server.kit import idempotency
from server.kit.errors import Limited
from server.kit.idempotency import IdempotencyConflict
from server.kit.privacy import vault
from server.kit.web import ANYONE, Door, local
from server.people.citizens import Rater
from server.people.guard import ANYONE_OR_CITIZEN
from server.reviews import walls
from server.reviews.api import (
    REASONS,
    BadPhone,
    LevelShown,
    ReviewForm,
    ReviewTaken,
    levels_shown,
    order_taken,
    verdict_of,
)
from server.reviews.snapshot import Attempt
from server.reviews.walls import Place, UnknownMatter, UnknownPlace, Visitor

door = Door("walls")
SEARCH_LIMIT = 60
ADDRESSES = 4
"""One of them may use up so much of what a code takes in an hour."""
IN_THE_DEMO = 200 * 60
UNGUESSABLE = 20
"""Characters of an Idempotency-Key that nobody else has by chance."""
CaseNumber = Annotated[
    str, Meta(max_length=64, pattern=r"^(\S([^\x00-\x1f\x7f-\x9f]*\S)?)?(?![\s\S])")
]


class HallShown(Struct):
    code: str
    name: str


class WindowShown(Struct):
    code: str
    name: str
    agency: str


class MatterShown(Struct):
    code: str
    name: str
    agency: str


class WallShown(Struct):
    hall: HallShown
    window: WindowShown | None
    matters: list[MatterShown]
    more_matters: bool
    """Than are listed: search for them."""
    levels: list[LevelShown]


class WallReviewForm(ReviewForm):
    matter_code: Annotated[str, Meta(max_length=33)] | None = None
    case_number: CaseNumber | None = None
    """What the citizen says; nothing is looked up by it."""


class WallReviewTaken(ReviewTaken):
    code: str
    """Of this visit, as that of a receipt: /api/v1/e/<code>/undo takes the review back."""


def place_at(hall: str, window: str | None = None) -> Place:
    """By the segments of an address, as they were sent."""
    return walls.find(unquote(hall), unquote(window) if window else None)


_SEARCH = {"q": "事项名称或编码里的字，最多 60 个字；最多列出 50 个事项"}


def wall_shown(place: Place, search: str = "") -> WallShown:
    found = walls.matters(place, search[:SEARCH_LIMIT])
    window, name = place.window, catalogue().agency_name
    return WallShown(
        HallShown(place.hall.code, place.hall.name),
        WindowShown(window.code, window.name, name(window.agency_code)) if window else None,
        [matter_shown(matter) for matter in found[: walls.MOST_MATTERS]],
        len(found) > walls.MOST_MATTERS,
        levels_shown(),
    )


def matter_shown(matter: Matter) -> MatterShown:
    return MatterShown(matter.code, matter.name, catalogue().agency_name(matter.agency_code))


@door.get(
    "/api/v1/h/<hall>", guard=ANYONE, answers={200: WallShown}, refusals=(UnknownPlace,),
    query=_SEARCH, summary="大厅墙上的码：这里可以评价哪些事项",
)  # fmt: skip
async def wall_of_hall(request: Request, hall: str) -> WallShown:
    return wall_shown(place_at(hall), request.args.get("q") or "")


@door.get(
    "/api/v1/h/<hall>/<window>", guard=ANYONE, answers={200: WallShown}, refusals=(UnknownPlace,),
    query=_SEARCH, summary="窗口墙上的码：这里可以评价哪些事项",
)  # fmt: skip
async def wall_of_window(request: Request, hall: str, window: str) -> WallShown:
    return wall_shown(place_at(hall, window), request.args.get("q") or "")


REFUSALS = (*REASONS, BadPhone, UnknownMatter, UnknownPlace, IdempotencyConflict, Limited)


@door.post(
    "/api/v1/h/<hall>/review", guard=ANYONE_OR_CITIZEN, form=WallReviewForm,
    answers={201: WallReviewTaken}, refusals=REFUSALS, keeps_key=True,
    summary="没有回执，扫大厅墙上的码评价：标为未核验，单独统计",
)  # fmt: skip
async def review_hall(
    request: Request, hall: str, form: WallReviewForm, who: Rater | None
) -> WallReviewTaken:
    return await _taken(request, place_at(hall), form, who)


@door.post(
    "/api/v1/h/<hall>/<window>/review", guard=ANYONE_OR_CITIZEN, form=WallReviewForm,
    answers={201: WallReviewTaken}, refusals=REFUSALS, keeps_key=True,
    summary="没有回执，扫窗口墙上的码评价：标为未核验，单独统计",
)  # fmt: skip
async def review_window(
    request: Request, hall: str, window: str, form: WallReviewForm, who: Rater | None
) -> WallReviewTaken:
    return await _taken(request, place_at(hall, window), form, who)


async def _taken(
    request: Request, place: Place, form: WallReviewForm, who: Rater | None
) -> WallReviewTaken:
    said = walls.about(place, form.matter_code or "", form.case_number or "")
    taken = await walls.submit(
        place, said, verdict_of(form), visitor_of(request, f"citizen {who.id}" if who else ""),
        attempt=_attempt(request, place), rater=who.id if who else None,
    )  # fmt: skip
    review = taken.review
    return WallReviewTaken(
        review.query_code, review.level, local(review.undo_until), order_taken(review), taken.code
    )


def visitor_of(request: Request, person: str) -> Visitor:
    """`person`: by what he is known again, if he is."""
    settings = request.app.ctx.settings
    per_hour = IN_THE_DEMO if settings.demo else settings.wall_reviews_per_hour
    return Visitor(
        request.app.ctx.limiter, vault().fingerprint(person, "limit") if person else None,
        vault().fingerprint(str(request.remote_addr or request.ip), "limit"),
        per_hour, per_hour if settings.demo else per_hour // ADDRESSES,
    )  # fmt: skip


def _attempt(request: Request, place: Place) -> Attempt | None:
    """There is no code that only this caller has: a short key names the visit together with the caller's
    address. A long one alone, so that a phone that has changed its network meets its own review."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    idempotency.check_key(key)
    address = str(request.remote_addr or request.ip) if len(key) < UNGUESSABLE else ""
    return attempt_of(
        place, f"{address}\n{key}", idempotency.digest("POST", request.path, request.body)
    )


def attempt_of(place: Place, key: str, digest: str) -> Attempt:
    return Attempt(vault().fingerprint(f"{place.path}\n{key}", "idempotency"), digest)
