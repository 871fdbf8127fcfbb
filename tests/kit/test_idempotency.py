"""The same key and body get the first answer again, for 24 hours; a refusal is not kept."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from factories import City

from server.kit import idempotency, sql
from server.kit.clock import clock
from server.kit.errors import Conflict
from server.kit.idempotency import Answer, BadKey, IdempotencyConflict, check_key, digest, once

ASKED = "digest-of-a-body"


def answering(*answers: Answer | Exception) -> tuple[Callable[[], Awaitable[Answer]], list[int]]:
    """An act that gives these answers in turn, and how often it was asked."""
    waiting, calls = list(answers), [0]

    async def act() -> Answer:
        calls[0] += 1
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return act, calls


async def test_the_second_request_gets_the_first_answer_and_does_nothing(city: City) -> None:
    act, calls = answering((201, b'{"first":1}'))
    for _ in range(3):
        assert await once("client:c", "key", ASKED, act) == (201, b'{"first":1}')
    assert calls == [1]


async def test_another_body_under_the_same_key_is_a_conflict(city: City) -> None:
    act, calls = answering((201, b"1"))
    await once("client:c", "key", ASKED, act)
    with pytest.raises(IdempotencyConflict) as refused:
        await once("client:c", "key", "another", act)
    assert (refused.value.status, refused.value.code) == (409, "idempotency_conflict")
    assert calls == [1]


@pytest.mark.parametrize(
    ("scope", "key"), [("client:d", "key"), ("client:c", "Key"), ("client", "c\nkey")]
)
async def test_another_caller_or_key_is_another_request(city: City, scope: str, key: str) -> None:
    act, _ = answering((200, b"1"), (200, b"2"))
    await once("client:c", "key", ASKED, act)
    if "\n" in key:
        with pytest.raises(BadKey):
            await once(scope, key, ASKED, act)
        return
    assert await once(scope, key, ASKED, act) == (200, b"2")


async def test_a_refusal_is_not_kept(city: City) -> None:
    act, calls = answering(Conflict(), (201, b"1"))
    with pytest.raises(Conflict):
        await once("client:c", "key", ASKED, act)
    assert await once("client:c", "key", ASKED, act) == (201, b"1")
    assert calls == [2]


async def test_an_answer_is_kept_for_24_hours_and_not_longer(city: City) -> None:
    act, calls = answering((201, b"1"), (201, b"2"))
    await once("client:c", "key", ASKED, act)
    clock.advanced += timedelta(hours=24) - timedelta(seconds=5)
    assert await once("client:c", "key", ASKED, act) == (201, b"1")
    clock.advanced += timedelta(seconds=10)
    assert await once("client:c", "key", "another body", act) == (201, b"2")
    assert calls == [2]


async def test_old_answers_are_forgotten_and_young_ones_kept(city: City) -> None:
    act, _ = answering((200, b"1"), (200, b"2"))
    await once("client:c", "old", ASKED, act)
    clock.advanced += timedelta(hours=25)
    await once("client:c", "young", ASKED, act)
    assert await idempotency.forget_old() == 1
    assert len(await sql.fetch("SELECT 1 FROM answered")) == 1


async def test_of_many_at_once_one_acts_and_all_get_its_answer(city: City) -> None:
    calls = 0

    async def act() -> Answer:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.05)
        return 201, b"only"

    answers = await asyncio.gather(*(once("client:c", "key", ASKED, act) for _ in range(8)))
    assert set(answers) == {(201, b"only")}
    assert calls == 1


async def test_neither_key_nor_caller_nor_answer_can_be_read_from_the_table(city: City) -> None:
    act, _ = answering((200, b'{"query_code":"SECRETSECRETSECR"}'))
    await once("client:agency-system", "visible-key", ASKED, act)
    (row,) = await sql.fetch("SELECT * FROM answered")
    stored = repr(dict(row))
    assert not any(word in stored for word in ("SECRET", "visible-key", "agency-system"))


@pytest.mark.parametrize("key", ["", "é", "键", "a\x00", "a\n", "\x7f", "a" * 256, "a" * 10_000])
def test_a_key_is_255_visible_ascii_characters_at_most(key: str) -> None:
    with pytest.raises(BadKey):
        check_key(key)


@pytest.mark.parametrize(
    "key", ["a", "a" * 255, "8e03978e-40d5-43e8-bc93-6894a57f9324", '"quoted key"']
)
def test_a_usual_key_is_taken(key: str) -> None:
    assert check_key(key) == key


def test_what_was_asked_is_method_path_and_body(app: object) -> None:
    asked = {
        digest(method, path, body)
        for method in ("POST", "PUT") for path in ("/a", "/b") for body in (b"", b"1")
    }  # fmt: skip
    assert len(asked) == 8
    assert digest("POST", "/a", b"1") in asked
