"""Phone numbers as people and providers write them."""

import re

_SEPARATORS = re.compile(r"[\s\-()（）]")
_PLAIN = re.compile(r"1[3-9]\d{9}", re.ASCII)
_MAINLAND = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})", re.ASCII)
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def normalise(written: str) -> str | None:
    """11 digits for a mainland mobile, E.164 for any other number, None for what is no number."""
    if _PLAIN.fullmatch(written):
        return written
    plain = _SEPARATORS.sub("", written)
    if mainland := _MAINLAND.fullmatch(plain):
        return mainland.group(1)
    return plain if _E164.fullmatch(plain) and not plain.startswith("+86") else None


def mask(phone: str) -> str:
    """What may be shown: 138****8000."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "****"
