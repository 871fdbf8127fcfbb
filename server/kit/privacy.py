"""Sealing, searching and deriving with keys that are not in the database.

A stolen dump without the keys opens no phone number, rates no receipt and tracks no review.
"""

import binascii
import hmac
import os
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SUITE = b"A"
"""AES-256-GCM with keyed BLAKE2b (RFC 7693). Named in every sealed value, so that SM4-GCM with SM3
can stand beside it."""
_NONCE = 12
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Mac:
    """A message authentication code of `size` bytes. The key's block is worked in once."""

    def __init__(self, key: bytes, size: int) -> None:
        self._keyed = blake2b(digest_size=size, key=key)

    def __call__(self, data: bytes) -> bytes:
        code = self._keyed.copy()
        code.update(data)
        return code.digest()


class BrokenSeal(Exception):
    """The value was sealed with a key we do not have, for another purpose, or was altered."""


class Vault:
    """Everything derived from the master keys. The first key writes, all of them read."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys
        self._newest = next(iter(keys))
        self._sealers = {name: AESGCM(self._derive(name, "seal")) for name in keys}
        self._subkeys: dict[tuple[str, str], bytes] = {}
        self._macs: dict[tuple[str, str, int], Mac] = {}

    @property
    def newest(self) -> str:
        return self._newest

    @property
    def key_ids(self) -> Collection[str]:
        """Newest first."""
        return self._keys.keys()

    def subkey(self, key_id: str, label: str) -> bytes:
        """32 bytes for one use only, or KeyError for an unknown key id."""
        found = self._subkeys.get((key_id, label))
        if found is None:
            found = self._subkeys[key_id, label] = self._derive(key_id, label)
        return found

    def mac(self, key_id: str, label: str, size: int) -> Mac:
        """With a key of its own for every use; KeyError for an unknown key id."""
        found = self._macs.get((key_id, label, size))
        if found is None:
            found = self._macs[key_id, label, size] = Mac(self._derive(key_id, label), size)
        return found

    def _derive(self, key_id: str, label: str) -> bytes:
        return hmac.digest(self._keys[key_id], b"haochaping:" + label.encode(), "sha256")

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """suite (1) · key id (1) · nonce (12) · ciphertext and tag; bound to its purpose."""
        return self.seal_all([plain], purpose)[0]

    def seal_all(self, plains: Sequence[bytes], purpose: str) -> list[bytes]:
        """As `seal`; the nonces of all are drawn at once."""
        encrypt, purpose_ = self._sealers[self._newest].encrypt, purpose.encode()
        head, drawn = SUITE + self._newest.encode(), os.urandom(_NONCE * len(plains))
        nonces = (drawn[at : at + _NONCE] for at in range(0, len(drawn), _NONCE))
        return [
            head + nonce + encrypt(nonce, plain, purpose_)
            for nonce, plain in zip(nonces, plains, strict=True)
        ]

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        try:
            if sealed[:1] != SUITE:
                raise BrokenSeal("unknown suite")
            sealer = self._sealers[sealed[1:2].decode("ascii")]
            return sealer.decrypt(sealed[2 : 2 + _NONCE], sealed[2 + _NONCE :], purpose.encode())
        except (KeyError, UnicodeDecodeError, InvalidTag, ValueError) as error:
            raise BrokenSeal(type(error).__name__) from None

    def fingerprint(self, text: str | bytes, purpose: str) -> str:
        """A keyed hash to search by, 128 bits in 22 characters; equal texts give equal ones."""
        return self._found(text, self._finder(self._newest, purpose))

    def fingerprints_of(self, texts: Iterable[str | bytes], purpose: str) -> list[str]:
        """As `fingerprint`, of many."""
        finder = self._finder(self._newest, purpose)
        return [self._found(text, finder) for text in texts]

    def fingerprints(self, text: str | bytes, purpose: str) -> list[str]:
        """Under every key, for looking up rows written before a rotation."""
        return [self._found(text, self._finder(name, purpose)) for name in self._keys]

    def _finder(self, key_id: str, purpose: str) -> Mac:
        return self.mac(key_id, "find:" + purpose, 16)

    @staticmethod
    def _found(text: str | bytes, finder: Mac) -> str:
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return binascii.b2a_base64(finder(data))[:22].translate(_URL_SAFE).decode()


_vault: Vault | None = None


def open_vault(keys: dict[str, bytes]) -> None:
    """Once, at the start of a process."""
    global _vault
    _vault = Vault(keys)


def vault() -> Vault:
    if _vault is None:
        raise RuntimeError("the vault is not open: no keys were read")
    return _vault
