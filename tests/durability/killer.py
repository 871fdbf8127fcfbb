"""Ends processes by force, in a seeded order, and starts again what does not come back by itself."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable

from durability.household import Household, kill

PATIENCE_SECONDS = 60
KINDS = ("postmaster", "backend", "server", "worker")


class Killer:
    def __init__(self, household: Household, seed: int) -> None:
        self.household, self.random = household, random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.slowest_return = 0.0

    async def go_round(self, enough: Callable[[], bool]) -> None:
        while not enough():
            for kind in self.random.sample(KINDS, len(KINDS)):
                await asyncio.sleep(self.random.uniform(0.3, 1.2))
                await self.kill(kind)
                if self.random.random() < 0.8:  # else the next one falls into the recovery
                    took = await self.household.answering(PATIENCE_SECONDS)
                    self.slowest_return = max(self.slowest_return, took)
                if enough():
                    break

    async def kill(self, kind: str) -> None:
        match kind:
            case "postmaster":
                await self.household.crash_postgres()
            case "backend":
                backends = self.household.backends()
                if not backends:
                    return
                kill([self.random.choice(backends)])
            case "server" | "worker":
                child = getattr(self.household, kind)
                if not child.alive():
                    return
                kill([child.process.pid])
                child.begin()
        self.kills[kind] += 1

    def told(self) -> str:
        return (
            f"{self.kills.total()} kills {dict(self.kills)}, ended by themselves "
            f"{self.household.ended_alone}, slowest return {self.slowest_return:.1f} s"
        )
