"""kill -9 of the worker in the middle of sending: nothing unsent, nothing sent twice.

The same run with a worker that does not ask the provider must show doubles, or the kills prove
nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from durability.outbox import Outbox, Outcome

SHORT, LONG = 4, 100


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.long),
    ],
)  # fmt: skip
async def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Outcome, Outcome]]:
    """With the question to the provider, and without; side by side, since both mostly wait."""
    folder = Path(tmp_path_factory.mktemp("kills"))
    asking = Outbox(folder / "a", "work")
    forgetful = Outbox(folder / "b", "forgetful")
    try:
        await asyncio.gather(asking.open(), forgetful.open())
        yield tuple(await asyncio.gather(  # type: ignore[misc]
            asking.storm(request.param, seed=1), forgetful.storm(request.param, seed=2)
        ))  # fmt: skip
    finally:
        await asyncio.gather(asking.close(), forgetful.close())


async def test_whatever_is_killed_every_message_goes_out_exactly_once(
    outcomes: tuple[Outcome, Outcome],
) -> None:
    outcome, _ = outcomes
    assert outcome.unsent == [] and outcome.doubled == []
    assert outcome.cut_short > 0 and outcome.asked > 0


async def test_without_the_question_to_the_provider_the_same_run_shows_doubles(
    outcomes: tuple[Outcome, Outcome],
) -> None:
    _, outcome = outcomes
    assert outcome.doubled


@pytest.mark.long
async def test_a_worker_that_stood_still_sends_nothing_that_another_has_taken_over(
    tmp_path: Path,
) -> None:
    outbox = Outbox(tmp_path, "work")
    try:
        await outbox.open()
        outcome = await outbox.standstill(3, seed=3)
    finally:
        await outbox.close()
    assert outcome.unsent == [] and outcome.doubled == []
    assert outcome.cut_short > 0 and outcome.asked > 0
