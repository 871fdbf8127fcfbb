"""A wording of the catalogue and the values of one service → the message as the phone shows it."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from server.catalogue.service import catalogue
from server.messages.rules import Purpose
from sms.templates import (
    LONGEST_VARIABLE,
    ONE_MESSAGE,
    count_characters,
    count_messages,
    placeholders,
    render,
)

_ELSE = {
    "date": "近日", "hall": "网上", "item": "业务", "agency": "承办部门", "answer": "详见查询页",
    "code": "见回执", "due": "规定期限", "words": "详见查询页",
}  # fmt: skip
"""What stands for a value that is empty. A hall that is empty is first the agency."""
_ANY = "其他"
_SHORTENED = {
    Purpose.NOTICE: (("item", 8), ("hall", 4)),
    Purpose.REMINDER: (("item", 8), ("hall", 4)),
    Purpose.ACCEPTED: (("item", 8), ("agency", 6)),
    Purpose.CLOSED: (("item", 8), ("agency", 6)),
}
"""To make one message of two, in this order, and down to so many characters."""
_CUT = "…"
_BRACKETS = str.maketrans("【】", "「」")
_DOT_OF_A_NUMBER = re.compile(r"(?<![\d.])(\d+)\.(\d+)(?![\d.])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Composed:
    sign: str
    template: str
    """The provider's code; empty while none was approved."""
    text: str = field(repr=False)
    """As the phone shows it, with 【sign】."""
    variables: dict[str, str] = field(repr=False)
    parts: int
    """Messages that are paid for."""


def compose(region_code: str, purpose: Purpose, values: Mapping[str, str]) -> Composed:
    """Of the values only those that the wording names are used; any text will do as a value.

    A hall may be empty: then the `agency`, when it is given, else 网上."""
    policy = catalogue().policy(region_code)
    wording = catalogue().wording(region_code, purpose, policy.wording)
    variables = fit(policy.sms_sign, wording.text, values, _SHORTENED.get(purpose, ()))
    text = render(policy.sms_sign, wording.text, variables)
    return Composed(policy.sms_sign, wording.template_code, text, variables, count_messages(text))


def fit(
    sign: str, template: str, values: Mapping[str, str], shortened: tuple[tuple[str, int], ...]
) -> dict[str, str]:
    """Values that the provider takes; shortened if that makes one message, else left whole."""
    whole = {name: _value(name, values) for name in placeholders(template)}
    for fitted in _shorter(whole, shortened):
        if count_characters(render(sign, template, fitted)) <= ONE_MESSAGE:
            return fitted
    return whole


def _shorter(
    values: dict[str, str], shortened: tuple[tuple[str, int], ...]
) -> Iterator[dict[str, str]]:
    """The values, then shorter ones by a character each time."""
    yield values
    for name, least in shortened:
        full = values.get(name, "")
        for longest in range(len(full) - 1, least, -1):
            values = values | {name: _cut(full, longest)}
            yield values


def _value(name: str, values: Mapping[str, str]) -> str:
    """1 to 35 characters without line breaks, 【】 or anything that looks like a link."""
    given = _plain(values.get(name, ""))
    if not given and name == "hall":
        given = _plain(values.get("agency", ""))
    return _cut(given, LONGEST_VARIABLE) or _ELSE.get(name, _ANY)


def _plain(text: str) -> str:
    seen = "".join(" " if c.isspace() else c for c in text if c.isspace() or _is_visible(c))
    words = " ".join(seen.split()).translate(_BRACKETS).replace("://", "：//")
    return _DOT_OF_A_NUMBER.sub("\\1\0\\2", words).replace(".", "．").replace("\0", ".")


def _is_visible(letter: str) -> bool:
    """No controls, no halves of a pair, no marks that turn the direction of writing."""
    return not unicodedata.category(letter).startswith("C")


def _cut(text: str, longest: int) -> str:
    """At most so many characters as the network counts them, none cut in two."""
    if count_characters(text) <= longest:
        return text
    kept = text[: longest - 1]
    while count_characters(kept) > longest - 1:
        kept = kept[:-1]
    return kept.rstrip() + _CUT
