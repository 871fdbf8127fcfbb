"""What our messages may say: their purposes with the placeholders, and the texts that we ship."""

import csv
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from server.catalogue.models import Wording
from sms.templates import check_wording, placeholders

_SHIPPED = Path(__file__).parent / "data" / "wordings.csv"
_OPT_OUT_HINT = re.compile(r"(拒收|退订)请?回|回复?[A-Z]{1,2}(拒收|退订)", re.IGNORECASE)


class Use(NamedTuple):
    needed: tuple[str, ...]
    """Without them the message would not say what it is about."""
    also: tuple[str, ...] = ()


LETTERS = ("a", "b", "c", "d", "e", "f", "g", "h")
_SERVICE = Use(("item",), ("date", "hall"))
PURPOSES: Mapping[str, Use] = {
    "notice": _SERVICE,
    "reminder": _SERVICE,
    "reason": Use(LETTERS, ("item",)),
    "reason_open": Use((), ("item",)),
    "unclear": Use((), ("item",)),
    "unclear_verdict": Use((), ("item",)),
    "thanks": Use((), ("item",)),
    "answer": Use(("item",), ("agency", "answer", "code")),
    "accepted": Use(("item",), ("agency", "due", "code")),
    "closed": Use(("item",), ("agency", "code")),
    "ask": Use(("item", "words"), ("agency",)),
    "recall": Use(("item",), ("date", "hall")),
    "unclear_recall": Use((), ("item",)),
    "proof": Use(("proof",), ("item",)),
    "appealed": Use(("item", "code"), ("agency", "due")),
    "excluded": Use(("item", "code")),
    "restored": Use(("item",), ("code",)),
}


def faults(purpose: str, text: str) -> Iterator[str]:
    """Why this text cannot be used for this purpose, in words for who wrote it."""
    yield from (problem.words for problem in check_wording(text))
    used, use = placeholders(text), PURPOSES[purpose]
    known = (*use.needed, *use.also)
    if strange := [name for name in used if name not in known]:
        shown = "、".join(f"${{{name}}}" for name in known)
        yield f"没有 ${{{strange[0]}}} 这个变量；{purpose} 可用的变量有 {shown}"
    if missing := [name for name in use.needed if name not in used]:
        yield f"缺少变量 ${{{missing[0]}}}"
    if _OPT_OUT_HINT.search(text):
        yield "服务通知不能带“拒收请回复R”一类的话"


@cache
def shipped() -> Mapping[tuple[str, int], Wording]:
    """By purpose and variant; all of both."""
    with _SHIPPED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["purpose"], int(row["variant"])): Wording(
            region_code="", purpose=row["purpose"], variant=int(row["variant"]), text=row["text"]
        )
        for row in rows
    }
