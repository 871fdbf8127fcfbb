"""HTTP/1.1 over one kept connection: cheap enough for twenty thousand acknowledged writes on two cores."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ANSWER_SECONDS = 6.0
"""Twice what the service allows itself: longer than that is a hang."""


class Silence(Exception):
    """Nobody answered; whether the request was carried out is not known."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> Any:
        return json.loads(self.body)


class Line:
    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self,
        method: str,
        path: str,
        form: Any = None,
        *,
        seconds: float = ANSWER_SECONDS,
        **headers: str,
    ) -> Answer:
        """One attempt; header names are written with underscores."""
        request = _written(method, path, form, headers)
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(request)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.hang_up()
            raise Silence(type(error).__name__) from error
        except BaseException:
            self.hang_up()
            raise

    async def _exchange(self, request: bytes) -> Answer:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self._reader is not None
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)
        }
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.hang_up()
        return Answer(int(head[0].split()[1]), body, headers)

    def hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


def _written(method: str, path: str, form: Any, headers: Mapping[str, str]) -> bytes:
    body = b"" if form is None else json.dumps(form, ensure_ascii=False).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: pj.test", f"Content-Length: {len(body)}"]
    if form is not None:
        lines.append("Content-Type: application/json")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
