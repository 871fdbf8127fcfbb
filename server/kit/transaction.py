"""A transaction that gives back what it took, also when it could not begin or was cut short.

Tortoise 1.1.9 keeps the connection and its mark in the task's context if BEGIN fails, or if a
cancellation meets the end of the transaction: under a database that comes and goes its pool runs dry,
and a client's connection answers 503 for ever.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tortoise.backends.base.client import TransactionContextPooled
from tortoise.connection import get_connections
from tortoise.transactions import in_transaction


@asynccontextmanager
async def transaction() -> AsyncIterator[Any]:
    """Commits at the end, rolls back on any error; inside another one it is a savepoint. Gives
    Tortoise's client."""
    context: Any = in_transaction()
    try:
        client = await context.__aenter__()
    except BaseException:
        _forget(context)
        await _give_back(context)
        raise
    try:
        yield client
    except BaseException as error:
        await _leave(context, error)
        raise
    await _leave(context, None)


async def _leave(context: Any, error: BaseException | None) -> None:
    try:
        await context.__aexit__(type(error) if error else None, error, None)
    finally:
        _forget(context)


def _forget(context: Any) -> None:
    """What comes later in this task is outside the transaction."""
    token = getattr(context, "token", None)
    if token is not None and not token._used:
        get_connections().reset(token)


async def _give_back(context: Any) -> None:
    if isinstance(context, TransactionContextPooled):
        client: Any = context.client
        if client._connection is not None and client._parent._pool:
            await client._parent._pool.release(client._connection)
