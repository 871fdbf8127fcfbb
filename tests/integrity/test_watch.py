"""The watch on real reviews: once each, by whoever, whatever dies; and what it forgets."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from factories import DISTRICT, HOUSING, LABOUR, REGION, City, a_bad_review
from integrity.plots import Plots
from integrity.processes import ended, started
from integrity.settling import Settled
from integrity.town import DAY, Town

from server.catalogue import service as catalogue
from server.catalogue.models import Policy
from server.integrity import fading, watch
from server.integrity.models import Suspicion, Trace
from server.integrity.watch import watch as look
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.reviews.models import Review
from server.settings import Settings
from server.worker import CRON, TICKS

MINUTE = timedelta(minutes=1)


async def rate(
    http: httpx.AsyncClient, city: City, *, after: float = 200, agency: str = HOUSING,
    review: dict[str, Any] | None = None, **receipt: Any,
) -> UUID:  # fmt: skip
    """A receipt, and its rating so many seconds later."""
    city.tokens.clear()  # they are old by then
    code = await city.code(http, agency, **receipt)
    clock.advanced += timedelta(seconds=after)
    answer = await http.post(f"/api/v1/e/{code}/review", json=review or {"level": 5})
    assert answer.status_code == 201, answer.text
    return (await Review.all().order_by("-at").first()).id  # type: ignore[union-attr]


async def found() -> set[tuple[UUID | None, str]]:
    return {(one.review_id, one.rule) for one in await Suspicion.all()}


async def policy(region: str = REGION, **changed: int) -> None:
    await Policy.update_or_create(changed, region_code=region)
    await catalogue.load()


async def test_a_review_is_traced_once_and_flagged_once(
    http: httpx.AsyncClient, city: City
) -> None:
    quick, slow = await rate(http, city, after=3), await rate(http, city)

    assert await look() == 2
    assert await look() == 0

    assert await found() == {(quick, "quick")}
    (one,) = await Suspicion.all()
    assert (one.state, one.agency_code, one.window_code) == ("open", HOUSING, "A1")
    assert json.loads(one.evidence) == {"seconds": 3, "threshold": 10}
    trace = await Trace.get(review_id=slow)
    assert (trace.seconds, trace.level, trace.undone, trace.channel) == (
        200,
        5,
        False,
        "receipt_qr",
    )
    assert trace.phone_key and trace.device_key is None


async def test_a_suspicion_is_due_in_the_days_that_the_supervisor_has(
    http: httpx.AsyncClient, city: City
) -> None:
    clock.advanced += datetime(2026, 9, 7, 10, tzinfo=BEIJING) - clock.now()
    await policy(supervise_days=3)
    await rate(http, city, after=1)
    await look()
    (one,) = await Suspicion.all()
    assert one.due_at.astimezone(BEIJING).isoformat() == "2026-09-10T23:59:59+08:00"


async def test_what_somebody_has_cleared_is_not_opened_again(
    http: httpx.AsyncClient, city: City
) -> None:
    await rate(http, city, after=1)
    await look()
    await Suspicion.all().update(state="cleared", decided_by=1, decided_at=clock.now())
    await sql.fetch("DELETE FROM traces")

    assert await look() == 1

    assert await Suspicion.filter(state="open").count() == 0


async def test_the_thresholds_are_those_of_the_agencys_own_region(
    http: httpx.AsyncClient, city: City
) -> None:
    await policy(DISTRICT, quick_seconds=60)
    await rate(http, city, after=30)
    theirs = await rate(http, city, after=30, agency=LABOUR)
    await look()
    assert await found() == {(theirs, "quick")}

    await policy(REGION, quick_seconds=0)
    await rate(http, city, after=1)
    await look()
    assert await found() == {(theirs, "quick")}, "a rule at rest"


async def test_one_phone_over_many_visits_is_flagged_from_the_first(
    http: httpx.AsyncClient, city: City
) -> None:
    await policy(same_phone=4)
    all_of_them = set()
    for _ in range(4):
        all_of_them.add(await rate(http, city, after=25 * 3600))
        await look()
        if len(all_of_them) < 4:
            assert await found() == set()
    await rate(http, city, applicant={"kind": 1, "name": "", "phone": "13900139000"})
    await look()
    assert await found() == {(one, "same_phone") for one in all_of_them}


async def test_a_phone_at_another_agency_is_another_group(
    http: httpx.AsyncClient, city: City
) -> None:
    await policy(same_phone=4)
    for agency in (HOUSING, LABOUR, HOUSING, LABOUR, HOUSING):
        await rate(http, city, after=25 * 3600, agency=agency)
    await look()
    assert await found() == set()


async def test_an_undone_review_is_seen_as_taken_back_whenever_it_was(
    http: httpx.AsyncClient, city: City
) -> None:
    code = await city.code(http)
    clock.advanced += 2 * MINUTE
    taken = (await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())).json()
    await look()
    assert not (await Trace.get()).undone
    await http.post(f"/api/v1/e/{code}/undo", json={"query_code": taken["query_code"]})

    assert await look() == 1

    assert (await Trace.get()).undone
    assert await look() == 0


async def test_bad_reviews_that_are_talked_away_at_one_window(
    http: httpx.AsyncClient, city: City
) -> None:
    await policy(undone_bad=3)
    better = set()
    for n in range(3):
        code = await city.code(http)
        clock.advanced += 2 * MINUTE
        taken = (await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())).json()
        if n == 1:
            await look()  # between the two
        await http.post(f"/api/v1/e/{code}/undo", json={"query_code": taken["query_code"]})
        clock.advanced += MINUTE
        await http.post(f"/api/v1/e/{code}/review", json={"level": 5})
        better.add((await Review.get(state="standing", receipt_id=int(n + 1))).id)
    await look()
    assert await found() == {(one, "undone") for one in better}


async def test_a_receipt_voided_or_issued_again_after_its_bad_review(
    http: httpx.AsyncClient, city: City
) -> None:
    bad = await rate(http, city, review=a_bad_review(), case_number="C-1")
    await look()
    row = await Review.get(id=bad)
    await sql.fetch(
        "INSERT INTO voids (region_code, agency_code, receipt_id, reason, asked_by, asked_at, state,"
        " decided_by, decided_at) VALUES ($1, $2, $3, '重复', 'staff:1', $4, 'voided', 2, $5)",
        REGION, HOUSING, row.receipt_id, clock.now() + MINUTE, clock.now() + 30 * MINUTE,
    )  # fmt: skip
    clock.advanced += 31 * MINUTE
    await look()
    assert await found() == {(bad, "voided")}, "no rating came since"

    again = await rate(http, city, case_number="C-1", service_number=2)
    next_step = await rate(http, city, case_number="C-1", service_number=3, stage="申报")
    same_phone = await rate(http, city, case_number="C-2")
    stranger = {"kind": 1, "name": "", "phone": "13900139000"}
    other = await rate(http, city, case_number="C-3", applicant=stranger)
    await look()

    flagged = await found()
    assert {(bad, "voided"), (again, "reissued"), (same_phone, "reissued")} == flagged
    assert {next_step, other}.isdisjoint({one for one, _ in flagged})


async def test_a_sentence_that_only_one_window_hears(http: httpx.AsyncClient, city: City) -> None:
    await policy(same_words=3)
    told, phrase = "王姐业务熟练，耐心讲解每一个步骤", "工作人员服务态度非常好"
    coached = set()
    for n in range(3):
        review = {"level": 5, "comment": told + "！🌹"[:n]}
        coached.add(await rate(http, city, review=review))
        for agency in (HOUSING, LABOUR):
            await rate(http, city, agency=agency, review={"level": 5, "comment": phrase})
    await look()
    assert await found() == {(one, "same_words") for one in coached}


async def test_a_rating_by_default_is_nobodys(http: httpx.AsyncClient, city: City) -> None:
    await city.receipt(http)
    await sql.fetch(
        "INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel,"
        " real_name, at, undo_until, query_key) SELECT gen_random_uuid(), id, region_code, 3, '{}', '',"
        " 'default', 'system', FALSE, issued_at, issued_at, 'q' FROM receipts"
    )
    assert await look() == 0


async def test_after_a_standstill_the_watch_catches_up(http: httpx.AsyncClient, city: City) -> None:
    first = await rate(http, city, after=1)
    await look()
    clock.advanced += 9 * DAY
    quick = {await rate(http, city, after=1)}
    clock.advanced += 3 * DAY
    quick.add(await rate(http, city, after=1))
    clock.advanced += 5 * DAY

    assert await look() == 2

    assert await found() == {(one, "quick") for one in {first, *quick}}
    assert await look() == 0


async def test_a_visit_without_a_slip_is_traced_without_seconds(
    http: httpx.AsyncClient, city: City
) -> None:
    answer = await http.post("/api/v1/h/H1/A1/review", json={"level": 5})
    assert answer.status_code == 201, answer.text
    assert await look() == 1
    trace = await Trace.get()
    assert (trace.channel, trace.window_code, trace.seconds) == ("static_qr", "A1", None)
    assert await found() == set()


async def test_a_platform_has_no_window_where_people_could_crowd(
    http: httpx.AsyncClient, city: City
) -> None:
    await rate(http, city, channel="online")
    await look()
    assert (await Trace.get()).window_code is None


async def test_a_review_that_is_there_later_than_its_time_says_is_not_lost(
    http: httpx.AsyncClient, city: City
) -> None:
    late, very_late = await rate(http, city), await rate(http, city)
    for number, delay in ((late, 5 * MINUTE), (very_late, 2 * DAY)):
        await Review.filter(id=number).update(at=clock.now() - delay)
    await sql.fetch("INSERT INTO watermarks (name, traced_to) VALUES ('watch', $1)", clock.now())

    assert await look() == 1
    assert await watch.watch_late() == 1
    assert await Trace.all().count() == 2


async def test_killed_between_trace_and_suspicion_the_round_was_never_begun(
    http: httpx.AsyncClient, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = await rate(http, city, after=1)

    async def killed(*_: Any) -> None:
        assert await Trace.all().count() == 1
        raise asyncio.CancelledError

    with monkeypatch.context() as patch, pytest.raises(asyncio.CancelledError):
        patch.setattr(watch, "_suspect", killed)
        await look()
    assert await Trace.all().count() == 0

    assert await look() == 1
    assert await found() == {(quick, "quick")}


async def test_watchers_at_once_and_one_that_is_killed_find_the_same_once(
    servers: Settings, city: City
) -> None:
    town = Plots(Town("A-many", clock.now() - 40 * DAY).live(3000)).plant(1)
    await Settled(town).settle()
    first = await started(servers)
    while not await sql.fetch("SELECT 1 FROM pg_locks WHERE relation = 'suspicions'::regclass"):
        if first.returncode is not None or first._transport.get_returncode() is not None:  # type: ignore[attr-defined]
            break
        await asyncio.sleep(0.02)
    if first.returncode is None:
        first.kill()
    await first.wait()
    at_work = [await started(servers) for _ in range(3)]
    await asyncio.gather(*map(ended, at_work))
    await look()

    traced, given = await Trace.all().count(), len(town.ratings)
    assert traced == given
    together = await found()
    assert together
    await sql.fetch("TRUNCATE traces, watermarks, suspicions, suspicion_looks")
    await look()
    assert await found() == together, "as one alone finds it"


async def test_what_a_rater_could_be_known_by_is_forgotten_in_time(
    http: httpx.AsyncClient, city: City
) -> None:
    await policy(trace_days=30)
    await policy(DISTRICT, trace_days=60)
    old, theirs = await rate(http, city, after=1), await rate(http, city, agency=LABOUR)
    await Review.all().update(device_key="k" * 22)
    await look()
    assert await fading.forget() == 0
    clock.advanced += 31 * DAY
    new = await rate(http, city)
    await Review.filter(id=new).update(device_key="k" * 22)
    await look()

    assert await fading.forget() == 2
    assert await fading.forget() == 0

    left = {one.review_id: one.device_key for one in await Trace.all()}
    assert left == {theirs: "k" * 22, new: "k" * 22}
    assert {r.id for r in await Review.filter(device_key__isnull=True)} == {old}
    assert (await Review.get(id=old)).level == 5 and await found() == {(old, "quick")}
    assert await look() == await watch.watch_late() == 0, "what was forgotten is not traced again"


def test_the_worker_watches_and_forgets() -> None:
    assert TICKS["watch_ratings"][1] is watch.watch
    assert {CRON["watch_late"][1], CRON["forget_traces"][1]} == {watch.watch_late, fading.forget}
