"""A client that costs little, in a process of its own; reads a plan from stdin, writes what came.

Without a rate every connection asks again as soon as it has its answer. With one, request n is due
at n/rate seconds, and its time is counted from then on, whether or not a connection was free: a
server that stalls is not spared the requests that it would have got in the meantime.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import msgspec
import uvloop

PATIENCE_SECONDS = 120
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


class Plan(msgspec.Struct):
    port: int
    requests: list[bytes]
    status: int
    connections: int = 32
    rate: float = 0
    marker: bytes = b""
    """Has to occur `times` times in every answer."""
    times: int = 0


class Outcome(msgspec.Struct):
    taken: list[float]
    """Milliseconds of every right answer."""
    wrong: int
    sample: str
    """The first wrong answer."""


def play(plan: Plan) -> Outcome:
    """Runs the plan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "server.bench.load"], input=msgspec.msgpack.encode(plan),
        capture_output=True, timeout=PATIENCE_SECONDS + 60, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(
            f"the client ended with {done.returncode}: {done.stderr.decode()[-800:]}"
        )
    return msgspec.msgpack.decode(done.stdout, type=Outcome)


class Line(asyncio.Protocol):
    """One connection, kept alive, one request at a time."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._came = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def ask(self, request: bytes) -> "asyncio.Future[bytes]":
        self._came = b""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._came += data
        end = self._came.find(b"\r\n\r\n")
        if end < 0 or self._answer is None or self._answer.done():
            return
        length = _LENGTH.search(self._came, 0, end)
        if len(self._came) >= end + 4 + (int(length[1]) if length else 0):
            self._answer.set_result(self._came)

    def connection_lost(self, _: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))


async def dial(port: int) -> Line:
    _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", port)
    line.transport.get_extra_info("socket").setsockopt(6, 1, 1)  # TCP_NODELAY
    return line


def _is_right(plan: Plan) -> Callable[[bytes], bool]:
    start = b"HTTP/1.1 %d " % plan.status

    def right(answer: bytes) -> bool:
        return answer.startswith(start) and (
            not plan.marker or answer.count(plan.marker) == plan.times
        )

    return right


async def _run(plan: Plan) -> Outcome:
    outcome, waiting = Outcome([], 0, ""), iter(enumerate(plan.requests))
    lines = [await dial(plan.port) for _ in range(min(plan.connections, len(plan.requests)))]
    started = time.perf_counter()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(_work(plan, outcome, waiting, line, started) for line in lines))
    return outcome


async def _work(
    plan: Plan, outcome: Outcome, waiting: Iterator[tuple[int, bytes]], line: Line, started: float
) -> None:
    right = _is_right(plan)
    for number, request in waiting:
        due = started + number / plan.rate if plan.rate else time.perf_counter()
        if plan.rate and (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        try:
            answer = await line.ask(request)
        except ConnectionError as error:
            answer, line = str(error).encode(), await dial(plan.port)
        if right(answer):
            outcome.taken.append((time.perf_counter() - due) * 1000)
        else:
            outcome.wrong += 1
            outcome.sample = outcome.sample or answer[:2000].decode(errors="replace")


if __name__ == "__main__":
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.msgpack.encode(uvloop.run(_run(asked))))
