"""What stands below us is away: we say so at once, and go on as soon as it is back."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from durability.comparison import unfinished
from durability.household import Household, family, kill
from durability.wire import Answer, Line
from factories import HOUSING, a_bad_review, a_receipt

AWAY_SECONDS = 10.0
ANSWER_SECONDS = 3.0
FORGED = "/api/v1/e/aAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(scope="module")
async def household(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Household]:
    household = Household(Path(tmp_path_factory.mktemp("outages")))
    try:
        await household.open()
        yield household
    finally:
        await household.close()


class Window:
    """An agency's system and, in one, a citizen."""

    def __init__(self, household: Household, token: str) -> None:
        self.household, self.token = household, token

    async def timed(
        self, method: str, path: str, form: object = None, **headers: str
    ) -> tuple[Answer, float]:
        began, line = time.monotonic(), Line(self.household.port)
        answer = await line.ask(method, path, form, **headers)
        line.hang_up()
        return answer, time.monotonic() - began

    async def push(self) -> tuple[Answer, float]:
        return await self.timed(
            "POST", "/api/v1/receipts", a_receipt(), Authorization=f"Bearer {self.token}"
        )

    async def push_once(self) -> tuple[Answer, float]:
        return await self.timed(
            "POST", "/api/v1/receipts", a_receipt(), Authorization=f"Bearer {self.token}",
            Idempotency_Key=f"{time.monotonic_ns()}",
        )  # fmt: skip

    async def code(self) -> str:
        answer, _ = await self.push()
        return str(answer.content["review_url"]).rpartition("/")[2]

    async def rate(self, code: str) -> tuple[Answer, float]:
        return await self.timed("POST", f"/api/v1/e/{code}/review", a_bad_review())


@pytest.fixture
async def window(household: Household) -> Window:
    await household.answering(10)
    return Window(household, await household.token(HOUSING))


async def refused_for(
    window: Window, codes: list[str], seconds: float
) -> list[tuple[Answer, float]]:
    """Everything that a busy hall asks for so many seconds."""
    answers: list[tuple[Answer, float]] = []
    end = time.monotonic() + seconds

    async def asker(number: int) -> None:
        while time.monotonic() < end:
            asked = (window.push(), window.push_once(), window.rate(codes[number]))
            answers.extend(await asyncio.gather(*asked))
            await asyncio.sleep(0.1)

    await asyncio.gather(*(asker(number) for number in range(len(codes))))
    return answers


def assert_all_said_so_in_time(answers: list[tuple[Answer, float]]) -> None:
    slowest = max(took for _, took in answers)
    statuses = Counter(answer.status for answer, _ in answers)
    print(f"\n{dict(statuses)}, slowest {slowest:.2f} s")
    assert set(statuses) == {503}
    assert all(answer.headers.get("retry-after") for answer, _ in answers)
    assert slowest <= ANSWER_SECONDS


async def seconds_until_reviews_are_taken(window: Window, codes: list[str]) -> float:
    began = time.monotonic()
    for code in codes:
        answer, _ = await window.rate(code)
        while answer.status == 503 and time.monotonic() < began + 10:
            await asyncio.sleep(0.1)
            answer, _ = await window.rate(code)
        assert answer.status == 201, answer.body
    print(f"back after {time.monotonic() - began:.2f} s")
    return time.monotonic() - began


async def test_a_database_that_says_nothing_is_a_503_in_time_and_no_restart_is_needed(
    household: Household, window: Window
) -> None:
    assert household.postgres.process
    codes = [await window.code() for _ in range(8)]
    ended, pids = household.ended_alone, family(household.postgres.process.pid)
    kill(pids, signal.SIGSTOP)
    try:
        asking = asyncio.create_task(refused_for(window, codes, AWAY_SECONDS))
        await asyncio.sleep(1)
        alive, took = await window.timed("GET", "/healthz")
        ready, took_ready = await window.timed("GET", "/readyz")
        answers = await asking
    finally:
        kill(pids, signal.SIGCONT)
    assert await seconds_until_reviews_are_taken(window, codes) < 10
    assert_all_said_so_in_time(answers)
    assert (alive.status, ready.status) == (200, 503)
    assert ready.content["database"] == "unreachable"
    assert took < 1 and took_ready < ANSWER_SECONDS
    assert household.server.alive() and household.ended_alone - ended <= 1, (
        "only the worker may end"
    )


async def test_a_pool_without_a_free_connection_is_a_503_in_time(
    household: Household, window: Window
) -> None:
    codes = [await window.code() for _ in range(10)]
    holder = await asyncpg.connect(household.postgres.dsn)
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE receipts IN ACCESS EXCLUSIVE MODE")
            answers = await refused_for(window, codes, AWAY_SECONDS)
    finally:
        await holder.close()
    assert await seconds_until_reviews_are_taken(window, codes) < 10
    assert_all_said_so_in_time(answers)


async def usual_seconds(window: Window) -> float:
    """Of a request that asks Redis: the median of a few."""
    return sorted([(await window.timed("GET", FORGED))[1] for _ in range(5)])[2]


@pytest.mark.parametrize("sign", [signal.SIGSTOP, signal.SIGKILL])
async def test_without_redis_receipts_and_reviews_go_on(
    household: Household, window: Window, sign: signal.Signals
) -> None:
    assert household.valkey.process
    usual = await usual_seconds(window)
    kill([household.valkey.process.pid], sign)
    try:
        without = await usual_seconds(window)
        code = await window.code()
        answer, took = await window.rate(code)
        ready, _ = await window.timed("GET", "/readyz")
    finally:
        kill([household.valkey.process.pid], signal.SIGCONT)
        if sign == signal.SIGKILL:
            household.valkey.begin()
    print(
        f"\nunknown code {usual * 1000:.0f} → {without * 1000:.0f} ms, review {took * 1000:.0f} ms"
    )
    assert answer.status == 201
    assert took < 0.3 and without - usual <= 0.3
    assert (ready.status, ready.content["redis"]) == (200, "unreachable")
    await until_redis_is_back(window)


async def until_redis_is_back(window: Window) -> None:
    async with asyncio.timeout(10):
        while (await window.timed("GET", "/readyz"))[0].content["redis"] != "ok":
            await asyncio.sleep(0.1)


CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'haochaping' AND wait_event_type = 'Lock'
"""


@pytest.mark.parametrize("what", ["worker", "connection"])
async def test_a_job_cut_short_is_done_again_soon(
    household: Household, window: Window, what: str
) -> None:
    answer, _ = await window.rate(await window.code())
    number = answer.content["work_order"]["number"]
    holder = await asyncpg.connect(household.postgres.dsn)
    async with holder.transaction():
        await holder.fetch("SELECT 1 FROM work_orders WHERE number = $1 FOR UPDATE", number)
        jobs = await household.errand("errands", "1")
        await until_somebody_waits(household)
        if what == "connection":
            await household.sql(CUT)
        elif household.worker.process:
            kill([household.worker.process.pid])
    await holder.close()
    began = time.monotonic()
    assert await unfinished(household, jobs, 40) == set()
    print(f"\ndone {time.monotonic() - began:.1f} s after the end of the {what}")
    assert time.monotonic() - began < 12


async def until_somebody_waits(household: Household) -> None:
    async with asyncio.timeout(5):
        while not await household.sql(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.05)
