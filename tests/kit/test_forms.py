"""Bytes → values, or a refusal in the caller's words."""

import contextlib
from datetime import datetime
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from server.kit.errors import NotJson
from server.kit.forms import BadBody, Form, decode, decoder, rows_stay_raw


class Inner(Form):
    name: Annotated[str, Meta(max_length=5)] = ""


class Letter(Form):
    text: str
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    yes: bool = False
    at: Annotated[datetime, Meta(tz=True)] | None = None
    inner: Inner | None = None
    several: list[str] = []


@rows_stay_raw
class Rows(Form):
    rows: list[msgspec.Raw]


reader, row_reader = decoder(Letter), decoder(Rows)


def read(body: bytes, content_type: str = "application/json") -> Letter:
    return decode(reader, body, content_type)


def fault(body: bytes) -> tuple[str, str]:
    with pytest.raises(BadBody) as refused:
        read(body)
    (only,) = refused.value.errors
    assert not only.detail.isascii()
    return only.field, only.code


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", ("", "malformed")),
        (b"{", ("", "malformed")),
        (b"null", ("", "wrong_type")),
        (b"[]", ("", "wrong_type")),
        (b"{}", ("text", "missing")),
        (b'{"text":1}', ("text", "wrong_type")),
        (b'{"text":"a","count":true}', ("count", "wrong_type")),
        (b'{"text":"a","count":"1"}', ("count", "wrong_type")),
        (b'{"text":"a","count":0}', ("count", "out_of_range")),
        (b'{"text":"a","count":10}', ("count", "out_of_range")),
        (b'{"text":"a","yes":1}', ("yes", "wrong_type")),
        (b'{"text":"a","yes":"true"}', ("yes", "wrong_type")),
        (b'{"text":"a","at":"2026-11-21"}', ("at", "not_a_time")),
        (b'{"text":"a","at":"2026-11-21T10:08:00"}', ("at", "not_a_time")),
        (b'{"text":"a","at":1}', ("at", "wrong_type")),
        (b'{"text":"a","inner":[]}', ("inner", "wrong_type")),
        (b'{"text":"a","inner":{"name":"123456"}}', ("inner.name", "wrong_length")),
        (b'{"text":"a","several":{}}', ("several", "wrong_type")),
        (b'{"text":"a","several":["b",1]}', ("several[1]", "wrong_type")),
        (b'{"text":"a","text":"b"}', ("", "malformed")),
        (b'{"text":"a","\\u0074ext":"b"}', ("", "malformed")),
        (b'{"text":"a","inner":{"name":"a","name":"b"}}', ("", "malformed")),
        (b'{"text":"a","unknown":{"x":1,"x":2}}', ("", "malformed")),
        (b'{"text":"a","unknown":NaN}', ("", "malformed")),
        (b'{"text":"a","unknown":-Infinity}', ("", "malformed")),
        (b'{"text":"a","unknown":' + b"[" * 9000 + b"]" * 9000 + b"}", ("", "malformed")),
        (b'{"text":"a\\ud800"}', ("", "malformed")),
        (b'{"text":"a\\udc00b"}', ("", "malformed")),
        (b'{"text":"a\xed\xa0\x80"}', ("", "malformed")),
        (b'{"text":"a\xff"}', ("", "malformed")),
        (b'{"text":"a\x00b"}', ("", "malformed")),
        (b'{"text":"a\x1fb"}', ("", "malformed")),
        (b'\xef\xbb\xbf{"text":"a"}', ("", "malformed")),
        ('{"text":"a"}'.encode("utf-16"), ("", "malformed")),
        ('{"text":"a"}'.encode("utf-32-le"), ("", "malformed")),
        (b'{"text":"a"} {}', ("", "malformed")),
        (b"{'text':'a'}", ("", "malformed")),
        (b'{"text":"a",}', ("", "malformed")),
        (b'{"text":"a\\u0000b"}', ("text", "nul")),
        (b'{"text":"a","inner":{"name":"\\u0000"}}', ("inner.name", "nul")),
        (b'{"text":"a","several":["b","\\u0000"]}', ("several", "nul")),
    ],
    ids=lambda value: ascii(value)[:50],
)  # fmt: skip
def test_what_is_wrong_is_named(body: bytes, expected: tuple[str, str]) -> None:
    assert fault(body) == expected


@pytest.mark.parametrize(
    "number", [b"9" * 5000, b"-" + b"9" * 5000, b"1e999", b"-1e999", b"NaN", b"1.5"]
)
def test_no_number_is_too_strange_for_an_answer(number: bytes) -> None:
    with pytest.raises(BadBody):
        read(b'{"text":"a","count":' + number + b"}")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"text":"a\\\\u0000"}', "a\\u0000"),  # a backslash and five signs, not a NUL
        (b'{"text":"\xf0\x9f\x98\x80"}', "😀"),
        (b'{"text":"\\ud83d\\ude00"}', "😀"),
        ('{"text":"\u202eabc\u200b"}'.encode(), "\u202eabc\u200b"),
        (b' \n{"text":"a","unknown":[{"x":null}],"unknown2":"\\u0000"}\t', "a"),
        (b'{"text":"a","inner":{"name":"b"},"unknown":{"name":"b"}}', "a"),
    ],
)
def test_what_is_right_is_read(body: bytes, text: str) -> None:
    assert read(body).text == text


@pytest.mark.parametrize(
    "content_type",
    [
        "", "text/plain", "application/x-www-form-urlencoded", "text/json", "application/jsonp",
        "application/json5", "multipart/form-data; boundary=application/json", "application/problem+json",
    ],
)  # fmt: skip
def test_only_json_is_json(content_type: str) -> None:
    with pytest.raises(NotJson):
        read(b'{"text":"a"}', content_type)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", " application/json ;x=y"],
)
def test_json_may_be_spelt_as_the_standard_allows(content_type: str) -> None:
    assert read(b'{"text":"a"}', content_type).text == "a"


def test_the_words_of_a_refusal_hold_nothing_of_what_was_sent() -> None:
    for value in ('"13800138000"', "13800138000", '{"13800138000":1}', "[13800138000]"):
        body = f'{{"text":{{"13800138000":{value}}},"count":{value},"yes":{value},"several":[{value}]}}'
        with pytest.raises(BadBody) as refused:
            read(body.encode())
        assert "138" not in f"{refused.value} {refused.value.detail} {refused.value.errors}"


def test_rows_that_stay_raw_may_hold_a_nul_and_are_refused_when_they_are_read() -> None:
    rows = decode(
        row_reader, b'{"rows":[{"text":"a\\u0000"},{"text":"b"}]}', "application/json"
    ).rows
    assert read(bytes(rows[1])).text == "b"
    with pytest.raises(BadBody):
        read(bytes(rows[0]))


@pytest.mark.parametrize(
    "body", [b'{"rows":[],"rows":[1]}', b'{"rows":[1],"\\u0072ows":[]}', b'{"rows":[' + b"[" * 9000]
)
def test_the_envelope_of_raw_rows_is_as_strict_as_any_other_body(body: bytes) -> None:
    with pytest.raises(BadBody):
        decode(row_reader, body, "application/json")


_json: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.binary(max_size=80) | _json.map(lambda value: msgspec.json.encode(value)))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadBody):
        assert isinstance(read(body), Letter)


@given(st.dictionaries(st.sampled_from(Letter.__struct_fields__), _json))
def test_a_body_of_our_fields_with_any_values_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        assert "\0" not in read(msgspec.json.encode(body | {"text": body.get("text", "a")})).text
    except BadBody as refused:
        assert refused.errors
