"""PostgreSQL, one real worker and the provider's endpoint: what becomes of messages under kills.

python -m durability.outbox work | forgetful | post: a worker, one that never asks the provider, and
a desk that posts messages.
"""

import asyncio
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from durability.household import Household, kill, until
from factories import HOUSING, REGION

sys.path.append(str(Path(__file__).parents[1] / "sms"))  # as its own conftest does

from provider import CHINA, Mood, Provider

from server import database, settings, worker
from server.catalogue.wordings import shipped
from server.embedded import Child
from server.kit.clock import clock
from server.kit.log import set_up
from server.kit.privacy import open_vault
from server.kit.transaction import transaction
from server.messages.gateways import gateway_of, own_code
from server.messages.rules import Purpose
from server.messages.service import Post, lock, post
from server.settings import Settings
from sms.gateway import Gateway, Message, Report, Sent

THINKING_SECONDS = 0.25
"""The provider's: a kill in that time leaves a message that it took and we know nothing of."""
A_SECOND = 4
STOPPED_SECONDS = 32
"""Longer than the lease and what follows it."""
PATIENCE_SECONDS = 90
"""For the pauses after the last kill: 8 s for its jobs, 20 s before the provider is asked."""


@dataclass
class Outcome:
    kills: int = 0
    cut_short: int = 0
    """Messages that were being sent when their worker died."""
    unsent: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    messages: int = 0
    asked: int = 0
    seconds: float = 0.0

    def told(self) -> str:
        return (
            f"{self.seconds:.0f} s: {self.kills} kills, {self.messages} messages, {self.cut_short} cut "
            f"short, asked {self.asked} times; unsent {len(self.unsent)}, doubled {len(self.doubled)}"
        )


class Outbox(Household):
    def __init__(self, folder: Path, kind: str) -> None:
        super().__init__(folder)
        text = shipped()[Purpose.THANKS, 1].text
        self.provider = Provider(
            {own_code(REGION, Purpose.THANKS): text}, clock=lambda: datetime.now(CHINA)
        )
        self.provider.always = Mood(delay=THINKING_SECONDS)
        self.env |= {
            "SMS_GATEWAY": "aliyun", "SMS_CALLBACK_SECRET": "s" * 24,
            "ALIYUN_ACCESS_KEY_ID": self.provider.key_id, "ALIYUN_PROTOCOL": "http",
            "ALIYUN_ACCESS_KEY_SECRET": self.provider.secret,
            "ALIYUN_DOMAIN": self.provider.domain,
        }  # fmt: skip
        self.worker = self._own("worker", kind, folder)
        self.second = self._own("second worker", kind, folder)
        self.desk = self._own("desk", "post", folder)

    def _own(self, name: str, word: str, folder: Path) -> Child:
        argv = (sys.executable, "-m", "durability.outbox", word)
        return Child(name, argv, folder / "log" / f"{name}.log", self.env)

    async def open(self) -> None:
        self.postgres.begin()
        await until(self.postgres.ready, 30)
        await self.errand("city")
        for child in (self.worker, self.desk):
            child.begin()

    async def close(self) -> None:
        for child in (self.desk, self.second):
            child.stop(2)
        await super().close()
        self.provider.stop()

    async def storm(self, kills: int, seed: int) -> Outcome:
        """Kills in the middle of sending, then peace until nothing is left to do."""
        chance, outcome, began = random.Random(seed), Outcome(), time.monotonic()
        while outcome.kills < kills:
            kill([await self._at_work(chance.uniform(0, 2 * THINKING_SECONDS))])
            self.worker.begin()
            outcome.kills += 1
            outcome.cut_short += await self._being_sent()
        return await self._end(outcome, began)

    async def standstill(self, stops: int, seed: int) -> Outcome:
        """A worker that stands still for longer than its lease, while another goes on."""
        chance, outcome, began = random.Random(seed), Outcome(), time.monotonic()
        for _ in range(stops):
            pid = await self._at_work(chance.uniform(0, 2 * THINKING_SECONDS))
            kill([pid], signal.SIGSTOP)
            outcome.cut_short += await self._being_sent()
            self.second.begin()
            await asyncio.sleep(STOPPED_SECONDS)
            kill([pid], signal.SIGCONT)
            self.second.stop(2)
        return await self._end(outcome, began)

    async def _at_work(self, later: float) -> int:
        """The worker's process, so many seconds after the provider took a message of its."""
        seen = len(self.provider.accepted)
        await until(lambda: len(self.provider.accepted) > seen, 30)
        await asyncio.sleep(later)
        assert self.worker.process and self.worker.alive(), self.worker.words()[-2000:]
        return self.worker.process.pid

    async def _end(self, outcome: Outcome, began: float) -> Outcome:
        self.desk.stop(2)
        await self._peace()
        await self._compare(outcome)
        outcome.seconds = time.monotonic() - began
        print(f"\n{outcome.told()}")
        return outcome

    async def _being_sent(self) -> int:
        rows = await self.sql(
            "SELECT 1 FROM sms_messages WHERE state = 'sending' AND sent_at > $1",
            datetime.fromtimestamp(time.time() - 3 * THINKING_SECONDS, CHINA),
        )
        return len(rows)

    async def _peace(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while await self.sql("SELECT 1 FROM sms_messages WHERE next_at IS NOT NULL LIMIT 1"):
            assert time.monotonic() < end, self.worker.words()[-2000:]
            await asyncio.sleep(0.5)

    async def _compare(self, outcome: Outcome) -> None:
        rows = await self.sql("SELECT id, state, provider_id FROM sms_messages")
        taken = Counter(one.out_id for one in self.provider.accepted)
        outcome.messages = len(rows)
        outcome.asked = sum(r["Action"] == "QuerySendDetails" for r in self.provider.requests)
        outcome.doubled = [name for name, times in taken.items() if times > 1]
        outcome.unsent = [
            f"{row['id']} {row['state']}" for row in rows
            if row["state"] != "sent" or row["id"].hex not in taken
        ]  # fmt: skip


class Forgetful:
    """A gateway that cannot be asked and says no: what sending again without asking would be."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def send(self, message: Message) -> Sent:
        return await self._gateway.send(message)

    async def ask(self, phone: str, out_id: str, day: date) -> Sent | Report | None:
        return None


async def keep_posting(where: Settings) -> None:
    """To one phone after another, until it is ended."""
    await database.connect(where)
    number = 0
    while True:
        await _posted(f"139{number:08d}")
        number += 1
        await asyncio.sleep(1 / A_SECOND)


async def _posted(phone: str) -> list[UUID]:
    now = clock.now()
    async with transaction():
        await lock([phone], now)
        return await post([Post(
            region_code=REGION, agency_code=HOUSING, purpose=Purpose.THANKS, phone=phone,
            values={"item": "公租房申请"}, not_before=now,
        )], now)  # fmt: skip


async def main(what: str) -> None:
    where = settings.read()
    open_vault(where.keys)
    if what == "post":
        return await keep_posting(where)
    set_up()
    gateway = gateway_of(where)
    assert gateway
    await worker.work(where, Forgetful(gateway) if what == "forgetful" else None)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
