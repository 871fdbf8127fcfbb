"""What fits into a keyword of a subscribe message (pure)."""

import re
import unicodedata
from itertools import accumulate

_LIMITS = {
    "thing": 20, "short_thing": 5, "phrase": 5, "character_string": 32, "name": 10, "const": 20,
}  # fmt: skip
_ALLOWED = {
    "phrase": re.compile(r"[^\u4e00-\u9fff]"), "character_string": re.compile(r"[^ -~]"),
}  # fmt: skip
_NOTHING = {"phrase": "办理中", "character_string": "-"}
_JOINER = "\u200d"


def fitted(keyword: str, text: str) -> str:
    """The text as this keyword takes it: without what it forbids, cut between characters, never empty."""
    kind = keyword.rstrip("0123456789")
    if kind in _ALLOWED:
        text = _ALLOWED[kind].sub("", text)
    text = " ".join(text.split())
    most = _LIMITS.get(kind)
    return (text if most is None else cut(text, most)) or _NOTHING.get(kind, "政务服务")


def cut(text: str, most: int) -> str:
    """At most so many UTF-16 units, as WeChat may count, and no character in halves."""
    if _units(text) <= most:
        return text
    marked = most > 5
    room = most - 1 if marked else most
    seen = accumulate(map(_units, pieces := _characters(text)))
    kept = "".join(piece for piece, end in zip(pieces, seen, strict=True) if end <= room)
    return f"{kept}…" if marked else kept


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _characters(text: str) -> list[str]:
    """As a reader sees them: with their marks, and joined pictures as one."""
    pieces: list[str] = []
    for sign in text:
        if pieces and (_continues(sign) or pieces[-1].endswith(_JOINER) or _flag(pieces[-1], sign)):
            pieces[-1] += sign
        else:
            pieces.append(sign)
    return pieces


def _continues(sign: str) -> bool:
    tone = "\U0001f3fb" <= sign <= "\U0001f3ff"
    return tone or sign == _JOINER or unicodedata.category(sign) in ("Mn", "Me", "Mc")


def _flag(before: str, sign: str) -> bool:
    """A flag is two letters of a country."""
    return len(before) == 1 and all(
        "\U0001f1e6" <= letter <= "\U0001f1ff" for letter in (before, sign)
    )
