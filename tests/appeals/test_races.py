"""Two at once: one comes first, the other is told so, and nothing is done twice."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from appeals.court import CLAIM, FOR, RULERS, Court
from appeals.test_hearing import BACK, OTHERS

from server.appeals import adjudication, exclusion, hearing, service, watch
from server.appeals.exclusion import Decision
from server.appeals.rules import Ballot
from server.appeals.service import Filing
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Refusal
from server.kit.transaction import transaction
from server.people.models import Staff
from server.people.service import Member
from server.reviews.models import Review
from server.reviews.rules import Excluded

ROUNDS = 4
YES = Ballot(True, Excluded.MISTAKEN)


async def member(username: str) -> Member:
    return Member.of(await Staff.get(username=username))


async def outcome(act: Awaitable[Any]) -> str:
    try:
        await act
    except Refusal as refusal:
        return refusal.code
    return "done"


async def at_once(*acts: Awaitable[Any]) -> list[str]:
    async with asyncio.timeout(30):
        return sorted(await asyncio.gather(*map(outcome, acts)))


async def count(table: str, where: str = "TRUE") -> int:
    (row,) = await sql.fetch(f"SELECT count(*) FROM {table} WHERE {where}")
    return int(row["count"])


async def test_of_two_appeals_at_once_one_is_filed(court: Court) -> None:
    handler, lead = await member("handler"), await member("lead")
    filing = Filing(ground=Excluded.MISTAKEN, text=CLAIM["text"])
    for _ in range(ROUNDS):
        number = (await court.scene.order())["number"]
        made = await at_once(*(service.file(who, number, filing) for who in (handler, lead) * 2))
        assert made == ["already_appealed"] * 3 + ["done"]
    assert await count("appeals") == ROUNDS


async def test_of_four_votes_at_once_two_rule_and_it_is_excluded_once(court: Court) -> None:
    who = [await member(name) for name in RULERS]
    for _ in range(ROUNDS):
        taken = await court.appealed()
        votes = (adjudication.vote(one, taken["case"], YES, "属实") for one in (*who, who[0]))
        made = await at_once(*votes)
        assert made.count("done") == 2 and made.count("appeal_ended") >= 2
    assert await count("exclusions") == ROUNDS
    assert await count("appeal_votes") == 2 * ROUNDS
    assert await count("work_orders", "state = 'dismissed'") == ROUNDS


async def test_a_vote_and_a_withdrawal_never_both_have_the_last_word(court: Court) -> None:
    first, second = [await member(name) for name in RULERS[:2]]
    handler = await member("handler")
    for _ in range(ROUNDS):
        taken = await court.appealed()
        await adjudication.vote(first, taken["case"], YES, "属实")
        made = await at_once(
            adjudication.vote(second, taken["case"], YES, "属实"),
            service.withdraw(handler, taken["number"]),
        )
        assert made in (["appeal_ended", "done"], ["done", "no_open_appeal"])
        (row,) = await sql.fetch("SELECT state FROM appeals ORDER BY at DESC LIMIT 1")
        excluded = await count("exclusions", f"case_id = '{taken['case']}'")
        assert (row["state"], excluded) in (("withdrawn", 0), ("upheld", 1))


async def test_of_statements_and_of_objections_at_once_one_is_heard(court: Court) -> None:
    for _ in range(ROUNDS):
        taken = await court.appealed(stated=False)
        review = await Review.get(order_number=taken["number"])
        made = await at_once(*(hearing.state(review, f"话{n}") for n in range(3)))
        assert made == ["already_stated"] * 2 + ["done"]
        await court.rule(taken["case"], FOR, FOR)
        made = await at_once(*(hearing.object_to(review, f"话{n}") for n in range(3)))
        assert made == ["already_objected"] * 2 + ["done"]


async def test_two_who_restore_at_once_open_one_order(court: Court) -> None:
    who = [await member(name) for name in OTHERS]
    for _ in range(ROUNDS):
        taken = await court.excluded()
        case = await court.objected(taken)
        made = await at_once(
            *(adjudication.vote(one, case, Ballot(True), BACK["text"]) for one in who)
        )
        assert made == ["done", "done"]
    assert await count("work_orders", "closed_at IS NULL") == ROUNDS


async def test_a_review_that_another_desk_excludes_in_the_same_moment_is_excluded_once(
    court: Court,
) -> None:
    first, second = [await member(name) for name in RULERS[:2]]

    async def gamed(number: str) -> None:
        async with transaction():
            review = await Review.select_for_update().get(order_number=number)
            await exclusion.exclude(review, "x", Decision(
                reason=Excluded.GAMED, words="刷评", first_id=1, second_id=2, at=clock.now(),
            ))  # fmt: skip

    for _ in range(ROUNDS):
        taken = await court.appealed()
        await adjudication.vote(first, taken["case"], YES, "属实")
        made = await at_once(
            adjudication.vote(second, taken["case"], YES, "属实"), gamed(taken["number"])
        )
        assert made in (["already_excluded", "done"], ["appeal_ended", "done"])
    assert await count("exclusions") == ROUNDS
    assert await count("appeals", "state = 'open'") == 0


async def test_many_workers_tell_of_a_late_case_once(court: Court) -> None:
    await court.appealed(stated=False)
    await sql.fetch("UPDATE appeals SET due_at = at - interval '1 day'")
    told = await asyncio.gather(*(watch.watch() for _ in range(4)))
    assert sum(told) == 1 and await count("alerts", "kind = 'appeal_late'") == 1
