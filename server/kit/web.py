"""Doors: every operation of the API is declared once, and guarded, read, answered and described alike."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sanic import Blueprint, HTTPResponse, Request

from server.kit import forms, idempotency
from server.kit.clock import BEIJING
from server.kit.errors import Fault, Invalid, Refusal, TooLarge

BODY_LIMIT = 64 * 1024
BATCH_LIMIT = 2 * 1024 * 1024
DEADLINE_SECONDS = 2.5
JSON = "application/json"
_encoder = msgspec.json.Encoder()


class Principal(Protocol):
    """Whoever the guard let in."""

    @property
    def scope(self) -> str:
        """Under what an Idempotency-Key of this caller is kept apart from all others."""


class Guard(Protocol):
    security: str
    """Name of the OpenAPI security scheme; empty for an open door."""

    async def __call__(self, request: Request) -> Any: ...


class Anyone:
    """A door that needs no account: what is behind it is protected by a code, or is public."""

    security = ""

    async def __call__(self, request: Request) -> None:
        return None


ANYONE = Anyone()


class Optionally:
    """Whoever brings no token is let in too, as nobody; a bad one is refused."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.security = guard.security

    async def __call__(self, request: Request) -> Any:
        return await self._guard(request) if "authorization" in request.headers else None


@dataclass(frozen=True, kw_only=True)
class Operation:
    method: str
    path: str
    summary: str
    guard: Guard
    handler: Callable[..., Awaitable[Any]]
    form: type | None = None
    raw: Any = None
    """The type of a body whose bytes the handler reads itself: described, not checked."""
    media: str = JSON
    """Of the body. Any other than JSON is left on the line, and the handler reads it as it comes."""
    answers: dict[int, Any]
    """Status → type of the answer; the first is the usual one."""
    refusals: tuple[type[Refusal], ...] = ()
    query: dict[str, str] | None = None
    limit: int = BODY_LIMIT
    once: bool = True
    """Takes an Idempotency-Key."""
    keeps_key: bool = False
    """Its service stores the key itself, in its one statement."""
    seconds: float = DEADLINE_SECONDS

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def usual(self) -> int:
        """The status of an answer that names none."""
        return next(iter(self.answers))


class Door:
    """The operations of one feature."""

    def __init__(self, feature: str) -> None:
        self.feature = feature
        self.blueprint = Blueprint(feature)
        self.operations: list[Operation] = []

    def get(self, path: str, **declared: Any) -> Callable[[Any], Any]:
        return self._declare("GET", path, declared | {"once": False})

    def post(self, path: str, **declared: Any) -> Callable[[Any], Any]:
        return self._declare("POST", path, declared)

    def _declare(self, method: str, path: str, declared: dict[str, Any]) -> Callable[[Any], Any]:
        def add(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            operation = Operation(method=method, path=path, handler=handler, **declared)
            self.operations.append(operation)
            self.blueprint.add_route(
                _serve(operation), path, methods=[method], name=operation.name,
                stream=operation.media != JSON,
            )  # fmt: skip
            return handler

        return add


def _serve(operation: Operation) -> Callable[..., Coroutine[Any, Any, HTTPResponse]]:
    reader: msgspec.json.Decoder[Any] | None = None
    if operation.form:
        reader = forms.decoder(operation.form)

    async def endpoint(request: Request, **path: str) -> HTTPResponse:
        async with asyncio.timeout(operation.seconds):
            who = await operation.guard(request)
            arguments = _arguments(operation, reader, request, path, who)
            key = request.headers.get("idempotency-key")
            if key is None or not operation.once or operation.keeps_key:
                return await _answer(operation, request, arguments)
            return await _answer_once(operation, request, arguments, key, who)

    endpoint.__name__ = operation.name
    return endpoint


def _arguments(
    operation: Operation,
    reader: msgspec.json.Decoder[Any] | None,
    request: Request,
    path: dict[str, str],
    who: Any,
) -> dict[str, Any]:
    if len(request.body) > operation.limit:
        raise TooLarge(f"正文最多 {operation.limit // 1024} KiB")
    arguments: dict[str, Any] = dict(path)
    if reader is not None:
        content_type = request.headers.get("content-type", "")
        arguments["form"] = forms.decode(reader, request.body, content_type)
    if operation.guard.security:
        arguments["who"] = who
    return arguments


async def _answer(
    operation: Operation, request: Request, arguments: dict[str, Any]
) -> HTTPResponse:
    answer = await operation.handler(request, **arguments)
    if isinstance(answer, HTTPResponse):
        return answer
    status, body = answer if isinstance(answer, tuple) else (operation.usual, answer)
    return HTTPResponse(_encoder.encode(body), status, content_type=JSON)


async def _answer_once(
    operation: Operation, request: Request, arguments: dict[str, Any], key: str, who: Any
) -> HTTPResponse:
    async def act() -> tuple[int, bytes]:
        answer = await _answer(operation, request, arguments)
        return answer.status, answer.body or b""

    # An open door's caller is known by nothing but the code in the path.
    scope = who.scope if who is not None else f"code:{request.path}"
    asked = idempotency.digest(request.method, request.path, request.body)
    status, content = await idempotency.once(scope, key, asked, act)
    return HTTPResponse(content, status, content_type=JSON)


def request_id(request: Request) -> str:
    return getattr(request.ctx, "id", "")


def problem(refusal: Refusal, request_id: str) -> HTTPResponse:
    """RFC 9457."""
    body: dict[str, Any] = {
        "type": f"/docs#{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
        "errors": [fault._asdict() for fault in refusal.errors],
        "instance": f"urn:request:{request_id}",
    }
    headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
    return HTTPResponse(
        _encoder.encode(body), refusal.status, headers, content_type="application/problem+json"
    )


def local(moment: datetime) -> datetime:
    """What people read: UTC+8, whole seconds."""
    return moment.astimezone(BEIJING).replace(microsecond=0)


class BadQuery(Invalid):
    code = "invalid_query"
    title = "查询参数有误"


def bad_query(name: str, detail: str) -> BadQuery:
    return BadQuery(errors=[Fault(name, "invalid", detail)])


def whole(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """A whole number from the query."""
    text = request.args.get(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and low <= int(text) <= high):
        raise bad_query(name, f"须是 {low}–{high} 的整数")
    return int(text)


def flag(request: Request, name: str) -> bool | None:
    text = request.args.get(name)
    if text in (None, ""):
        return None
    if text not in ("true", "false", "1", "0"):
        raise bad_query(name, "须是 true 或 false")
    return text in ("true", "1")
