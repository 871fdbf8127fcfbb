"""What the provider pushes to us, read item by item: one bad item spoils no other.

Formats: help.aliyun.com/zh/sms/developer-reference/smsup-http and document_detail/101867.htm;
sequence_id is a String there and a Number in knowledge_detail/60127.html, and send_time is
compact (20170901000000) in developer.aliyun.com/ask/218017."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TypeVar

import msgspec

from sms.gateway import Reply, Report
from sms.phone import normalise

CHINA = timezone(timedelta(hours=8))

_WRITTEN_TIME = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d{1,9})?)?"
    r"(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_COMPACT_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\d{3})?()", re.ASCII)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?", re.ASCII)
# The provider writes numbers of these three without a plus (国际区号+号码).
_NEAR_ABROAD = re.compile(r"(?:00)?((?:852|853|886)\d{6,10})", re.ASCII)
_NO_ID = {"", "0", "null", "none", "undefined"}
_SPLITTER = msgspec.json.Decoder(list[msgspec.Raw])
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)

_Item = TypeVar("_Item", Reply, Report)


class NotAnArray(ValueError):
    """The body is no JSON array: nothing in it can be kept item by item."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """An item set aside. `raw` is the item again as ASCII JSON, its numbers as strings."""

    index: int
    reason: str
    raw: str = field(repr=False)


class _Bad(Exception):
    """Why an item cannot be read; in fixed words."""


class _Number(str):
    """A JSON number as it was written: no precision lost, no limit of digits met."""


def is_array(body: bytes) -> bool:
    """Whether the readers below can do something with it; mostly without reading the items."""
    try:
        _SPLITTER.decode(body)
        return True
    except RecursionError:
        # Taken in; its items are told apart when there is time.
        return body.lstrip()[:1] == b"[" and body.rstrip()[-1:] == b"]"
    except msgspec.DecodeError:
        # json is laxer: a raw control character or half an emoji is not worth the other items.
        try:
            _array(body)
        except NotAnArray:
            return False
        return True


def read_replies(body: bytes | str) -> list[Reply | Malformed]:
    """SmsUp: what citizens wrote. Raises NotAnArray, nothing else."""
    return _each(body, _reply)


def read_reports(body: bytes | str) -> list[Report | Malformed]:
    """SmsReport: what became of our messages. Raises NotAnArray, nothing else."""
    return _each(body, _report)


def identity(item: Reply | Report) -> tuple[str, ...]:
    """Equal for the same news however often it is pushed. Holds the phone: hash it with a key."""
    if isinstance(item, Report):
        # With the verdict: a later, contradicting report is other news and must not be swallowed.
        verdict = "delivered" if item.delivered else "failed"
        return ("report", item.provider_id or "", item.out_id or "", verdict, item.code)
    if item.provider_id is None:
        return origin(item)
    # With the phone: an id that the provider used twice must not hide a second person's answer.
    return ("reply", item.provider_id, item.phone)


def origin(reply: Reply) -> tuple[str, ...]:
    """The second identity: providers send a reply again under another id."""
    return ("origin", reply.phone, reply.text, reply.at.astimezone(UTC).isoformat())


def _each(body: bytes | str, read: Callable[[dict[str, object]], _Item]) -> list[_Item | Malformed]:
    found: list[_Item | Malformed] = []
    for index, item in enumerate(_array(body)):
        try:
            if not isinstance(item, dict):
                raise _Bad("not an object")
            found.append(read(item))
        except _Bad as bad:
            found.append(Malformed(index, str(bad), _raw(item)))
    return found


def _array(body: bytes | str) -> list[object]:
    # A broken byte damages its own item only.
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    text = text.removeprefix("\ufeff").strip()
    try:
        found = _loads(text)
    except RecursionError:
        whole = text.startswith("[") and text.endswith("]")
        found = [_deep(item) for item in _items(text)] if whole else None
    except ValueError:
        found = None
    if not isinstance(found, list):
        # Raised out here: the decoder's error carries the whole body and would be its context.
        raise NotAnArray
    return found


def _loads(text: str) -> object:
    return json.loads(
        text,
        strict=False,
        parse_int=_Number,
        parse_float=_Number,
        parse_constant=lambda _: None,
    )


def _deep(item: str) -> object:
    """Of an array in which one item is nested too deeply for the decoder; that one as its text."""
    try:
        return _loads(item)
    except (ValueError, RecursionError):
        return item


def _items(text: str) -> Iterator[str]:
    """Between the brackets of an array, at its commas."""
    depth, start = 0, 0
    for mark in _MARK.finditer(text):
        if mark[0] in "[{":
            depth += 1
            if depth == 1:
                start = mark.end()
        elif mark[0] in "]}":
            depth -= 1
        if (mark[0] == "," and depth == 1) or depth == 0:
            if item := text[start : mark.start()].strip():
                yield item
            start = mark.end()
        if depth == 0:
            return
    yield text[start:]


def _reply(item: dict[str, object]) -> Reply:
    phone = read_phone(item.get("phone_number"))
    text = _words(item.get("content"))
    at = read_time(item.get("send_time"))
    if phone is None:
        raise _Bad("phone_number missing or no phone number")
    if text is None:
        raise _Bad("content missing or no text")
    if at is None:
        raise _Bad("send_time missing or no time")
    extension = _words(item.get("dest_code")) or ""
    return Reply(_id(item.get("sequence_id")), phone, text, at, extension)


def _report(item: dict[str, object]) -> Report:
    provider_id, out_id = _id(item.get("biz_id")), _id(item.get("out_id"))
    if provider_id is None and out_id is None:
        raise _Bad("neither biz_id nor out_id")
    code = (_words(item.get("err_code")) or "").strip()[:64]
    delivered = _verdict(item.get("success"), code)
    if delivered is None:
        raise _Bad("neither success nor err_code")
    return Report(
        provider_id,
        out_id,
        read_phone(item.get("phone_number")),
        delivered,
        code,
        read_time(item.get("send_time")),
        read_time(item.get("report_time")),
    )


def _verdict(success: object, code: str) -> bool | None:
    word = success if isinstance(success, bool) else str(success).strip().lower()
    if word in (True, "true", "1"):
        return True
    if word in (False, "false", "0"):
        return False
    return code == "DELIVERED" if code else None


def read_phone(value: object) -> str | None:
    written = _words(value)
    if written is None:
        return None
    written = unicodedata.normalize("NFKC", written).strip()
    if abroad := _NEAR_ABROAD.fullmatch(written):
        written = f"+{abroad.group(1)}"
    return normalise(written)


def read_time(value: object) -> datetime | None:
    """2026-11-21 10:08:00 and 20261121100800 (UTC+8), epoch seconds or milliseconds."""
    written = unicodedata.normalize("NFKC", _words(value) or "").strip()
    try:
        if _EPOCH.fullmatch(written):
            at = datetime.fromtimestamp(int(written[:10]), CHINA)
            at += timedelta(milliseconds=int(written[10:] or 0))
        elif match := _COMPACT_TIME.fullmatch(written) or _WRITTEN_TIME.fullmatch(written):
            *parts, zone = match.groups(default="")
            year, month, day, hour, minute, second = (int(part or 0) for part in parts)
            at = datetime(year, month, day, hour, minute, second, tzinfo=_zone(zone))
        else:
            return None
        # A year far off is a number that was no time, and overflows what is computed with it.
        return at.astimezone(CHINA) if 2000 <= at.year < 2100 else None
    except (ValueError, OverflowError):
        return None


def _zone(written: str) -> timezone:
    if not written:
        return CHINA
    if written == "Z":
        return UTC
    offset = timedelta(hours=int(written[1:3]), minutes=int(written[-2:]))
    return timezone(offset if written[0] == "+" else -offset)


def _id(value: object) -> str | None:
    written = (_words(value) or "").strip()
    return None if written.lower() in _NO_ID else written[:128]


def _words(value: object) -> str | None:
    """Text that every database takes: pairs joined, lone surrogates and NUL marked as broken."""
    if isinstance(value, _Number):
        return _plain(value)
    if not isinstance(value, str):
        return None
    if value.isascii() and "\0" not in value:
        return value
    paired = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return paired.replace("\0", "\ufffd")


def _plain(number: str) -> str:
    """1234, 1234.0 and 1.234E3 are one id: it is a Number, a String or a Double by page."""
    if number.isdigit() or len(number) > 40:
        return str(number)
    try:
        value = Decimal(number)
        whole = value.adjusted() < 40 and value == value.to_integral_value()
    except ArithmeticError:
        return str(number)
    return str(int(value)) if whole else str(number)


def _raw(item: object) -> str:
    try:
        return json.dumps(item)
    except (ValueError, RecursionError):
        return ""
