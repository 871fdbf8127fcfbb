"""Seals and fingerprints: bound to a key and a purpose, readable across a rotation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit.privacy import BrokenSeal, Vault

OLD, NEW = b"o" * 32, b"n" * 32
vault = Vault({"a": OLD})
rotated = Vault({"b": NEW, "a": OLD})


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_was_sealed_is_unsealed(plain: bytes, purpose: str) -> None:
    assert vault.unseal(vault.seal(plain, purpose), purpose) == plain


def test_two_seals_of_one_value_do_not_look_alike() -> None:
    one, other = vault.seal(b"13800138000", "phone"), vault.seal(b"13800138000", "phone")
    assert one != other
    assert b"13800138000" not in one


def test_a_seal_opens_only_for_its_purpose() -> None:
    with pytest.raises(BrokenSeal):
        vault.unseal(vault.seal(b"x", "applicant"), "contact")


@pytest.mark.parametrize("place", [*range(4), 13, 14, 20, -16, -1])
def test_a_seal_with_one_bit_changed_does_not_open(place: int) -> None:
    sealed = bytearray(vault.seal(b"13800138000", "phone"))
    sealed[place] ^= 1
    with pytest.raises(BrokenSeal):
        vault.unseal(bytes(sealed), "phone")


@given(st.binary(max_size=60))
def test_bytes_that_were_never_sealed_are_refused_without_another_error(junk: bytes) -> None:
    for sealed in (junk, b"A" + junk, b"Aa" + junk, b"A\xff" + junk):
        with pytest.raises(BrokenSeal):
            vault.unseal(sealed, "phone")


def test_an_old_seal_opens_after_a_rotation_and_a_new_one_is_written_with_the_new_key() -> None:
    assert rotated.unseal(vault.seal(b"x", "p"), "p") == b"x"
    with pytest.raises(BrokenSeal):
        vault.unseal(rotated.seal(b"x", "p"), "p")
    with pytest.raises(BrokenSeal):
        Vault({"b": NEW}).unseal(vault.seal(b"x", "p"), "p")


def test_the_message_of_a_broken_seal_holds_nothing_of_the_value() -> None:
    with pytest.raises(BrokenSeal) as broken:
        vault.unseal(b"Aa13800138000" + b"x" * 30, "phone")
    assert "138" not in str(broken.value)
    assert broken.value.__cause__ is None


def test_a_fingerprint_is_the_same_for_equal_texts_and_says_nothing() -> None:
    one = vault.fingerprint("13800138000", "phone")
    assert one == Vault({"a": OLD}).fingerprint("13800138000", "phone")
    assert len(one) == 22
    others = {
        vault.fingerprint("13800138001", "phone"), vault.fingerprint("13800138000", "query"),
        Vault({"a": NEW}).fingerprint("13800138000", "phone"),
        Vault({"b": OLD}).fingerprint("", "phone"),
    }  # fmt: skip
    assert one not in others


def test_rows_written_before_a_rotation_are_found_after_it() -> None:
    before = vault.fingerprint("13800138000", "phone")
    assert before in rotated.fingerprints("13800138000", "phone")
    assert rotated.fingerprint("13800138000", "phone") != before


def test_any_text_has_a_fingerprint() -> None:
    assert len(vault.fingerprint("\ud800\0😀", "phone")) == 22


def test_subkeys_differ_by_label_and_key_and_unknown_keys_have_none() -> None:
    keys = {
        rotated.subkey(key, label) for key in "ab" for label in ("code:tag", "code:pad", "seal")
    }
    assert len(keys) == 6
    with pytest.raises(KeyError):
        rotated.subkey("c", "seal")
