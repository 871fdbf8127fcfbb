"""Bytes from outside → typed values, or a refusal in the caller's words."""

import json
import re
from typing import Any, TypeVar, cast

import msgspec

from server.kit.errors import Fault, Invalid, NotJson

T = TypeVar("T")
PHONE = re.compile(r"^(?:\+[1-9]\d{6,14}|1[3-9]\d{9})$", re.ASCII)
"""E.164, or a mobile number of the mainland with 11 digits."""


class BadBody(Invalid):
    code = "invalid_body"
    title = "请求正文不符合要求"


class _DoubleKey(ValueError):
    pass


class _Envelope(list[Any]):
    """The fields of the object that was read last, which is the outermost."""

    def remember(self, pairs: list[tuple[str, Any]]) -> bool:
        self[:] = pairs
        return True


def _refuse_double_keys(pairs: list[tuple[str, Any]]) -> bool:
    if len(pairs) > 1 and len({key for key, _ in pairs}) != len(pairs):
        raise _DoubleKey
    return True


_SCANNER = json.JSONDecoder(object_pairs_hook=_refuse_double_keys)
_KEY = re.compile(rb'"(\w+)"\s*:')
"""A key as our forms have them; a doubled one of another shape is ignored with the single ones."""


def _check_keys(body: bytes) -> None:
    """Readers of JSON keep either of two equal keys; which one must not decide anything."""
    text = body.decode()
    if b"\\" not in body:
        # Without escapes this finds every key of ours, and none inside a text.
        keys = _KEY.findall(body)
        if len(keys) == len(set(keys)):
            return
    _SCANNER.decode(text)


def _check_envelope(body: bytes, form: type[msgspec.Struct]) -> None:
    """The same for the outermost object alone."""
    names = form.__struct_encode_fields__
    if b"\\" not in body and all(body.count(f'"{name}"'.encode()) == 1 for name in names):
        return
    envelope = _Envelope()
    json.JSONDecoder(object_pairs_hook=envelope.remember).decode(body.decode())
    _refuse_double_keys(envelope)


class Form(msgspec.Struct, kw_only=True):
    """A body of the contract. Unknown fields are ignored, so that a caller may be newer than we are."""


_RAW_ROWS: set[Any] = set()


def rows_stay_raw(form: type[T]) -> type[T]:
    """Marks a form whose rows are decoded one by one by its operation."""
    _RAW_ROWS.add(form)
    return form


def decoder(form: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(form)


def decode(reader: msgspec.json.Decoder[T], body: bytes, content_type: str) -> T:
    """Strict: right types only, no NUL, no lone surrogates, no NaN, no double keys."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise NotJson
    return read(reader, body)


def read(reader: msgspec.json.Decoder[T], body: bytes) -> T:
    """As `decode`, of a body or a raw row that is known to be JSON."""
    raw_rows = reader.type in _RAW_ROWS
    try:
        value = reader.decode(body)
        if raw_rows:
            # Its rows are checked when they are read: one bad row spoils no other.
            _check_envelope(body, cast(Any, reader.type))
        else:
            _check_keys(body)
    except msgspec.ValidationError as error:
        raise BadBody(errors=[_fault(str(error))]) from None
    except _DoubleKey:
        raise _malformed("同一个字段出现了两次") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise _malformed("正文不是合法的 JSON（UTF-8）") from None
    if b"\\u0000" in body and not raw_rows:
        refuse_nul(msgspec.to_builtins(value))
    return value


def _malformed(detail: str) -> BadBody:
    return BadBody(detail, errors=[Fault("", "malformed", detail)])


def refuse_nul(value: Any, field: str = "") -> None:
    """PostgreSQL stores no NUL; say so instead of failing there."""
    if isinstance(value, str):
        if "\0" in value:
            raise BadBody(errors=[Fault(field, "nul", "含有空字符（U+0000），请删除后再提交")])
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_nul(key, field)
            refuse_nul(item, f"{field}.{key}".strip("."))
    elif isinstance(value, list | tuple):
        for item in value:
            refuse_nul(item, field)


_WHERE = re.compile(r" - at `(?:key in )?\$?\.?([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_SAYINGS = (
    ("missing required field", "missing", "缺少这个字段"),
    ("Expected `datetime`", "not_a_time", "须是带时区的时间，如 2026-11-21T10:08:00+08:00"),
    ("Invalid RFC3339", "not_a_time", "须是带时区的时间，如 2026-11-21T10:08:00+08:00"),
    ("`datetime`", "not_a_time", "须是带时区的时间，如 2026-11-21T10:08:00+08:00"),
    ("Invalid enum value", "unknown_value", "不是允许的取值"),
    ("of length", "wrong_length", "长度不符合要求"),
    ("matching regex", "wrong_format", "格式不符合要求"),
    ("Expected `int` >=", "out_of_range", "超出允许的范围"),
    ("Expected `int` <=", "out_of_range", "超出允许的范围"),
    ("out of range", "out_of_range", "超出允许的范围"),
    ("Expected `", "wrong_type", "类型不符合要求"),
)


def _fault(message: str) -> Fault:
    """msgspec's sentence → field and words of ours; its own may quote what the citizen wrote."""
    where = _WHERE.search(message)
    field = where.group(1).replace("[...]", "") if where else ""
    if missing := _MISSING.search(message):
        field = f"{field}.{missing.group(1)}".strip(".")
    for sign, code, detail in _SAYINGS:
        if sign in message:
            return Fault(field, code, detail)
    return Fault(field, "invalid", "不符合要求")
