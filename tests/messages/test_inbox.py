"""What was pushed is read item by item, and every reply is one row, however often it came."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import KEYS
from factories import DISTRICT, HOUSING, REGION
from httpx import AsyncClient
from messages.pushes import (
    PHONE,
    REPORT,
    WORDS,
    a_reply,
    count,
    heard,
    provider_time,
    push,
)

from server.catalogue import service as catalogue
from server.catalogue.models import Policy
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.ids import new_id
from server.kit.privacy import open_vault, vault
from server.messages import inbox
from server.messages.forgetting import forget

pytestmark = pytest.mark.usefixtures("city")
OTHER = "13900139000"


async def replies() -> list[dict[str, Any]]:
    """As they stand, unsealed."""
    rows = await sql.fetch("SELECT * FROM sms_replies ORDER BY id")
    return [dict(r) | json.loads(vault().unseal(r["content"], "reply")) for r in rows]


async def set_aside() -> list[tuple[int, str]]:
    """Place and item."""
    rows = await sql.fetch("SELECT place, item FROM sms_set_aside ORDER BY place")
    return [(r["place"], vault().unseal(r["item"], "push").decode()) for r in rows]


async def test_a_reply_is_kept_as_it_was_written_and_found_by_its_phone(http: AsyncClient) -> None:
    sent = a_reply(f" {WORDS}😀\n", "+86 138-0013-8000", send_time="2026-11-21 10:08:00")

    assert await heard(http, sent) == 1

    (row,) = await replies()
    assert (row["phone"], row["text"], row["outcome"]) == (PHONE, f" {WORDS}😀\n", "new")
    assert row["at"] == datetime(2026, 11, 21, 10, 8, tzinfo=BEIJING)
    assert row["phone_key"] == vault().fingerprint(PHONE, "phone")
    (phone,) = await sql.fetch("SELECT * FROM sms_phones")
    assert tuple(phone) == (row["phone_key"], "138****8000", None)
    (push_,) = await sql.fetch("SELECT * FROM sms_pushes")
    assert push_["read_at"] >= push_["received_at"] == row["received_at"]


async def test_of_500_items_the_bad_ones_are_set_aside_one_by_one(http: AsyncClient) -> None:
    items: list[Any] = [a_reply(str(n), f"138{n:08d}") for n in range(500)]
    bad = {3: None, 77: 7, 78: "x", 200: [], 201: {}, 202: {**items[202], "phone_number": "110"},
           203: {**items[203], "send_time": "99"}, 499: {"content": WORDS}}  # fmt: skip
    for place, item in bad.items():
        items[place] = item

    assert await heard(http, *items) == 492

    assert [row["text"] for row in await replies()] == [
        str(n) for n in range(500) if n not in bad
    ], "in the order of the push"
    aside = await set_aside()
    assert [place for place, _ in aside] == list(bad)
    assert [json.loads(item) for _, item in aside][-1] == {"content": WORDS}
    reasons = await sql.fetch("SELECT DISTINCT reason FROM sms_set_aside")
    assert not any(WORDS in row["reason"] or PHONE in row["reason"] for row in reasons)


async def test_fields_that_nobody_knows_are_passed_over(http: AsyncClient) -> None:
    assert await heard(http, a_reply(sign_name="政务", extra={"a": [1]}, level=5)) == 1


async def test_two_replies_of_one_second_stay_in_their_order(http: AsyncClient) -> None:
    texts = ["1", "排队", "两个", "小时", "2"]
    assert await heard(http, *(a_reply(text) for text in texts)) == 5
    assert [row["text"] for row in await replies()] == texts
    assert len({row["at"] for row in await replies()}) == 1


Again = Callable[[dict[str, Any]], dict[str, Any]]
SAME: dict[str, Again] = {
    "as it was": lambda r: r,
    "with the id as a number": lambda r: r | {"sequence_id": int(r["sequence_id"])},
    "with the id as a double": lambda r: r | {"sequence_id": float(r["sequence_id"])},
    "under another id": lambda r: r | {"sequence_id": "1"},
    "without an id": lambda r: {name: v for name, v in r.items() if name != "sequence_id"},
    "with another way to write the phone": lambda r: r | {"phone_number": f"+86{PHONE}"},
    "with a compact time": lambda r: r | {"send_time": "20261121100800"},
    "with another field": lambda r: r | {"dest_code": "10691", "sign_name": "x"},
    "with its words changed on the way": lambda r: r | {"content": "\ufffd"},
}


@pytest.mark.parametrize("how", SAME)
async def test_a_reply_that_comes_again_is_the_same_reply(http: AsyncClient, how: str) -> None:
    first = a_reply(send_time="2026-11-21 10:08:00")
    again = SAME[how](first)
    assert await heard(http, first, again, first) == 1, "in one push"
    assert await heard(http, again) == 0, "in another"
    clock.advanced += timedelta(days=60)
    assert await heard(http, again, first) == 0, "months later"
    ((seen,), (push_,)) = (
        await replies(),
        await sql.fetch("SELECT min(read_at) AS at FROM sms_pushes"),
    )
    assert seen["text"] == "1" and seen["received_at"] < push_["at"]


@pytest.mark.parametrize(
    "other",
    [{"phone_number": OTHER}, {"content": "2", "sequence_id": "1"},
     {"send_time": "2026-11-21 10:08:01", "sequence_id": "1"}],
)  # fmt: skip
async def test_another_reply_is_another_reply(http: AsyncClient, other: dict[str, str]) -> None:
    """Also of a second person under an id that the provider used twice."""
    first = a_reply(send_time="2026-11-21 10:08:00")
    assert await heard(http, first, first | other) == 2


@pytest.fixture
def rotated() -> Iterator[Callable[[dict[str, bytes]], None]]:
    yield open_vault
    open_vault(KEYS)


async def test_a_reply_that_comes_again_after_a_change_of_keys_is_the_same_reply(
    http: AsyncClient, rotated: Callable[[dict[str, bytes]], None]
) -> None:
    first = a_reply()
    assert await heard(http, first) == 1
    await push(http, first)
    rotated({"b": b"n" * 32} | KEYS)
    assert await heard(http, first, a_reply("2"), first | {"sequence_id": "1"}) == 1
    assert [row["text"] for row in await replies()] == ["1", "2"]


async def test_a_push_under_a_withdrawn_key_is_set_aside_and_not_tried_for_ever(
    http: AsyncClient, rotated: Callable[[dict[str, bytes]], None]
) -> None:
    await push(http, a_reply())
    rotated({"b": b"n" * 32})
    assert await inbox.read() == 0
    (row,) = await sql.fetch("SELECT place, item FROM sms_set_aside")
    assert (row["place"], row["item"]) == (inbox.WHOLE, None)
    assert await count("sms_pushes WHERE body IS NOT NULL AND read_at IS NOT NULL") == 1
    clock.advanced += timedelta(hours=1)
    assert await inbox.find_unread() == 0


async def test_what_turns_out_to_be_no_array_is_set_aside_as_a_whole() -> None:
    await inbox.keep("up", b'{"phone_number": "13800138000"}')
    assert await inbox.read() == 0
    assert await count(f"sms_set_aside WHERE place = {inbox.WHOLE}") == 1


async def test_a_push_is_read_once_whoever_comes_at_the_same_moment(http: AsyncClient) -> None:
    await push(http, *(a_reply(str(n), f"138{n:08d}") for n in range(50)), None)
    news = await asyncio.gather(*(inbox.read() for _ in range(8)))
    assert sum(news) == 50
    assert (await count("sms_replies"), await count("sms_set_aside")) == (50, 1)


async def test_readers_of_the_same_replies_in_opposite_order_do_not_block_each_other(
    http: AsyncClient,
) -> None:
    items = [a_reply(str(n), f"138{n:08d}") for n in range(300)]
    for turn in range(40):
        again = [item | {"sequence_id": f"{turn}-{n}"} for n, item in enumerate(items)]
        await push(http, *(items if turn % 2 else again[::-1]))
    news = await asyncio.gather(*(inbox.read() for _ in range(8)))
    assert sum(news) == await count("sms_replies") == 300


async def test_a_push_that_the_database_refuses_is_set_aside_alone(
    http: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """By a rule that we do not know of."""
    await sql.fetch(
        "ALTER TABLE sms_phones ADD CONSTRAINT unforeseen CHECK (masked <> '139****9000')"
    )
    try:
        for phone in (PHONE, OTHER, "13700137000"):
            await push(http, a_reply(phone=phone))
        assert await inbox.read() == 2
    finally:
        await sql.fetch("ALTER TABLE sms_phones DROP CONSTRAINT unforeseen")
    (row,) = await sql.fetch("SELECT place, reason FROM sms_set_aside")
    assert tuple(row) == (inbox.WHOLE, "cannot be stored: CheckViolationError")
    assert [r.msg for r in caplog.records if r.levelno == logging.ERROR] == [
        "a push cannot be read"
    ]


# Jobs


async def jobs() -> int:
    return await count("pgqueuer WHERE entrypoint = 'read_push' AND status = 'queued'")


async def test_pushes_of_one_moment_share_a_job_and_it_reads_them_all(http: AsyncClient) -> None:
    for number in range(100):
        await push(http, a_reply(str(number)))
    assert 1 <= await jobs() < 100
    assert await inbox.read() == 100


async def test_a_push_whose_job_was_lost_gets_another(http: AsyncClient) -> None:
    await push(http, a_reply())
    await sql.fetch("DELETE FROM pgqueuer")
    assert await inbox.find_unread() == 0, "it has just come"
    clock.advanced += timedelta(seconds=2)
    assert await inbox.find_unread() == await jobs() == 1

    assert await inbox.read() == 1
    clock.advanced += timedelta(seconds=2)
    assert await inbox.find_unread() == 0


# Reports


async def a_message(*, region: str = REGION, days: int = 0, state: str = "sent") -> str:
    """One that was taken by the provider; gives its OutId."""
    number, at = new_id(), clock.now() - timedelta(days=days, minutes=1)
    await sql.fetch(
        "INSERT INTO sms_messages (id, region_code, agency_code, purpose, phone_key, content, parts,"
        " state, tries, created_at, next_at, sent_at) "
        "VALUES ($1, $2, $3, 'notice', $4, $5, 1, $6, 1, $7, $8, $7)",
        number, region, HOUSING, vault().fingerprint(PHONE, "phone"),
        vault().seal(b"{}", "message"), state, at, at if state == "queued" else None,
    )  # fmt: skip
    return number.hex


async def test_reports_reach_their_messages_and_the_bad_ones_are_set_aside(
    http: AsyncClient,
) -> None:
    delivered, failed = await a_message(), await a_message()
    told = {"phone_number": PHONE, "send_time": provider_time(), "report_time": provider_time()}
    items = [
        told | {"out_id": delivered, "success": True, "err_code": "DELIVERED", "biz_id": 1},
        {"neither": "id"},
        told | {"out_id": failed, "success": False, "err_code": "MOBILE_NOT_ON_SERVICE"},
        told | {"out_id": "foreign", "success": True},
    ]

    assert await heard(http, *items, path=REPORT) == 2
    assert await heard(http, *items, path=REPORT) == 0

    rows = await sql.fetch("SELECT replace(id::text, '-', '') AS id, state, code FROM sms_messages")
    assert {tuple(row) for row in rows} == {
        (delivered, "delivered", "DELIVERED"), (failed, "failed", "MOBILE_NOT_ON_SERVICE"),
    }  # fmt: skip
    assert [place for place, _ in await set_aside()] == [1, 1], "of either push"


# Forgetting


async def emptied() -> dict[str, int]:
    found = {}
    for table, column in (
        ("sms_messages", "content"), ("sms_replies", "content"), ("sms_set_aside", "item"),
        ("sms_pushes", "body"),
    ):  # fmt: skip
        found[table] = await count(f"{table} WHERE {column} IS NULL")
    return found


async def test_words_and_phones_go_after_the_policys_days_and_the_rest_stays(
    http: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await heard(http, a_reply(), None)
    await sql.fetch("UPDATE sms_replies SET outcome = 'unclear'")
    await a_message()
    clock.advanced += timedelta(days=89)
    assert set((await forget(clock.now())).values()) == {0}

    clock.advanced += timedelta(days=2)
    with caplog.at_level(logging.INFO):
        done = await forget(clock.now())

    assert done == await emptied() == dict.fromkeys(done, 1)
    (line,) = [r for r in caplog.records if r.msg == "messages forgotten"]
    assert line.__dict__["reason"] == (
        "sms_messages 1, sms_replies 1, sms_set_aside 1, sms_pushes 1"
    )
    (reply,) = await sql.fetch("SELECT outcome, phone_key FROM sms_replies")
    assert tuple(reply) == ("unclear", vault().fingerprint(PHONE, "phone"))
    (message,) = await sql.fetch("SELECT state, code, phone_key FROM sms_messages")
    assert tuple(message) == ("sent", None, None)
    assert set((await forget(clock.now())).values()) == {0}


async def test_a_region_may_forget_sooner_and_what_has_no_region_follows_the_slowest(
    http: AsyncClient,
) -> None:
    await Policy.create(region_code=DISTRICT, message_days=10)
    await Policy.filter(region_code=REGION).update(message_days=40)
    await catalogue.load()
    for region in (REGION, DISTRICT, "990199000000"):
        await a_message(region=region, days=20)
    await heard(http, a_reply())
    await sql.fetch("UPDATE sms_replies SET outcome = 'unknown'")

    assert (await forget(clock.now()))["sms_messages"] == 1
    clock.advanced += timedelta(days=30)
    done = await forget(clock.now())
    assert (done["sms_messages"], done["sms_replies"], done["sms_pushes"]) == (2, 0, 0)
    clock.advanced += timedelta(days=11)
    assert (await forget(clock.now()))["sms_replies"] == 1


async def test_what_nobody_has_read_yet_is_not_forgotten_and_what_was_never_sent_is_not_sent(
    http: AsyncClient,
) -> None:
    await heard(http, a_reply("1"))
    await push(http, a_reply("2"), None)
    await a_message(state="queued")
    clock.advanced += timedelta(days=91)

    done = await forget(clock.now())

    assert (done["sms_replies"], done["sms_pushes"], done["sms_messages"]) == (0, 1, 1)
    (message,) = await sql.fetch("SELECT state, code, next_at FROM sms_messages")
    assert tuple(message) == ("cancelled", "forgotten", None)
    assert await inbox.read() == 1
