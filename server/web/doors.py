"""The pages of the doors for who has no receipt: 找茬 and 办不成事. They work without JavaScript."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.models import Hall, Matter
from server.catalogue.service import catalogue
from server.grievances import about, admission, api, rules
from server.grievances.rules import (
    FUNCTION_NAMES,
    KIND_NAMES,
    KINDS,
    WORDS_LIMIT,
    Channel,
    Function,
    Kind,
    Source,
)
from server.grievances.service import Entry
from server.kit import idempotency
from server.kit.clock import clock
from server.kit.errors import Conflict, Denied, Invalid, Limited, Refusal
from server.kit.idempotency import IdempotencyConflict
from server.kit.web import local
from server.web.citizen import new_attempt
from server.web.page import page, refused, see_other
from server.web.typed import Fields, fields, only
from server.workorders.opening import working

blueprint = Blueprint("doors")
VISITOR, VISITOR_SECONDS = "visitor", 2 * 86_400
"""A random name for this browser, to count by; worth nothing elsewhere, and gone when it has counted."""
MOST, AT_A_GLANCE = 30, 12
_ATTEMPT = re.compile(r"[\w-]{16,64}", re.ASCII)
SEARCH_LIMIT = 60
_TOLD = {
    Kind.CORRECTION: "写错了、过时了、和窗口说的不一样",
    Kind.CONSULTATION: "有地方看不懂，想问清楚",
    Kind.SUGGESTION: "这样改会更方便",
    Kind.REFUSED: "材料齐、条件也够，窗口的人就是不办，推来推去，或者态度不好",
    Kind.CANNOT: "窗口说政策不允许、不符合规定。会把为什么不能办、还有没有别的路给您讲清楚",
    Kind.HARD: "按理该办，可是缺证明、几个部门互相等，或者是多年的老问题，一直办不下来",
}
_OF_STUCK = (Kind.REFUSED, Kind.CANNOT, Kind.HARD)
"""The shortest limit first."""


class FromElsewhere(Denied):
    code = "stale_page"
    title = "请重新打开这个页面，再提交"


class SentBefore(Conflict):
    code = "idempotency_conflict"
    title = "您刚才在这个页面上提交的已经收到。要反映另一件事，请再按一次提交"


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The form as it was filled in, to be shown again."""

    kind: str = ""
    function: str = ""
    text: str = ""
    matter_code: str = ""
    hall_code: str = ""
    window_code: str = ""
    search: str = ""
    name: str = ""
    phone: str = ""
    real_name: bool = False
    attempt: str
    """Names this form, so that sending it twice is one grievance."""

    def entry(self, source: Source) -> Entry:
        return Entry(
            source=source, words=self.text, channel=Channel.WEB,
            kind=Kind(self.kind) if self.kind in set(Kind) else None,
            function=Function(self.function) if self.function in set(Function) else None,
            about=about.find(self.hall_code, self.window_code, self.matter_code),
            contact_name=self.name, contact_phone=self.phone or None, real_name=self.real_name,
        )  # fmt: skip


def _typed(given: Fields) -> Typed:
    attempt = only(given, "attempt")
    return Typed(
        kind=only(given, "kind"), function=only(given, "function"), text=only(given, "text"),
        matter_code=only(given, "matter_code")[:33], hall_code=only(given, "hall_code")[:33],
        window_code=only(given, "window_code")[:33],
        search=only(given, "q").strip()[:SEARCH_LIMIT], name=only(given, "name")[:100],
        phone=only(given, "phone").strip()[:24], real_name=only(given, "real_name") == "1",
        attempt=attempt if _ATTEMPT.fullmatch(attempt) else new_attempt(),
    )  # fmt: skip


@blueprint.exception(Refusal)
async def refuse(request: Request, refusal: Refusal) -> HTTPResponse:
    """In words, whatever the caller says he accepts."""
    return refused(request, refusal)


@blueprint.get("/suggest", name="suggest")
async def suggest(request: Request) -> HTTPResponse:
    return _opened(request, Source.FAULTS)


@blueprint.post("/suggest", name="suggest_sent")
async def suggest_sent(request: Request) -> HTTPResponse:
    return await _sent(request, Source.FAULTS)


@blueprint.get("/stuck", name="stuck")
async def stuck(request: Request) -> HTTPResponse:
    return _opened(request, Source.STUCK)


@blueprint.post("/stuck", name="stuck_sent")
async def stuck_sent(request: Request) -> HTTPResponse:
    return await _sent(request, Source.STUCK)


def _opened(request: Request, source: Source) -> HTTPResponse:
    """Whoever comes from a place, or from a matter, need not choose it again."""
    place: Any = {name: (request.args.get(key) or "")[:33] for name, key in _FROM.items()}
    try:
        about.find(place["hall_code"], place["window_code"], place["matter_code"])
    except Invalid:
        place = {}  # an old link
    response = _form(request, source, Typed(attempt=new_attempt(), **place))
    if not request.cookies.get(VISITOR):
        response.add_cookie(
            VISITOR, secrets.token_urlsafe(12), path=request.path, max_age=VISITOR_SECONDS,
            httponly=True, samesite="Lax",
            secure=request.app.ctx.settings.base_url.startswith("https"),
        )  # fmt: skip
    return response


_FROM = {"hall_code": "hall", "window_code": "window", "matter_code": "matter"}


async def _sent(request: Request, source: Source) -> HTTPResponse:
    """The same form sent twice is the same grievance."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise FromElsewhere  # no code protects this form: another site could send it for its visitors
    given = fields(request)
    typed = _typed(given)
    if only(given, "step") == "find":
        return _form(request, source, typed)
    try:
        said = repr(replace(typed, search="", attempt="")).encode(errors="replace")
        attempt = api.attempt_of(typed.attempt, idempotency.digest("POST", request.path, said))
        entry = replace(typed.entry(source), attempt=attempt)
        taken = await api.admitted(entry, admission.visitor_of(request, _visitor(request)))
    except IdempotencyConflict:
        return _form(request, source, replace(typed, attempt=new_attempt()), SentBefore())
    except (Invalid, Limited) as refusal:
        return _form(request, source, typed, refusal)
    return see_other(f"/t/{taken.query_code}/taken")


def _visitor(request: Request) -> str:
    kept = str(request.cookies.get(VISITOR) or "")
    return f"visitor {kept}" if kept else ""


def _form(
    request: Request, source: Source, typed: Typed, refusal: Refusal | None = None
) -> HTTPResponse:
    shown = _stuck() if source is Source.STUCK else _faults()
    response = page(
        request, "stuck.html" if source is Source.STUCK else "suggest.html",
        refusal.status if refusal else 200, refusal=refusal, typed=typed, limit=WORDS_LIMIT,
        found=_found(typed, source), anchors=_ANCHORS | {"kind": f"k-{KINDS[source][0]}"}, **shown,
    )  # fmt: skip
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


_ANCHORS = {
    "text": "text", "contact.phone": "phone", "matter_code": "matter", "hall_code": "hall",
    "window_code": "hall",
}  # fmt: skip


def _faults() -> dict[str, Any]:
    days, due = _limit(None)
    return {
        "kinds": [(kind, KIND_NAMES[kind], _TOLD[kind]) for kind in KINDS[Source.FAULTS]],
        "functions": list(FUNCTION_NAMES.items()), "days": days, "due": due,
    }  # fmt: skip


def _stuck() -> dict[str, Any]:
    kinds = []
    for kind in _OF_STUCK:
        days, due = _limit(kind)
        kinds.append((kind, KIND_NAMES[kind], _TOLD[kind], due, days))
    return {"kinds": kinds}


def _limit(kind: Kind | None) -> tuple[int, str]:
    """As the policy stands where nobody has said a place."""
    policy = catalogue().policy(about.find().region_code)
    days = rules.answer_days(kind, policy)
    return days, _day(working(clock.now(), days).at)


def _day(at: datetime) -> str:
    day = local(at)
    return f"{day.month}月{day.day}日"


@dataclass(frozen=True)
class Found:
    """What may be chosen, as far as it was searched for."""

    asked: str
    matters: dict[str, list[Matter]]
    halls: Sequence[Hall]
    window: str
    searchable: bool
    any: bool
    """The search has found something."""
    more: bool


def _found(typed: Typed, source: Source) -> Found:
    known, words = catalogue(), typed.search.casefold().split()
    few = len(known.matters) + len(known.halls) <= AT_A_GLANCE
    matters = _matters(words) if few or words else []
    halls = fitting = [hall for hall in known.halls.values() if _fits(words, hall.name)]
    if len(known.halls) <= AT_A_GLANCE:
        halls = list(known.halls.values())  # whoever searches for a matter still sees them
    groups: dict[str, list[Matter]] = {}
    for matter in _with(known.matters.get(typed.matter_code), matters[:MOST]):
        groups.setdefault(known.agency_name(matter.agency_code), []).append(matter)
    seat = known.seats.get(typed.hall_code, {}).get(typed.window_code)
    return Found(
        "是在哪里、办什么事" if source is Source.STUCK else "和哪个事项、哪个大厅有关",
        groups, _with(known.halls.get(typed.hall_code), halls[:MOST]), seat.name if seat else "",
        not few, bool(matters) or bool(fitting), len(matters) > MOST or len(halls) > MOST,
    )  # fmt: skip


T = TypeVar("T")


def _with(chosen: T | None, listed: list[T]) -> list[T]:
    """What was chosen stays chosen when something else is searched for."""
    return listed if chosen is None or chosen in listed else [chosen, *listed]


def _matters(words: Sequence[str]) -> list[Matter]:
    known = catalogue()
    return [
        matter for matter in known.matters.values()
        if _fits(words, matter.name, matter.code, known.agency_name(matter.agency_code))
    ]  # fmt: skip


def _fits(words: Sequence[str], *texts: str) -> bool:
    text = " ".join(texts).casefold()
    return all(word in text for word in words)
