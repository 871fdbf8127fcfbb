"""Whether two texts say the same (pure): by the pairs of characters that they share."""

from collections import Counter

LIKE = 0.6
"""Of 1: above it two texts are held out to a person as perhaps the same."""
SHORTEST = 6
"""Characters; “没人管” says nothing of which matter it is."""


def likeness(one: str, other: str) -> float:
    """0 to 1, whatever the punctuation; short texts are like nothing."""
    ours, theirs = _pairs(one), _pairs(other)
    if min(ours.total(), theirs.total()) < SHORTEST - 1:
        return 0.0
    return 2 * (ours & theirs).total() / (ours.total() + theirs.total())


def is_like(one: str, other: str) -> bool:
    return likeness(one, other) >= LIKE


def _pairs(text: str) -> Counter[str]:
    plain = "".join(char for char in text.casefold() if char.isalnum())
    return Counter(plain[place : place + 2] for place in range(len(plain) - 1))
