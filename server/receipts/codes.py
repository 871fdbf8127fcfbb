"""The code in the QR: derived from the receipt's number by a key, so that nobody else can make one.

One character names the key; 24 more are 18 bytes in base64url: a 96-bit tag over the number, and the
number sealed under a pad derived from the tag (a synthetic IV, as in RFC 5297). So a code can be
drawn again, says nothing about how many receipts there are, and a guess is right with 2⁻⁹⁶.

The highest of the number's 48 bits are the generation: 0 on the slip that the window printed, one more
for every code that the phone's owner got after “不是我评的”. All of it is under the tag.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from typing import NamedTuple

from server.kit.errors import Missing
from server.kit.privacy import Mac, vault

LENGTH = 25
_TAG, _NUMBER = 12, 6
NUMBER_BITS = 40
"""A receipt's; a million million of them, and 255 generations."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_DUMMY = b"\0" * (_TAG + _NUMBER)


class UnknownCode(Missing):
    """A code that never was and one that is wrong get the same words after the same work."""

    code = "unknown_code"
    title = "没有找到这张回执"

    def __init__(self) -> None:
        super().__init__("没有找到这张回执。请核对回执上的二维码，或到办事大厅咨询")


class Held(NamedTuple):
    """What a code says: which receipt, and who may have it."""

    number: int
    generation: int


def code_of(number: int, generation: int = 0) -> str:
    """The code of a receipt, under the newest key."""
    return codes_of([generation << NUMBER_BITS | number])[0]


def codes_of(numbers: Iterable[int]) -> list[str]:
    key_id = vault().newest
    tag_of, pad_of = _macs(key_id)
    codes = []
    for number in numbers:
        tag = tag_of(number.to_bytes(_NUMBER))
        body = binascii.b2a_base64(tag + _padded(number, pad_of(tag)), newline=False)
        codes.append(key_id + body.translate(_URL_SAFE).decode())
    return codes


def number_of(code: str) -> int:
    """The receipt's number, whichever of its codes this is; or UnknownCode."""
    return held(code).number


def held(code: str) -> Held:
    """What the code says, or UnknownCode. Takes the same steps for every wrong code."""
    key_id, well_formed = code[:1], len(code) == LENGTH
    if key_id not in vault().key_ids:
        key_id, well_formed = vault().newest, False
    try:
        body = base64.b64decode(code[1:].encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        body = _DUMMY
    if len(body) != _TAG + _NUMBER:
        body, well_formed = _DUMMY, False
    tag_of, pad_of = _macs(key_id)
    tag = body[:_TAG]
    plain = _padded(int.from_bytes(body[_TAG:]), pad_of(tag))
    if not (hmac.compare_digest(tag_of(plain), tag) and well_formed):
        raise UnknownCode
    generation, number = divmod(int.from_bytes(plain), 1 << NUMBER_BITS)
    return Held(number, generation)


def _macs(key_id: str) -> tuple[Mac, Mac]:
    keys = vault()
    return keys.mac(key_id, "code:tag", _TAG), keys.mac(key_id, "code:pad", _NUMBER)


def _padded(number: int, pad: bytes) -> bytes:
    """Seals and opens alike."""
    return (number ^ int.from_bytes(pad)).to_bytes(_NUMBER)
