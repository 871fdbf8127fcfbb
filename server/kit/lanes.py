"""Connections for single statements: what a pool does beyond taking and giving costs a fifth of one.

asyncpg's pool wraps every connection in a proxy and every release in a task of its own. Here a
connection is taken, used for one statement and given back; one that broke, or whose statement was
cancelled, is closed and replaced.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, Generic, TypeVar

import asyncpg

CONNECTION_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
WAIT_SECONDS = 1.0
"""For a free connection; then the caller is told that we are busy."""


class Lanes:
    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], most: int) -> None:
        self._connect = connect
        self._most = most
        self._open = 0
        self._idle: list[asyncpg.Connection] = []
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()

    async def fetch(self, statement: str, values: tuple[Any, ...]) -> list[asyncpg.Record]:
        connection = await self._take()
        try:
            rows = await connection.fetch(statement, *values)
        except asyncpg.PostgresError:
            self._give(connection)
            raise
        except BaseException:
            connection.terminate()
            self._give(connection)
            raise
        self._give(connection)
        return rows

    async def _take(self) -> asyncpg.Connection:
        while self._idle:
            if not (connection := self._idle.pop()).is_closed():
                return connection
            self._open -= 1
        if self._open < self._most:
            return await self._opened()
        free: asyncio.Future[asyncpg.Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(free)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                connection = await free
        except BaseException:
            if free.done() and not free.cancelled():
                # It was given to us in the moment in which we gave up.
                self._pass_on(free.result())
            raise
        return connection or await self._opened()

    async def _opened(self) -> asyncpg.Connection:
        self._open += 1
        try:
            return await self._connect()
        except BaseException:
            self._open -= 1
            self._pass_on(None)
            raise

    def _give(self, connection: asyncpg.Connection) -> None:
        if connection.is_closed():
            self._open -= 1
            self._pass_on(None)
        else:
            self._pass_on(connection)

    def _pass_on(self, connection: asyncpg.Connection | None) -> None:
        """To the one who has waited longest; None tells him that he may open one."""
        while self._waiting:
            if not (free := self._waiting.popleft()).done():
                free.set_result(connection)
                return
        if connection is not None:
            self._idle.append(connection)

    async def close(self) -> None:
        while self._idle:
            self._open -= 1
            await self._idle.pop().close(timeout=2)


Asked = TypeVar("Asked")
Told = TypeVar("Told")


class Gathered(Generic[Asked, Told]):
    """What comes in one turn of the event loop is done with one statement.

    Under load a statement's overhead is most of its cost; alone nobody waits for anybody.
    """

    def __init__(self, act: Callable[[list[Asked]], Awaitable[list[Told]]]) -> None:
        """`act` gives one answer for each that was asked, in their order."""
        self._act = act
        self._waiting: list[tuple[Asked, asyncio.Future[Told]]] = []
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Told:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            # In a context of its own: a caller's transaction is not the others'.
            loop.call_soon(self._start, context=Context())
        answer: asyncio.Future[Told] = loop.create_future()
        self._waiting.append((asked, answer))
        return await answer

    def _start(self) -> None:
        waiting, self._waiting = self._waiting, []
        task = asyncio.create_task(self._answer(waiting))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, waiting: list[tuple[Asked, asyncio.Future[Told]]]) -> None:
        try:
            told = await self._act([asked for asked, _ in waiting])
        except Exception as error:
            if len(waiting) > 1 and not isinstance(error, CONNECTION_LOST):
                # One of them may be at fault; the others must not pay for it.
                for one in waiting:
                    await self._answer([one])
                return
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), result in zip(waiting, told, strict=True):
            if not answer.done():
                answer.set_result(result)
