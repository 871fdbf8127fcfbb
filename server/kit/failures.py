"""Errors of the parts we stand on, as refusals."""

import asyncpg
from sanic.exceptions import SanicException
from tortoise.exceptions import (
    BaseORMException,
    DBConnectionError,
    OperationalError,
    ValidationError,
)

from server.kit.errors import Conflict, Invalid, Missing, NotJson, Refusal, TooLarge, Unavailable

DOWN = (
    OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError, asyncpg.TooManyConnectionsError, asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError, asyncpg.DeadlockDetectedError, DBConnectionError,
)  # fmt: skip
"""The database does not answer in time; nothing was stored, and the caller may try again."""


class Broken(Refusal):
    status = 500
    code = "internal_error"
    title = "系统出错，已记录；请稍后再试"


class NoSuchPage(Missing):
    title = "没有这个地址"


class BadRequest(Refusal):
    status = 400
    code = "bad_request"


class WrongMethod(Refusal):
    status = 405
    code = "method_not_allowed"
    title = "这个地址不接受这种请求"


class Unusual(BadRequest):
    """An answer of the HTTP server itself that has no words of ours."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status  # type: ignore[misc]


class Unstorable(Invalid):
    code = "unstorable"
    title = "内容中有无法保存的字符或数值"


_BY_STATUS: dict[int, type[Refusal]] = {
    400: BadRequest, 404: NoSuchPage, 405: WrongMethod, 409: Conflict, 413: TooLarge, 415: NotJson,
    408: Unavailable, 503: Unavailable,
}  # fmt: skip


def refusal_of(error: Exception) -> Refusal:
    """Every error as a refusal: expected ones as they are, a database that is away as 503."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, SanicException):
        known = _BY_STATUS.get(error.status_code)
        return known() if known else Unusual(error.status_code)
    if isinstance(error, ValidationError):
        # Tortoise checks what a query asks for like what it stores: longer than the column.
        return Unstorable()
    cause = error.__cause__ if isinstance(error, BaseORMException) else error
    if isinstance(error, DOWN) or isinstance(cause, DOWN):
        return Unavailable()
    if isinstance(error, OperationalError | asyncpg.DataError) and isinstance(
        cause, asyncpg.DataError
    ):
        return Unstorable()
    return Broken()
