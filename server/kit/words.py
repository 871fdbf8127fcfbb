"""Whether somebody has written anything."""

_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")
"""Letters that print as nothing; invisible all the same."""


def is_blank(text: str) -> bool:
    """Nothing that a reader could see: white space, invisible and control characters only."""
    return not any(
        char.isprintable() and not char.isspace() and char not in _FILLERS for char in text
    )
