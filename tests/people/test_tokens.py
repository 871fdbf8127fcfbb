"""Bearer tokens: one algorithm, one audience, the application's clock, a key that can rotate."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest

from server.kit import privacy
from server.kit.clock import clock
from server.kit.privacy import Vault, open_vault
from server.people import tokens
from server.people.rules import TOKEN_LIFE
from server.people.tokens import Audience, BadToken, issue, read

KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.fixture(autouse=True)
def a_vault() -> Iterator[None]:
    before, advanced = privacy._vault, clock.advanced
    open_vault({"a": KEY})
    tokens._verify.cache_clear()
    yield
    privacy._vault, clock.advanced = before, advanced
    tokens._verify.cache_clear()


def signed(
    header: dict[str, Any] | None = None,
    algorithm: str = "HS256",
    key: bytes | None = None,
    **changed: Any,
) -> str:
    now = int(clock.now().timestamp())
    claims = {
        "iss": "haochaping",
        "aud": "staff",
        "sub": "7",
        "iat": now,
        "exp": now + 60,
    } | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    key = key if key is not None else Vault({"a": KEY}).subkey("a", "token")
    return jwt.encode(claims, key, algorithm, headers={"kid": "a"} | (header or {}))


def unsigned(header: dict[str, Any], claims: dict[str, Any] | None = None) -> str:
    now = int(clock.now().timestamp())
    claims = claims or {"iss": "haochaping", "aud": "staff", "sub": "7", "exp": now + 60}
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
                    for part in (header, claims)) + "."  # fmt: skip


def test_a_token_says_whose_it_is() -> None:
    token, seconds = issue("7", Audience.STAFF)
    assert read(token, Audience.STAFF) == read(signed(), Audience.STAFF) == "7"
    assert seconds == TOKEN_LIFE.total_seconds()
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"]) == ("HS256", "a")


def test_a_token_is_for_one_audience() -> None:
    token, _ = issue("7", Audience.AGENCY)
    with pytest.raises(BadToken):
        read(token, Audience.STAFF)


def test_a_token_ends_on_the_applications_clock() -> None:
    token, seconds = issue("7", Audience.STAFF)
    clock.advanced += timedelta(seconds=seconds - 5)
    assert read(token, Audience.STAFF) == "7"
    clock.advanced += timedelta(seconds=5)
    with pytest.raises(BadToken):
        read(token, Audience.STAFF)


def test_a_token_is_read_after_a_rotation_and_not_after_its_key_was_withdrawn() -> None:
    token, _ = issue("7", Audience.STAFF)
    open_vault({"b": OTHER, "a": KEY})
    assert read(token, Audience.STAFF) == "7"
    assert jwt.get_unverified_header(issue("7", Audience.STAFF)[0])["kid"] == "b"
    open_vault({"b": OTHER})
    tokens._verify.cache_clear()  # a withdrawn key means a new process
    with pytest.raises(BadToken):
        read(token, Audience.STAFF)


def deep(header: str) -> str:
    body = base64.urlsafe_b64encode(header.encode()).decode().rstrip("=")
    return f"{body}.e30.AA"


HOSTILE = {
    "empty": lambda: "",
    "a word": lambda: "token",
    "three dots": lambda: "...",
    "not ASCII": lambda: "令牌.令牌.令牌",
    "a lone surrogate": lambda: "\ud800.a.b",
    "no algorithm": lambda: unsigned({"alg": "none", "kid": "a"}),
    "nOnE": lambda: unsigned({"alg": "nOnE", "kid": "a"}),
    "no alg at all": lambda: unsigned({"kid": "a"}),
    "another HMAC": lambda: signed(algorithm="HS512"),
    "an algorithm nobody knows": lambda: unsigned({"alg": "XX999", "kid": "a"}),
    "an embedded key": lambda: signed(header={"jwk": {"kty": "oct", "k": "eA"}}, key=b"x" * 32),
    "a key's address": lambda: signed(header={"jku": "http://127.0.0.1:9/"}, key=b"x" * 32),
    "another key": lambda: signed(key=OTHER),
    "the master key itself": lambda: signed(key=KEY),
    "an unknown key id": lambda: signed(header={"kid": "b"}),
    "a key id that is a path": lambda: signed(header={"kid": "../../dev/null"}, key=b"\0" * 32),
    "a long key id": lambda: signed(header={"kid": "k" * 10_000}),
    "a key id that is a number": lambda: unsigned({"alg": "HS256", "kid": 1}),
    "a key id that is a list": lambda: unsigned({"alg": "HS256", "kid": ["a"]}),
    "no key id": lambda: unsigned({"alg": "HS256"}),
    "a header that is a list": lambda: deep("[]"),
    "a header with a huge number": lambda: deep('{"alg":"HS256","kid":' + "9" * 5000 + "}"),
    "a header nested deeply": lambda: deep('{"alg":"HS256","kid":' + "[" * 5000 + "]" * 5000 + "}"),
    "a critical extension": lambda: signed(header={"crit": ["x"], "x": 1}),
    "another issuer": lambda: signed(iss="somebody"),
    "no issuer": lambda: signed(iss=None),
    "no audience": lambda: signed(aud=None),
    "every audience": lambda: signed(aud="*"),
    "no subject": lambda: signed(sub=None),
    "no end": lambda: signed(exp=None),
    "an end in words": lambda: signed(exp="tomorrow"),
    "ended": lambda: signed(exp=int(clock.now().timestamp()) - 1),
    "changed by one bit": lambda: (
        signed()[:-2] + ("A" if signed()[-2] != "A" else "B") + signed()[-1]
    ),
    "cut": lambda: signed()[:-10],
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=list(HOSTILE))
def test_a_forged_token_is_refused(make: Any) -> None:
    with pytest.raises(BadToken):
        read(make(), Audience.STAFF)
