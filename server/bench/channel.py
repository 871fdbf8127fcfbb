"""The rows without HTTP: what the worker does for the SMS channel, in the bench's own process.

One thing after another, as in a worker with little to do. The queue's own work, to take a job and to
log it, is on neither side.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, islice
from typing import Any, Protocol
from uuid import UUID

import msgspec

from server import database
from server.bench import meter, stock
from server.bench.channel_floor import Floor
from server.bench.ground import Ground
from server.bench.meter import Spent
from server.bench.report import Tally
from server.bench.script import SIDES
from server.kit import sql
from server.kit.clock import clock
from server.messages import inbox
from server.messages.delivery import deliver
from server.messages.gateways import Approved
from server.reviews import invitations, replies
from sms.pocket import Pocket

LEAST = 100
"""Receipts of a round: as many as are invited at a time."""
INVITED, SENT = "invitation", "message sent"


@dataclass(frozen=True)
class Reading:
    """In what portions replies come and are read."""

    name: str
    share: float
    """Of a round's replies."""
    push: int
    """Items of a push."""
    pushes: int = 1
    """That wait when the worker comes to read them."""


READINGS = (
    Reading("reply, 50 a push", 0.5, push=50),
    Reading("reply, 10 wait", 0.3, push=1, pushes=10),
    Reading("reply, alone", 0.2, push=1),
)
ROWS = (INVITED, SENT, *(reading.name for reading in READINGS))
_encode = msgspec.json.Encoder().encode


class Side(Protocol):
    async def invite(self, receipts: int) -> None: ...

    async def send(self, message: UUID) -> None: ...

    async def keep(self, body: bytes) -> None: ...

    async def read(self, pushes: Sequence[int]) -> None: ...


class App:
    """The worker's own functions."""

    def __init__(self) -> None:
        self._gateway = Pocket(Approved(), clock.now)

    async def invite(self, receipts: int) -> None:
        for work in (invitations.invite, invitations.ask):
            done = 0
            while done < receipts and (more := await work()):
                done += more

    async def send(self, message: UUID) -> None:
        await deliver(message, wanted=invitations.still_wanted, gateway=self._gateway)

    async def keep(self, body: bytes) -> None:
        await inbox.keep("up", body)

    async def read(self, pushes: Sequence[int]) -> None:
        await inbox.read()
        await replies.converse()


class Channel:
    """The rounds of one level; a receipt is used once."""

    def __init__(self, here: Ground, level: int, owner: int, requests: int, rounds: int) -> None:
        self._ground, self._settings, self._owner = here, here.settings(level), owner
        self._receipts = max(LEAST, requests // LEAST * LEAST)
        self._rounds = rounds
        self._phones: dict[str, dict[int, str]] = {}
        self._ids = count(10**15)
        self.tallies: dict[tuple[str, str], Tally] = {
            (row, side): Tally() for row in ROWS for side in SIDES
        }

    async def prepare(self) -> None:
        for side in SIDES:
            needed = self._receipts * (self._rounds + 1)
            self._phones[side] = await stock.receipts_to_invite(side, needed)

    async def run(self) -> None:
        await database.connect(self._settings, command_seconds=None)
        floor = await Floor.open(self._settings.database_url, self._owner)
        sides: dict[str, Side] = {"app": App(), "floor": floor}
        try:
            await _forget_callbacks()
            for number in range(self._rounds + 1):
                for name in SIDES if number % 2 else SIDES[::-1]:
                    start = number * self._receipts
                    chosen = islice(self._phones[name].items(), start, start + self._receipts)
                    spent = await self._round(name, sides[name], dict(chosen))
                    for row, cost in spent.items() if number else ():
                        self.tallies[row, name].each.append(cost)
                if not number:
                    # Plans that were made for empty tables are not measured.
                    await stock.finish()
        finally:
            await floor.close()
            await database.disconnect()

    async def _round(
        self, name: str, side: Side, phones: dict[int, str]
    ) -> dict[str, tuple[int, Spent]]:
        await _make_due(phones)
        spent = {INVITED: (len(phones), await self._measured(side.invite(len(phones))))}
        messages = await _messages(phones)
        spent[SENT] = (len(messages), await self._measured(_each(side.send, messages)))
        writers = iter(phones.values())
        for reading in READINGS:
            some = list(islice(writers, round(reading.share * len(phones))))
            spent[reading.name] = (len(some), await self._read(side, reading, some))
        if missing := len(phones) - await _rated(phones):
            tally = self.tallies[SENT, name]
            tally.wrong += missing
            tally.sample = f"{missing} of {len(phones)} replies were not rated"
        return spent

    async def _read(self, side: Side, reading: Reading, phones: list[str]) -> Spent:
        """Portion by portion; that they are stored is not measured."""
        spent, portion = Spent(0, 0, 0, 0), reading.push * reading.pushes
        for start in range(0, len(phones), portion):
            pushes = await self._pushed(side, phones[start : start + portion], reading.push)
            spent += await self._measured(side.read(pushes))
        return spent

    async def _pushed(self, side: Side, phones: list[str], size: int) -> list[int]:
        """Stored as the callback stores them; gives their ids."""
        (before,) = await sql.fetch("SELECT coalesce(max(id), 0) AS id FROM sms_pushes")
        for start in range(0, len(phones), size):
            writers = phones[start : start + size]
            await side.keep(_encode([stock.reply(phone, next(self._ids)) for phone in writers]))
        rows = await sql.fetch("SELECT id FROM sms_pushes WHERE id > $1", before["id"])
        return [row["id"] for row in rows]

    async def _measured(self, work: Awaitable[None]) -> Spent:
        postgres = self._ground.postgres.process
        return await meter.measured(work, postgres.pid if postgres else 0)


async def _forget_callbacks() -> None:
    """What came over HTTP is on nobody's bill here."""
    await sql.fetch("UPDATE sms_pushes SET read_at = received_at")


async def _make_due(phones: dict[int, str]) -> None:
    await sql.fetch(
        "UPDATE receipts SET invite_at = $2 WHERE id = ANY($1)",
        list(phones), clock.now() - timedelta(minutes=1),
    )  # fmt: skip


async def _messages(phones: dict[int, str]) -> list[UUID]:
    rows = await sql.fetch(
        "SELECT m.id FROM sms_messages m JOIN questions q ON q.id = m.about "
        "WHERE q.receipt_id = ANY($1) ORDER BY m.id",
        list(phones),
    )
    return [row["id"] for row in rows]


async def _rated(phones: dict[int, str]) -> int:
    """Receipts that stand as the reply said, with everything that belongs to it."""
    rows = await sql.fetch(
        "SELECT count(*) AS n FROM reviews v JOIN questions q ON q.review_id = v.id "
        "JOIN sms_replies s ON s.about = q.id JOIN sms_messages m ON m.about = q.id "
        "LEFT JOIN work_orders o ON o.origin_key = v.id "
        "WHERE v.receipt_id = ANY($1) AND v.state = 'standing' AND q.state = 'answered' "
        "AND s.outcome = 'rated' AND m.state = 'sent' AND (v.level > 2 OR o.number IS NOT NULL)",
        list(phones),
    )
    return int(rows[0]["n"])


async def _each(work: Callable[[Any], Awaitable[None]], items: Iterable[Any]) -> None:
    for item in items:
        await work(item)
