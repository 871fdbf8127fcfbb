"""A member of staff at his browser, without one: cookies, hidden fields, and what the page says."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from factories import JOINT_MATTER, LABOUR, City, a_bad_review, credentials

from server.kit import sql
from server.kit.clock import clock

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_ORDER = re.compile(r'<td[^>]*><a href="/console/orders/(\w+)"')
_TAB = re.compile(r'<a href="/console(?:\?show=(\w+))?"[^>]*>\S+ <b[^>]*>(\d+)</b>')


@dataclass
class Desk:
    """One browser."""

    client: httpx.AsyncClient
    fields: dict[str, str] = field(default_factory=dict)
    page: str = ""

    async def get(self, address: str, **query: Any) -> httpx.Response:
        return self._seen(await self.client.get(address, params=query or None))

    async def post(self, address: str, **fields: str) -> httpx.Response:
        """As the form on the last page would, unless a field says otherwise."""
        sent = {
            name: self.fields[name] for name in ("csrf", "next") if name in self.fields
        } | fields
        return self._seen(await self.client.post(address, data=sent))

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        found = {name: html.unescape(value) for name, value in _HIDDEN.findall(answer.text)}
        if answer.status_code != 303:
            self.fields, self.page = found or self.fields, answer.url.path
        return answer

    async def sign_in(self, username: str = "handler", **wrong: str) -> httpx.Response:
        if self.page != "/console/login":
            await self.get("/console/login")
        return await self.post("/console/login", **(credentials(username) | wrong))


@asynccontextmanager
async def a_desk(
    app: object, username: str = "", address: str = "http://pj.test"
) -> AsyncIterator[Desk]:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=address) as client:
        desk = Desk(client)
        if username:
            answer = await desk.sign_in(username)
            while answer.status_code == 303:
                answer = await desk.get(answer.headers["location"])
            assert answer.status_code == 200, answer.text
        yield desk


def listed(answer: httpx.Response) -> list[str]:
    """The orders in the tables of a page, in their order."""
    return _ORDER.findall(answer.text)


def tabs(answer: httpx.Response) -> dict[str, int]:
    return {key or "now": int(number) for key, number in _TAB.findall(answer.text)}


def forms(answer: httpx.Response) -> set[str]:
    """What the page of an order offers."""
    return set(re.findall(r'action="/console/orders/\w+/([a-z-]+)"', answer.text))


@dataclass(frozen=True)
class Case:
    """A bad review and its order."""

    number: str
    query_code: str
    review_code: str
    case_number: str


async def a_case(
    http: httpx.AsyncClient, city: City, *, agency: str | None = None, visible: bool = True,
    review: dict[str, Any] | None = None, **receipt: Any,
) -> Case:  # fmt: skip
    case_number = receipt.pop("case_number", None) or f"CASE-{clock.now().timestamp():.6f}-secret"
    chosen = {"agency": agency} if agency else {}
    code = await city.code(http, **chosen, case_number=case_number, **receipt)
    taken = await http.post(f"/api/v1/e/{code}/review", json=a_bad_review(**(review or {})))
    assert taken.status_code == 201, taken.text
    if visible:
        clock.advanced += timedelta(minutes=11)
    body = taken.json()
    return Case(body["work_order"]["number"], body["query_code"], code, case_number)


async def some_of_everything(http: httpx.AsyncClient, city: City) -> list[Case]:
    cases = [await a_case(http, city) for _ in range(7)]
    cases.append(await a_case(http, city, agency=LABOUR, matter_code=JOINT_MATTER))
    handler = await city.staff(http, "handler")
    for place, case in enumerate(cases[1:5], start=1):
        address = f"/api/v1/work-orders/{case.number}"
        await http.post(f"{address}/accept", json={}, headers=handler)
        if place > 1:
            body = {"disposition": "fixed", "text": "已改"}
            await http.post(f"{address}/answer", json=body, headers=handler)
        if place > 2:
            verdict = {"satisfied": place == 3, "comment": "没有改"}
            track = f"/api/v1/track/{case.query_code}/confirmation"
            assert (await http.post(track, json=verdict)).status_code == 200
    overdue = [cases[1].number, cases[5].number]
    await sql.fetch(
        "UPDATE work_orders SET next_due_at = $1 WHERE number = ANY($2::text[])",
        clock.now() - timedelta(days=3),
        overdue,
    )
    return cases
