"""A gigabyte as evidence, against the real server: it is cut off, and its memory does not grow."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from appeals.papers import an_appeal
from factories import City
from kit.calls import Scene
from kit.odd_files import a_png
from web.console_desk import a_desk
from web.tablet import ServerProcess

from server.appeals.models import Evidence
from server.settings import Settings

GIGABYTE = 1024**3
MIB = 1024 * 1024
PIECE = bytes(256 * 1024)
TAKEN = 24 * MIB
"""What may be on the way when the line is cut: ours, and the buffers of both sides."""
GROWN = 64 * MIB
_SENDERS = ThreadPoolExecutor(24)
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


@pytest.fixture
async def server(servers: Settings, city: City) -> AsyncIterator[ServerProcess]:
    process = ServerProcess(servers)
    await process.up()
    yield process
    await process.down()


def peak(pid: int) -> int:
    """The most memory that the process has ever had."""
    (line,) = [
        each
        for each in Path(f"/proc/{pid}/status").read_text().splitlines()
        if each.startswith("VmHWM")
    ]
    return int(line.split()[1]) * 1024


def by_length() -> Iterator[bytes]:
    """Says how much it will be."""
    yield b"Content-Length: %d\r\n\r\n" % GIGABYTE
    while True:
        yield PIECE


def in_chunks() -> Iterator[bytes]:
    """Says nothing, and goes on."""
    yield b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(HEAD), HEAD)
    while True:
        yield b"%x\r\n%b\r\n" % (len(PIECE), PIECE)


def in_one_chunk() -> Iterator[bytes]:
    yield b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % GIGABYTE
    while True:
        yield PIECE


async def flood(
    port: int, path: str, head: dict[str, str], pieces: Iterator[bytes]
) -> tuple[int, int]:
    """Sends and sends, deaf to the answer, until the line is cut; gives the answer and what went out."""
    told = {"Host": "x", "Content-Type": "multipart/form-data; boundary=b"} | head
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), ""]
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_SENDERS, _sent, port, "\r\n".join(lines).encode(), pieces)


def _sent(port: int, head: bytes, pieces: Iterator[bytes]) -> tuple[int, int]:
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(head)
        with suppress(ConnectionError):
            while sent < GIGABYTE:
                piece = next(pieces)
                line.sendall(piece)
                sent += len(piece)
        return int(line.recv(100).split()[1]), sent


@pytest.mark.parametrize("pieces", [by_length, in_chunks, in_one_chunk])
async def test_a_gigabyte_is_refused_after_a_few_mebibytes_and_leaves_no_trace(
    http: httpx.AsyncClient, app: object, city: City, server: ServerProcess, pieces: type
) -> None:
    appeal, scene = await an_appeal(), Scene(http, city)
    api, console = (f"/{place}/appeals/{appeal.id}/evidence" for place in ("api/v1", "console"))
    async with a_desk(app, "handler") as desk:
        cookie = {"Cookie": f"session={desk.client.cookies['session']}"}
    before = peak(server.pid)
    for path, head, status in (
        (api, await scene.staff("handler"), 413), (console, cookie, 413), (api, {}, 401),
        (api, await scene.staff("other"), 404), (console, {}, 303),
    ):  # fmt: skip
        heard, sent = await flood(server.port, path, head, pieces())
        assert (heard, sent < TAKEN) == (status, True), (path, heard, sent)
    assert peak(server.pid) - before < GROWN
    assert await Evidence.all().count() == 0


async def test_many_floods_at_once_take_no_more_than_there_is_room_for(
    http: httpx.AsyncClient, city: City, server: ServerProcess
) -> None:
    appeal, head = await an_appeal(), await Scene(http, city).staff("handler")
    path, before = f"/api/v1/appeals/{appeal.id}/evidence", peak(server.pid)
    answers = await asyncio.gather(
        *(flood(server.port, path, head, in_chunks()) for _ in range(24))
    )
    assert {status for status, _ in answers} <= {413, 503}
    assert max(sent for _, sent in answers) < TAKEN
    assert peak(server.pid) - before < 3 * GROWN
    async with httpx.AsyncClient(base_url=server.address) as client:
        taken = await client.post(path, files={"file": ("a.png", a_png())}, headers=head)
    assert taken.status_code == 201, "the rooms are free again"


async def test_whose_photo_is_a_little_too_large_hears_why_and_the_line_stays(
    http: httpx.AsyncClient, city: City, server: ServerProcess
) -> None:
    appeal, head = await an_appeal(), await Scene(http, city).staff("handler")
    path = f"/api/v1/appeals/{appeal.id}/evidence"
    async with httpx.AsyncClient(base_url=server.address, timeout=20) as client:
        for size in (9, 20, 31):
            file = {"file": ("a.png", a_png() + bytes(size * MIB))}
            answer = await client.post(path, files=file, headers=head)
            assert (answer.status_code, answer.headers["connection"]) == (413, "keep-alive")
            assert "8 MB" in answer.json()["detail"]
        whole = a_png() + bytes(8 * MIB - 5000)
        answer = await client.post(path, files={"file": ("a.png", whole)}, headers=head)
        assert answer.status_code == 201, answer.text
