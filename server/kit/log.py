"""Structured logs with an allow-list: what is not named here is not written, whoever logs it."""

import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

import msgspec

_encoder = msgspec.json.Encoder()
request_id: ContextVar[str] = ContextVar("request_id", default="")

FIELDS = (
    "method", "route", "status", "ms", "job", "count", "signal", "reason", "constraint", "port",
    "version", "year",
)  # fmt: skip
"""Never a phone number, a name, a code, an address of a request or a citizen's word."""


class AllowListed(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record),
        }  # fmt: skip
        if request := request_id.get():
            line["request_id"] = request
        for name in FIELDS:
            if (value := getattr(record, name, None)) is not None:
                line[name] = value
        if record.exc_info and record.exc_info[1]:
            line["error"] = describe(record.exc_info[1], record.exc_info[2])
        return _encoder.encode(line).decode()


def _event(record: logging.LogRecord) -> str:
    """Our own sentence, or a library's as it stands in its source: its arguments may hold addresses
    and values, and a line without arguments may hold anything."""
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    if record.name.startswith("server"):
        return record.msg[:200]
    return record.msg if record.args else f"{record.module}:{record.lineno}"


def describe(error: BaseException, trace: TracebackType | None) -> str:
    """Type and places of an error; its message may quote a row."""
    frames = traceback.extract_tb(trace)[-8:]
    places = " < ".join(
        f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in reversed(frames)
    )
    return f"{type(error).__name__} at {places}"


def set_up(level: int = logging.INFO) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(AllowListed())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("sanic.root", "sanic.error", "sanic.access", "sanic.server", "sanic.websockets"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = name != "sanic.access"
        logger.setLevel(logging.WARNING)
    for name in ("tortoise", "tortoise.db_client", "asyncio", "pgqueuer", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)
