"""A phone of a test: what it was sent, and what it writes back, without provider or worker."""

import itertools
import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from factories import HOUSING, REGION, City
from httpx import AsyncClient

from server.catalogue.models import Policy
from server.catalogue.service import load
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.privacy import vault
from server.reviews import invitations, news, replies
from server.reviews.sms_reviews import call_back

PHONE = "13800138000"
_ids = itertools.count(1)


async def tick() -> None:
    """What the worker does by itself, once."""
    await replies.converse()
    for job in await sql.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'news' RETURNING payload"):
        await news.tell(**json.loads(job["payload"]))
    await invitations.end_questions()
    await invitations.end_unsent()
    await call_back()
    await invitations.invite()
    await invitations.ask()


async def pass_time(by: timedelta) -> None:
    clock.advanced += by
    await tick()


@dataclass
class Handset:
    number: str = PHONE

    @property
    def key(self) -> str:
        return vault().fingerprint(self.number, "phone")

    async def writes(self, text: str, *, at: datetime | None = None, read: bool = True) -> int:
        """The reply as the inbox keeps it; gives its row's id."""
        said = {"phone": self.number, "text": text}
        n = next(_ids)
        (row,) = await sql.fetch(
            "INSERT INTO sms_replies (identity_key, origin_key, phone_key, content, at, received_at,"
            " outcome, note) VALUES ($1, $2, $3, $4, $5, $6, 'new', '') RETURNING id",
            f"i{n}", f"o{n}", self.key, vault().seal(json.dumps(said).encode(), "reply"),
            at or clock.now(), clock.now(),
        )  # fmt: skip
        if read:
            await tick()
        return int(row["id"])

    async def messages(self) -> list[dict[str, Any]]:
        rows = await sql.fetch(
            "SELECT * FROM sms_messages WHERE phone_key = $1 ORDER BY created_at, id", self.key
        )
        return [dict(row) | json.loads(vault().unseal(row["content"], "message")) for row in rows]

    async def purposes(self) -> list[str]:
        return [message["purpose"] for message in await self.messages()]

    async def outcomes(self) -> list[str]:
        rows = await sql.fetch(
            "SELECT outcome FROM sms_replies WHERE phone_key = $1 ORDER BY id", self.key
        )
        return [row["outcome"] for row in rows]

    async def questions(self) -> list[tuple[str, str]]:
        rows = await sql.fetch(
            "SELECT asking, state FROM questions WHERE phone_key = $1 ORDER BY id", self.key
        )
        return [(row["asking"], row["state"]) for row in rows]


async def reviews() -> list[dict[str, Any]]:
    """Oldest first."""
    return [dict(row) for row in await sql.fetch("SELECT * FROM reviews ORDER BY at, id")]


async def orders() -> list[dict[str, Any]]:
    return [
        dict(row) for row in await sql.fetch("SELECT * FROM work_orders ORDER BY opened_on, number")
    ]


def at_o_clock(hour: int, minute: int = 0) -> timedelta:
    """From now to the next time that the clock shows this."""
    now = clock.now()
    then = datetime.combine(now.date(), time(hour, minute), BEIJING)
    return (then if then > now else then + timedelta(days=1)) - now


async def policy(**changed: object) -> None:
    await Policy.filter(region_code=REGION).update(**changed)
    await load()


async def notified(http: AsyncClient, hall: City, agency: str = HOUSING) -> str:
    """The code of a receipt whose citizen has had his notice."""
    code = await hall.code(http, agency)
    await tick()
    return code
