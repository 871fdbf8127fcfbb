"""The console's room of the questionnaire: numbers of a matter, and words without their writers."""

from dataclasses import dataclass
from urllib.parse import quote

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.kit.clock import clock
from server.kit.web import local
from server.reviews import questionnaire_figures as figures
from server.reviews.questionnaire_figures import Counted, Sight
from server.reviews.rules import ANSWER_NAMES
from server.web.console import show, staff_only
from server.web.visit import QUESTIONNAIRES, SEES_QUESTIONNAIRES, Visit

blueprint = Blueprint("console_questionnaires")
YEARS = 3


@dataclass(frozen=True)
class Line:
    """One closed question as it is printed: each answer with its share."""

    text: str
    of: int
    shares: list[str] | None
    """None of a group that is too small."""

    @classmethod
    def of_counted(cls, counted: Counted) -> "Line":
        shares = [
            f"{number}/{counted.of}（{round(100 * number / counted.of)}%）"
            for number in counted.given.values() if counted.of
        ]  # fmt: skip
        return cls(counted.text, counted.of, shares if counted.is_shown else None)


def _years() -> list[int]:
    newest = local(clock.now()).year
    return list(range(newest, newest - YEARS, -1))


def _sight(request: Request, visit: Visit) -> Sight:
    member, years = visit.member, _years()
    asked = request.args.get("year") or ""
    year = next((known for known in years if str(known) == asked), years[0])
    return Sight(sorted(catalogue().within(member.region_code)), member.agency_code, year)


def _name(matter_code: str) -> str:
    matter = catalogue().matters.get(matter_code)
    return matter.name if matter else matter_code


@blueprint.get(QUESTIONNAIRES)
@staff_only(*SEES_QUESTIONNAIRES)
async def questionnaires(request: Request, visit: Visit) -> HTTPResponse:
    sight = _sight(request, visit)
    rows = [
        (_name(row["matter_code"]), quote(row["matter_code"], safe=""), row["n"])
        for row in await figures.matters(sight)
    ]
    return show(
        request, "questionnaires.html", rows=rows, years=_years(), year=sight.year,
        most=figures.MATTERS_SHOWN, smallest=figures.SMALLEST,
    )  # fmt: skip


@blueprint.get(f"{QUESTIONNAIRES}/<matter_code>", unquote=True)
@staff_only(*SEES_QUESTIONNAIRES)
async def one_matter(request: Request, visit: Visit, matter_code: str) -> HTTPResponse:
    """The same page for a matter of another agency, for one without answers, and for none at all."""
    sight = _sight(request, visit)
    groups = [
        (group, [Line.of_counted(counted) for counted in group.questions])
        for group in await figures.groups(sight, matter_code)
    ]
    return show(
        request, "questionnaire.html", name=_name(matter_code) if groups else "", groups=groups,
        year=sight.year, choices=list(ANSWER_NAMES.values()), smallest=figures.SMALLEST,
    )  # fmt: skip
