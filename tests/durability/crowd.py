"""Windows that push receipts and citizens who rate them, and who do not give up."""

import asyncio
import random
import time
from typing import Any
from uuid import UUID

from durability.household import Household
from durability.ledger import Ledger, Pushed, Taken
from durability.wire import Answer, Line, Silence
from factories import HOUSING, LABOUR, a_receipt

BATCH = 9
BAD_SHARE = 0.1
REPEAT_SHARE = 0.03
"""How often a citizen presses the button once more after the answer."""
PATIENCE_SECONDS = 60


class Visitor:
    """One connection that first hands over receipts and then rates each of them."""

    def __init__(
        self, household: Household, ledger: Ledger, tokens: dict[str, str], seed: int
    ) -> None:
        self.line, self.ledger, self.tokens = Line(household.port), ledger, tokens
        self.random = random.Random(seed)
        self.name, self.count = f"群众{seed}", 0
        self.closing = False

    async def come_and_go(self) -> None:
        while not self.closing:
            agency = self.random.choice((HOUSING, LABOUR))
            pushed = [*await self._push_one(agency), *await self._push_batch(agency)]
            for receipt, code in pushed:
                if self.closing:
                    break
                await self._rate(receipt, code)
        self.line.hang_up()

    async def _push_one(self, agency: str) -> list[tuple[Pushed, str]]:
        form = a_receipt(agency)
        answer = await self._insist("/api/v1/receipts", form, self._key(), agency)
        return [self._note(agency, form, answer[0].content)] if answer else []

    async def _push_batch(self, agency: str) -> list[tuple[Pushed, str]]:
        forms = [a_receipt(agency) for _ in range(BATCH)]
        answer = await self._insist(
            "/api/v1/receipts/batch", {"receipts": forms}, self._key(), agency
        )
        if not answer:
            return []
        results = answer[0].content["results"]
        self.ledger.refused += [f"row {row}" for row in results if row["status"] not in (200, 201)]
        return [
            self._note(agency, form, row) for form, row in zip(forms, results, strict=True)
            if row["status"] in (200, 201)
        ]  # fmt: skip

    def _note(self, agency: str, form: dict[str, Any], row: dict[str, Any]) -> tuple[Pushed, str]:
        pushed = Pushed(agency, form, int(row["receipt_id"]))
        self.ledger.receipts.append(pushed)
        return pushed, str(row["review_url"]).rpartition("/")[2]

    async def _rate(self, receipt: Pushed, code: str) -> None:
        path, key, form = f"/api/v1/e/{code}/review", self._key(), self._verdict()
        answered = await self._insist(path, form, key)
        if not answered:
            return
        answer, attempts, asked_at = answered
        taken = Taken(code, receipt.receipt_id, key, form, answer.content, attempts, asked_at)
        self.ledger.reviews.append(taken)
        if self.random.random() < REPEAT_SHARE:
            await repeat(self.ledger, self.line, taken)

    def _verdict(self) -> dict[str, Any]:
        self.count += 1
        bad = self.random.random() < BAD_SHARE
        level = self.random.choice((1, 2) if bad else (3, 4, 5))
        tags = [f"{level}{self.random.randint(13, 19)}"] if bad or self.count % 3 == 0 else []
        return {"level": level, "tags": tags, "comment": f"{self.name}第{self.count}次"}

    def _key(self) -> str:
        return str(UUID(int=self.random.getrandbits(128)))

    async def _insist(
        self, path: str, form: Any, key: str, agency: str | None = None
    ) -> tuple[Answer, int, float] | None:
        """The same key until it is answered; a final refusal is noted as one too many."""
        headers = {"Idempotency_Key": key}
        if agency:
            headers["Authorization"] = f"Bearer {self.tokens[agency]}"
        end, attempts = time.monotonic() + PATIENCE_SECONDS, 0
        while time.monotonic() < end:
            attempts, asked_at = attempts + 1, time.time()
            try:
                answer = await self.line.ask("POST", path, form, **headers)
            except Silence as silence:
                self.ledger.retries[str(silence)] += 1
            else:
                if answer.status < 300:
                    self.ledger.heard()
                    return answer, attempts, asked_at
                if answer.status < 500:
                    break
                self.ledger.retries[str(answer.status)] += 1
            await asyncio.sleep(self.random.uniform(0.05, 0.25))
        self.ledger.refused.append(f"{path} {answer.status} {answer.body.decode()}")
        return None


async def repeat(ledger: Ledger, line: Line, taken: Taken) -> None:
    """The same request once more: the same answer, or no answer at all."""
    path = f"/api/v1/e/{taken.code}/review"
    try:
        again = await line.ask("POST", path, taken.form, Idempotency_Key=taken.key)
    except Silence:
        return
    if again.status < 500:
        ledger.repeated += 1
        if again.status != 201 or again.content != taken.answer:
            ledger.unequal.append(f"{taken.answer} then {again.status} {again.body.decode()}")


class Crowd:
    def __init__(self, household: Household, ledger: Ledger, size: int, seed: int) -> None:
        self.household, self.ledger, self.size, self.seed = household, ledger, size, seed

    async def __aenter__(self) -> "Crowd":
        tokens = {agency: await self.household.token(agency) for agency in (HOUSING, LABOUR)}
        self.visitors = [
            Visitor(self.household, self.ledger, tokens, self.seed * 100 + number)
            for number in range(self.size)
        ]  # fmt: skip
        self.ledger.heard()
        self.tasks = [asyncio.create_task(visitor.come_and_go()) for visitor in self.visitors]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whoever has begun is let finish."""
        for visitor in self.visitors:
            visitor.closing = True
        await asyncio.gather(*self.tasks)
