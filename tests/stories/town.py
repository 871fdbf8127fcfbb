"""A town for the stories: citizens, phones and desks, all of them at the outside of the house."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from factories import HOUSING, SMS_SECRET, City
from httpx import AsyncClient, Response

from server import worker
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.messages.gateways import Approved
from server.people.models import Staff
from server.people.rules import Role
from sms.pocket import Pocket

MONDAY = datetime(2026, 9, 7, 10, tzinfo=BEIJING)
"""A fortnight without a holiday lies before it."""
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
UNDO = 11 * MINUTE
STEP = 3 * DAY
_NOT_OURS = frozenset({"draw_samples"})


def at(day: int, hour: int = 10, month: int = 9) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=BEIJING)


@dataclass
class Town:
    http: AsyncClient
    city: City
    pocket: Pocket = field(default_factory=lambda: Pocket(Approved(), clock.now))
    phones_are_on: bool = True
    """An SMS to a phone that is off was sent, and never reported as delivered."""
    outside: AsyncClient = field(default=None)  # type: ignore[assignment]
    """Where the citizens sit, if not at the clerks' machine."""
    _staff: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outside = self.outside or self.http

    # Time, and what the worker does in it

    async def works(self) -> None:
        """Everything that is due now, until nothing follows from it."""
        for _ in range(8):
            done = (
                await worker.sampling.Draws().draw()
            )  # the worker's own has seen other tests' days
            for name, (_, tick) in worker.TICKS.items():
                done += 0 if name in _NOT_OURS else await tick()
            if not done + await self._jobs() + await self._reports():
                return

    async def _jobs(self) -> int:
        jobs = await sql.fetch("DELETE FROM pgqueuer RETURNING entrypoint, payload")
        for job in jobs:
            known = json.loads(job["payload"] or b"{}")
            table = worker.JOBS | {"send": partial(worker.send, self.pocket)}
            await table[job["entrypoint"]](**known)
        return len(jobs)

    async def _reports(self) -> bool:
        if not self.phones_are_on:
            return False
        body = self.pocket.reports()
        if body == b"[]":
            return False
        await self._push("report", body)
        return True

    async def _push(self, kind: str, body: bytes) -> None:
        head = {"content-type": "application/json"}
        taken = await self.http.post(
            f"/callbacks/sms/{SMS_SECRET}/{kind}", content=body, headers=head
        )
        assert taken.status_code == 200, taken.text

    async def until(self, moment: datetime) -> None:
        """As a worker lives through it, with a nap now and then."""
        self._staff.clear()
        self.city.tokens.clear()
        while clock.now() + STEP < moment:
            clock.advanced += STEP
            await self.works()
        clock.advanced += moment - clock.now()
        await self.works()

    async def passes(self, by: timedelta) -> None:
        await self.until(clock.now() + by)

    # Phones

    async def texts(self, phone: str) -> list[str]:
        answer = await self.http.get(f"/demo/phone/{phone}/messages")
        return [message["text"] for message in answer.json()]

    async def replies(self, phone: str, text: str) -> None:
        await self._push("up", self.pocket.reply(phone, text))
        await self.works()

    # Desks

    async def hires(self, username: str, role: Role, agency_code: str | None) -> None:
        """With the password of them all."""
        (row,) = await Staff.filter(username="handler").values()
        del row["id"]
        changed = {"username": username, "name": username, "role": role, "agency_code": agency_code}
        await Staff.create(**(row | changed))

    async def staff(self, username: str) -> dict[str, str]:
        if username not in self._staff:
            self._staff[username] = await self.city.staff(self.http, username)
        return self._staff[username]

    async def tries(self, username: str, number: str, move: str, **body: Any) -> Response:
        path = f"/api/v1/work-orders/{number}/{move}"
        return await self.http.post(path, json=body, headers=await self.staff(username))

    async def does(self, username: str, number: str, move: str, **body: Any) -> dict[str, Any]:
        answer = await self.tries(username, number, move, **body)
        assert answer.status_code == 200, (move, answer.text)
        return dict(answer.json())

    async def refused(self, username: str, number: str, move: str, **body: Any) -> tuple[int, str]:
        answer = await self.tries(username, number, move, **body)
        assert answer.status_code >= 400, (move, answer.text)
        return answer.status_code, str(answer.json()["code"])

    async def reads(self, username: str, path: str) -> dict[str, Any]:
        answer = await self.http.get(f"/api/v1/{path}", headers=await self.staff(username))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def order(self, username: str, number: str) -> dict[str, Any]:
        return await self.reads(username, f"work-orders/{number}")

    async def view(self, username: str, view: str) -> list[str]:
        page = await self.reads(username, f"supervision/{view}")
        numbers = [order["number"] for order in page["items"]]
        counts = (await self.reads(username, "supervision"))["items"]
        assert {count["view"]: count["count"] for count in counts}[view] == len(numbers)
        return numbers

    # Citizens

    async def served(self, agency: str = HOUSING, **changed: Any) -> "Citizen":
        receipt = await self.city.receipt(self.http, agency, **changed)
        code = str(receipt["review_url"]).rpartition("/")[2]
        return Citizen(self, code, str(receipt["receipt_id"]))


@dataclass
class Citizen:
    """Somebody who holds a receipt."""

    town: Town
    code: str
    receipt_id: str
    query_code: str = ""
    number: str = ""
    head: dict[str, str] = field(default_factory=dict)
    """Of one who signed in from the mini-program."""

    async def tries(self, **review: Any) -> Response:
        return await self.town.outside.post(
            f"/api/v1/e/{self.code}/review", json=review, headers=self.head
        )

    async def rates(self, level: int, *, wait: bool = True, **review: Any) -> dict[str, Any]:
        answer = await self.tries(level=level, **({"tags": []} | review))
        assert answer.status_code == 201, answer.text
        taken = dict(answer.json())
        self.query_code = taken["query_code"]
        self.number = (taken["work_order"] or {}).get("number", "")
        if wait:
            await self.town.passes(UNDO)
        return taken

    async def invitation(self) -> dict[str, Any]:
        return dict((await self.town.outside.get(f"/api/v1/e/{self.code}")).json())

    async def track(self) -> dict[str, Any]:
        answer = await self.town.outside.get(f"/api/v1/track/{self.query_code}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def says(self, door: str, **body: Any) -> dict[str, Any]:
        answer = await self.town.outside.post(f"/api/v1/track/{self.query_code}/{door}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def words(self) -> list[str]:
        return [step["words"] for step in (await self.track())["work_order"]["steps"]]

    async def audited(self) -> list[tuple[int, str, str]]:
        found = await self.town.reads("auditor", f"audit/receipts/{self.receipt_id}")
        return [(one["level"], one["channel"], one["state"]) for one in found["reviews"]]
