"""When two comments are the same sentence, whatever was changed about it (pure)."""

import unicodedata
from functools import lru_cache

LETTERS = 9
"""What is shorter (很好, 服务热情, 办事很快) thousands write without having been told to."""
LONGEST = 500
ALIKE = 0.66
"""Share of neighbouring letters in common: of twelve letters two may be others, or the halves may
change places."""


def plain(comment: str) -> str:
    """Letters alone, in one form: without signs, spaces, digits, pictures; empty if too few are left."""
    text = unicodedata.normalize("NFKC", comment).casefold()
    letters = "".join(sign for sign in text if unicodedata.category(sign)[0] == "L")
    return letters[:LONGEST] if len(letters) >= LETTERS else ""


@lru_cache(maxsize=65_536)
def _neighbours(words: str) -> frozenset[str]:
    return frozenset(words[at : at + 2] for at in range(len(words) - 1))


def alike(one: str, other: str) -> bool:
    if one == other:
        return True
    if not 0.5 < len(one) / len(other) < 2:
        return False
    a, b = _neighbours(one), _neighbours(other)
    return 2 * len(a & b) >= ALIKE * (len(a) + len(b))
