"""Errors of the parts we stand on, as refusals; and how a refusal is written."""

import json
from collections.abc import Iterator

import asyncpg
import pytest
from sanic import exceptions as sanic
from tortoise.exceptions import DBConnectionError, OperationalError

from server.kit.errors import Fault, Invalid, Limited, Refusal
from server.kit.failures import refusal_of
from server.kit.web import problem


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Limited(), 429),
        (sanic.NotFound(), 404),
        (sanic.MethodNotAllowed("no", "GET", ["POST"]), 405),
        (sanic.BadRequest(), 400),
        (sanic.HeaderExpectationFailed(), 417),
        (sanic.PayloadTooLarge(), 413),
        (sanic.RequestTimeout(), 408),
        (sanic.RangeNotSatisfiable("no"), 416),
        (TimeoutError(), 503),
        (TimeoutError(), 503),
        (ConnectionRefusedError(), 503),
        (asyncpg.TooManyConnectionsError(), 503),
        (asyncpg.QueryCanceledError(), 503),
        (asyncpg.DeadlockDetectedError(), 503),
        (asyncpg.AdminShutdownError(), 503),
        (asyncpg.InterfaceError("closed"), 503),
        (DBConnectionError(), 503),
        (caused(OperationalError(), asyncpg.CannotConnectNowError()), 503),
        (asyncpg.DataError(), 422),
        (asyncpg.CharacterNotInRepertoireError(), 422),
        (asyncpg.NumericValueOutOfRangeError(), 422),
        (caused(OperationalError(), asyncpg.DataError()), 422),
        (caused(OperationalError(), asyncpg.SyntaxOrAccessError()), 500),
        (asyncpg.UniqueViolationError(), 500),
        (KeyError("13800138000"), 500),
        (sanic.ServerError("13800138000"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_error_has_its_status(error: Exception, status: int) -> None:
    refusal = refusal_of(error)
    # What the client did wrong is a 4xx whatever its number; only 408 may be told as "try again".
    expected = {417: (400, 417), 416: (400, 416), 408: (408, 503)}.get(status, (status,))
    assert refusal.status in expected


def test_an_unexpected_error_says_nothing_of_its_cause() -> None:
    body = problem(refusal_of(KeyError("13800138000")), "an-id").body.decode()
    assert "138" not in body
    assert "an-id" in body


def all_refusals(of: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    yield of
    for narrower in of.__subclasses__():
        yield from all_refusals(narrower)


def test_a_refusal_is_written_as_rfc_9457() -> None:
    answer = problem(Invalid("不对", errors=[Fault("level", "wrong", "<b>")]), "an-id")
    assert answer.content_type == "application/problem+json"
    assert json.loads(answer.body) == {
        "type": "/docs#invalid", "title": "填写的内容有误", "status": 422, "detail": "不对",
        "code": "invalid", "errors": [{"field": "level", "code": "wrong", "detail": "<b>"}],
        "instance": "urn:request:an-id",
    }  # fmt: skip


def test_a_limit_and_an_outage_say_when_to_come_again() -> None:
    for refusal in (Limited(), refusal_of(TimeoutError())):
        assert int(problem(refusal, "").headers["Retry-After"]) > 0
