"""The auditor's look at the draws: how many there were to draw from, and whether drawing again from the
stored seed gives the same."""

from dataclasses import replace
from datetime import date
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.errors import Missing
from server.kit.web import BadQuery
from server.people.rules import Role
from server.people.service import Member
from server.reviews import callbacks, sampling
from server.web import paging
from server.web.console import show, staff_only
from server.web.page import see_other
from server.web.visit import SAMPLES, Visit

blueprint = Blueprint("console_samples")
PAGE = 20
SHOWN = 100
"""Of the drawn, in the order of the draw."""


class UnknownSample(Missing):
    code = "unknown_sample"
    title = "没有这一天的抽样"


@blueprint.get(SAMPLES)
@staff_only(Role.AUDITOR)
async def samples(request: Request, visit: Visit) -> HTTPResponse:
    try:
        found = paging.after(request, int)
    except BadQuery:
        return see_other(SAMPLES)
    after = (found[0], int(found[1])) if found else None
    rows = await sql.fetch(
        "SELECT s.*, count(b.*) FILTER (WHERE b.state = 'done') AS heard, "
        "count(b.*) FILTER (WHERE b.state = 'done' AND NOT b.satisfied) AS dissatisfied, "
        "count(b.order_number) AS orders "
        "FROM samples s LEFT JOIN call_backs b ON b.sample_id = s.id "
        "WHERE s.region_code = ANY($1::text[]) AND ($2::timestamptz IS NULL "
        "OR (s.drawn_at, s.id) < ($2, $3::bigint)) GROUP BY s.id "
        "ORDER BY s.drawn_at DESC, s.id DESC LIMIT $4",
        _regions(visit.member), *(after or (None, None)), PAGE + 1,
    )  # fmt: skip
    page, last = paging.cut(rows, PAGE)
    # What the supervisor of his region would see of it.
    rate = await callbacks.rate(replace(visit.member, role=Role.SUPERVISOR))
    cursor = paging.cursor(last["drawn_at"], last["id"]) if last else ""
    return show(
        request, "samples.html", rows=[_row(row) for row in page], rate=rate,
        first=SAMPLES if after else "", following=f"{SAMPLES}?cursor={cursor}" if cursor else "",
    )  # fmt: skip


def _regions(member: Member) -> list[str]:
    return sorted(catalogue().within(member.region_code))


def _row(row: Any) -> dict[str, Any]:
    region = catalogue().regions.get(row["region_code"])
    return dict(row) | {"region": region.name if region else row["region_code"]}


@blueprint.get(f"{SAMPLES}/<region_code>/<day>", name="drawn_again")
@staff_only(Role.AUDITOR)
async def drawn_again(request: Request, visit: Visit, region_code: str, day: str) -> HTTPResponse:
    if region_code not in _regions(visit.member):
        raise UnknownSample
    try:
        found = await sampling.draw_again(region_code, date.fromisoformat(day))
    except ValueError:
        raise UnknownSample from None
    if found is None:
        raise UnknownSample
    return show(
        request, "sample.html", row=_row(found.sample), left=found.left, shown=SHOWN,
        unexplained=found.unexplained, drawn=found.drawn,
    )  # fmt: skip
