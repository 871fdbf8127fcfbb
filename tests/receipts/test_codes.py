"""The code in the QR: nobody can make one, and it can always be made again."""

import random
import string
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit import privacy
from server.kit.privacy import Mac, open_vault
from server.receipts.codes import LENGTH, UnknownCode, code_of, held, number_of

ALPHABET = string.ascii_letters + string.digits + "-_"
KEY, OTHER = b"k" * 32, b"o" * 32
DRAWN_BEFORE = "aCwXiFN9jIgxE3uGQA296u721"
LARGEST = 2**40 - 1


@pytest.fixture(autouse=True)
def a_vault() -> Iterator[None]:
    before = privacy._vault
    open_vault({"a": KEY})
    yield
    privacy._vault = before


def accepted(code: str) -> bool:
    try:
        number_of(code)
    except UnknownCode:
        return False
    return True


@given(st.integers(0, LARGEST))
def test_a_code_leads_back_to_its_receipt(number: int) -> None:
    code = code_of(number)
    assert number_of(code) == number
    assert len(code) == LENGTH <= 32
    assert set(code) <= set(ALPHABET)


@given(st.integers(0, LARGEST), st.integers(0, 255))
def test_a_code_of_a_later_generation_leads_to_the_same_receipt(
    number: int, generation: int
) -> None:
    code = code_of(number, generation)
    assert held(code) == (number, generation)
    assert number_of(code) == number
    assert len(code) == LENGTH and set(code) <= set(ALPHABET)
    assert (code == code_of(number)) == (generation == 0)


def test_a_printed_code_is_of_generation_0_as_it_always_was() -> None:
    """Drawn by the release before generations, under this test's key."""
    assert held(DRAWN_BEFORE) == (42, 0)
    assert code_of(42) == DRAWN_BEFORE


def test_the_same_receipt_has_the_same_code_after_a_restart() -> None:
    before = code_of(42)
    open_vault({"a": KEY})
    assert code_of(42) == before


def test_another_key_does_not_open_a_code() -> None:
    code = code_of(42)
    open_vault({"a": OTHER})
    assert not accepted(code)


def test_an_old_key_opens_its_codes_after_a_rotation_and_writes_no_new_ones() -> None:
    old = code_of(42)
    open_vault({"b": OTHER, "a": KEY})
    assert number_of(old) == 42
    assert code_of(42)[0] == "b"
    assert number_of(code_of(42)) == 42


def test_a_key_that_was_withdrawn_opens_nothing_any_more() -> None:
    old = code_of(42)
    open_vault({"b": OTHER})
    assert not accepted(old)


def test_a_code_of_one_key_is_not_one_of_another_by_its_first_letter() -> None:
    open_vault({"b": OTHER, "a": KEY})
    assert not accepted("a" + code_of(42)[1:])


def test_codes_do_not_tell_their_order() -> None:
    """Two codes in a row differ like two random ones: no counter, no time shows through."""
    made = [code_of(number) for number in range(500)]
    assert len(set(made)) == 500
    for place in range(1, LENGTH):
        assert len({code[place] for code in made}) > 20


def forgeries(count: int, seed: int) -> Iterator[str]:
    """Mutations of real codes and free guesses, half and half."""
    dice = random.Random(seed)
    real = [code_of(number, number % 3) for number in range(1, 65)]
    for turn in range(count):
        if turn % 2:
            yield "a" + "".join(dice.choices(ALPHABET, k=LENGTH - 1))
            continue
        code = dice.choice(real)
        place = dice.randrange(1, LENGTH)
        kind = turn % 8
        if kind == 0:  # another character
            yield code[:place] + dice.choice(ALPHABET.replace(code[place], "")) + code[place + 1 :]
        elif kind == 2:  # two codes cut together
            other = dice.choice(real)
            yield code[:place] + other[place:] if other != code else code[::-1]
        elif kind == 4:  # two characters change places
            other_place = 1 + place % (LENGTH - 1)
            letters = list(code)
            letters[place], letters[other_place] = letters[other_place], letters[place]
            mutated = "".join(letters)
            yield mutated if mutated != code else code + "A"
        else:  # one bit of the tag or the number
            letter = ALPHABET[ALPHABET.index(code[place]) ^ (1 << dice.randrange(5))]
            yield code[:place] + letter + code[place + 1 :]


@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_no_forgery_is_accepted(count: int) -> None:
    real = {code_of(number, number % 3) for number in range(1, 65)}
    tried = [code for code in forgeries(count, seed=count) if code not in real]
    assert len(tried) > 0.98 * count
    assert [code for code in tried if accepted(code)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "", "a", "a" * LENGTH, "a" * 10_000, "²" * LENGTH, "५" * LENGTH, "a" + "=" * 24, "\0" * LENGTH,
        "a" + "A" * 23 + "=", "a" + "A" * 22 + "==", " " * LENGTH, "a" + "+" * 24, "a" + "/" * 24,
        "\ud800" * LENGTH, "a" + "\n" * 24, "'; DROP TABLE receipts;--",
    ],
    ids=lambda code: ascii(code)[:30],
)  # fmt: skip
def test_a_malformed_code_is_unknown_and_nothing_else(wrong: str) -> None:
    with pytest.raises(UnknownCode):
        number_of(wrong)


@pytest.mark.parametrize(
    "around", ["{} ", " {}", "{}\n", "{}=", "{}A", "{}==", "\ufeff{}", "{}%20"]
)
def test_a_code_has_one_spelling(around: str) -> None:
    assert not accepted(around.format(code_of(42)))


def test_no_second_spelling_of_the_last_character_is_accepted() -> None:
    """18 bytes fill 24 characters of base64 to the last bit; a shorter body would leave some free."""
    code = code_of(42)
    assert [letter for letter in ALPHABET if accepted(code[:-1] + letter)] == [code[-1]]


@given(st.text(max_size=40))
def test_any_text_is_answered_without_an_error(text: str) -> None:
    assert not accepted(text)


@pytest.mark.parametrize(
    "wrong",
    ["", "zzz", "b" + "A" * 24, "a" + "A" * 24, "a" + "é" * 24, "a" * 5000],
    ids=lambda c: c[:9],
)
def test_unknown_and_malformed_cost_the_same_work(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: a clock would make this test the flaky one."""

    def counted(code: str) -> int:
        calls = 0
        real = Mac.__call__

        def counting(mac: Mac, data: bytes) -> bytes:
            nonlocal calls
            calls += 1
            return real(mac, data)

        with monkeypatch.context() as patched:
            patched.setattr(Mac, "__call__", counting)
            accepted(code)
        return calls

    code_of(42)  # the keys are derived once
    assert counted(wrong) == counted("a" + "B" * 24) == 2
