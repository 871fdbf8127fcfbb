"""The 查询编码: made again with the key, typed by hand, guessed by nobody."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit import privacy
from server.kit.privacy import open_vault
from server.kit.query_codes import (
    UnknownQueryCode,
    code_of_key,
    grouped,
    query_code,
    query_key,
    typed,
)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KEY, OTHER = b"k" * 32, b"o" * 32
REVIEW = UUID(int=7)


@pytest.fixture(autouse=True)
def a_vault() -> Iterator[None]:
    before = privacy._vault
    open_vault({"a": KEY})
    yield
    privacy._vault = before


def test_a_code_is_16_characters_of_crockford_and_the_same_each_time() -> None:
    code = query_code(REVIEW)
    assert len(code) == 16
    assert set(code) <= set(CROCKFORD)
    assert query_code(REVIEW) == code
    assert len({query_code(uuid4()) for _ in range(1000)}) == 1000


def test_without_the_key_the_code_is_another() -> None:
    code = query_code(REVIEW)
    open_vault({"a": OTHER})
    assert query_code(REVIEW) != code


def test_a_code_that_was_handed_out_is_found_again_after_a_rotation() -> None:
    code = query_code(REVIEW)
    stored = query_key(code)
    open_vault({"b": OTHER, "a": KEY})
    assert code_of_key(REVIEW, stored) == code
    open_vault({"b": OTHER})
    with pytest.raises(UnknownQueryCode):
        code_of_key(REVIEW, stored)


@pytest.mark.parametrize(
    "spelling",
    [
        str, str.lower, grouped, lambda c: "-".join(c[i : i + 4] for i in range(0, 16, 4)),
        lambda c: f" {c} ", lambda c: grouped(c).replace(" ", "\u3000").lower(),
        lambda c: c.replace("0", "O").replace("1", "I"), lambda c: c.replace("0", "o").replace("1", "l"),
        lambda c: c.replace("1", "L").replace("0", "o"),
    ],
)  # fmt: skip
def test_a_code_is_read_however_it_was_typed(spelling: object) -> None:
    for number in range(50):
        code = query_code(UUID(int=number))
        assert typed(spelling(code)) == code  # type: ignore[operator]


@pytest.mark.parametrize(
    "wrong",
    [
        "", "0" * 15, "0" * 17, "U" * 16, "０" * 16, "²" * 16, "५" * 16, "0" * 15 + "\0", "0" * 15 + "é",
        "0" * 10_000, "\ud800" * 16, "'; DROP TABLE--",
    ],
    ids=lambda c: ascii(c)[:20],
)  # fmt: skip
def test_what_is_no_code_is_unknown(wrong: str) -> None:
    with pytest.raises(UnknownQueryCode):
        typed(wrong)


@given(st.text(max_size=30))
def test_any_text_is_a_code_or_unknown(text: str) -> None:
    try:
        assert set(typed(text)) <= set(CROCKFORD)
    except UnknownQueryCode as refused:
        assert refused.status == 404
