"""The client of the lifecycles, in a process of its own: each connection lives one after the other,
and asks next what the last answer told it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import uvloop

from server.bench.load import PATIENCE_SECONDS, Line, dial


class Lives(msgspec.Struct):
    port: int
    receipts: list[bytes]
    """A body for each life."""
    review: bytes
    answer: bytes
    windows: str
    """Token of the system that issues receipts."""
    handler: str
    connections: int = 32


class Lived(msgspec.Struct):
    taken: list[float]
    """Milliseconds of every life that came to its end."""
    seconds: float
    wrong: int
    sample: str
    """The first wrong answer."""


def live(lives: Lives) -> Lived:
    """In a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "server.bench.lives"], input=msgspec.msgpack.encode(lives),
        capture_output=True, timeout=PATIENCE_SECONDS + 60, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(
            f"the client ended with {done.returncode}: {done.stderr.decode()[-800:]}"
        )
    return msgspec.msgpack.decode(done.stdout, type=Lived)


class _Wrong(Exception):
    """Another answer than the one that leads on."""


def _post(path: str, body: bytes, token: str = "") -> bytes:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: pj.example.gov.cn\r\nContent-Type: application/json\r\n"
        f"{bearer}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _told(line: Line, request: bytes, status: int) -> Any:
    answer = await line.ask(request)
    if not answer.startswith(b"HTTP/1.1 %d " % status):
        raise _Wrong(answer[:2000].decode(errors="replace"))
    return msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])


async def _one(line: Line, lives: Lives, receipt: bytes) -> None:
    """Receipt, bad review, accepted, answered, confirmed."""
    issued = await _told(line, _post("/api/v1/receipts", receipt, lives.windows), 201)
    code = issued["review_url"].rpartition("/")[2]
    taken = await _told(line, _post(f"/api/v1/e/{code}/review", lives.review), 201)
    order = f"/api/v1/work-orders/{taken['work_order']['number']}"
    await _told(line, _post(f"{order}/accept", b"{}", lives.handler), 200)
    await _told(line, _post(f"{order}/answer", lives.answer, lives.handler), 200)
    said = _post(
        f"/api/v1/track/{taken['query_code']}/confirmation", b'{"satisfied":true,"comment":""}'
    )
    told = await _told(line, said, 200)
    if told["work_order"]["state"] != "closed":
        raise _Wrong(str(told["work_order"]))


async def _run(lives: Lives) -> Lived:
    lived, waiting = Lived([], 0.0, 0, ""), iter(lives.receipts)
    lines = [await dial(lives.port) for _ in range(min(lives.connections, len(lives.receipts)))]
    started = time.perf_counter()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(_work(lives, lived, waiting, line) for line in lines))
    lived.seconds = time.perf_counter() - started
    return lived


async def _work(lives: Lives, lived: Lived, waiting: Iterator[bytes], line: Line) -> None:
    for receipt in waiting:
        born = time.perf_counter()
        try:
            await _one(line, lives, receipt)
        except (_Wrong, ConnectionError) as error:
            lived.wrong += 1
            lived.sample = lived.sample or str(error)
            line = await dial(lives.port) if isinstance(error, ConnectionError) else line
        else:
            lived.taken.append((time.perf_counter() - born) * 1000)


if __name__ == "__main__":
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Lives)
    sys.stdout.buffer.write(msgspec.msgpack.encode(uvloop.run(_run(asked))))
