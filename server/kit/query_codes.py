"""Codes that people type: 80 bits in 16 characters of Crockford's base 32, derived from an id by a key."""

import base64
from uuid import UUID

from server.kit.errors import Missing
from server.kit.privacy import vault

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", CROCKFORD.encode())
_LOOKALIKES = str.maketrans("OILoil", "011011")


class UnknownQueryCode(Missing):
    code = "unknown_query_code"
    title = "没有找到这个查询编码"


def query_code(of: UUID, key_id: str | None = None) -> str:
    """The code of this id; it can be made again, but only with the key."""
    code_of = vault().mac(key_id or vault().newest, "query", 10)
    return base64.b32encode(code_of(of.bytes)).translate(_TO_CROCKFORD).decode()


def query_key(code: str) -> str:
    return vault().fingerprint(code, "query")


def code_of_key(of: UUID, key: str) -> str:
    """The code as it was handed out, under whichever master key that was."""
    for key_id in vault().key_ids:
        code = query_code(of, key_id)
        if key in vault().fingerprints(code, "query"):
            return code
    raise UnknownQueryCode


def typed(code: str) -> str:
    """What a person typed: any case, O for 0, I and L for 1, with or without separators."""
    plain = "".join(
        c for c in code.translate(_LOOKALIKES) if c not in "-－—" and not c.isspace()
    ).upper()
    if len(plain) != LENGTH or not set(plain) <= set(CROCKFORD):
        raise UnknownQueryCode
    return plain


def grouped(code: str) -> str:
    """As it is shown: four groups of four."""
    return " ".join(code[start : start + 4] for start in range(0, LENGTH, 4))
