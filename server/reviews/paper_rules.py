"""What a clerk reads from a paper form (pure): each answer, or why it cannot be taken."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from server.kit.errors import Fault
from server.reviews.rules import COMMENT_LIMIT, LEVEL_NAMES, is_bad
from server.workorders.rules import is_blank

CASE_LIMIT, NAME_LIMIT, PHONE_LIMIT = 64, 100, 24
_DAY = re.compile(r"(?:(\d{4})[-./年])?(\d{1,2})[-./月](\d{1,2})日?", re.ASCII)
_LEVEL = re.compile(r"[1-5]", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One form as it was keyed in; every part may be empty."""

    code: str = ""
    level: str = ""
    again: str = ""
    """The level, keyed a second time."""
    reasons: str = ""
    no_reason: bool = False
    """The clerk says that the paper names no reason."""
    words: str = field(default="", repr=False)
    day: str = ""
    window: str = ""
    matter: str = ""
    case_number: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)

    @property
    def is_empty(self) -> bool:
        return self == Row()


def plain(text: str) -> str:
    """Full-width digits and letters are those of a Chinese keyboard."""
    return unicodedata.normalize("NFKC", text).strip()


def level_of(first: str, again: str) -> int | Fault:
    """Keyed twice, so that a slip of the finger is no rating."""
    first, again = plain(first), plain(again)
    for place, text in (("level", first), ("again", again)):
        if not _LEVEL.fullmatch(text):
            said = "请录入表上勾选的满意度旁的数字（1 到 5）" if not text else "满意度只能是 1 到 5"
            return Fault(place, "bad_level", said)
    if first != again:
        names = LEVEL_NAMES[int(first)], LEVEL_NAMES[int(again)]
        said = f"两次录入的满意度不同：第一次 {first}（{names[0]}），第二次 {again}（{names[1]}）"
        return Fault("again", "level_mismatch", f"{said}。请对照原表，两处都重录")
    return int(first)


def day_of(text: str, printed_on: date, today: date) -> date | Fault | None:
    """The day on the form; without a year the last such day. None: nothing was written."""
    text = "".join(plain(text).split())
    if not text:
        return None
    found = _DAY.fullmatch(text)
    days = _days(found, today) if found else []
    if not days:
        return Fault("day", "bad_day", "日期请写成 月-日，如 11-21，或 2026-11-21")
    day = max((day for day in days if day <= today), default=None)
    if day is None:
        return Fault("day", "in_the_future", "表上的日期晚于今天")
    if day < printed_on:
        said = f"表上的日期早于这张表印出的日子（{printed_on:%Y-%m-%d}）"
        return Fault("day", "before_printing", said)
    return day


def _days(found: re.Match[str], today: date) -> list[date]:
    years = [int(found[1])] if found[1] else [today.year - 1, today.year]
    days = []
    for year in years:
        try:
            days.append(date(year, int(found[2]), int(found[3])))
        except ValueError:
            continue
    return days


@dataclass(frozen=True)
class Reasons:
    tags: list[str]
    others: list[str]
    """Ticked beside another level: no reason of this one, but the citizen said so."""


def reasons_of(text: str, level: int, levels: Mapping[str, int]) -> Reasons | Fault:
    codes = list(dict.fromkeys(re.findall(r"\w+", plain(text))))
    unknown = [code for code in codes if code not in levels]
    if unknown:
        return Fault("reasons", "unknown_tag", f"没有这个原因编号：{'、'.join(unknown)[:60]}")
    return Reasons(
        [code for code in codes if levels[code] == level],
        [code for code in codes if levels[code] != level],
    )


def words_of(text: str, ticked: Sequence[str]) -> str | Fault:
    """The citizen's words, and what he ticked beside another level."""
    words = "" if is_blank(text) else text.strip()
    if ticked:
        words = f"{words}\n（表上还勾了：{'；'.join(ticked)}）".strip()
    if len(words) > COMMENT_LIMIT:
        return Fault("words", "too_long", f"文字最多 {COMMENT_LIMIT} 字，现在 {len(words)} 字")
    return words


def reason_fault(level: int, tags: Sequence[str], words: str, no_reason: bool) -> Fault | None:
    """Of a bad one the paper names a reason, or the clerk says that it does not."""
    given = bool(tags) or not is_blank(words)
    if no_reason and given:
        return Fault("no_reason", "reason_given", "勾了“没有写原因”，又录了原因或文字，请核对原表")
    if is_bad(level) and not given and not no_reason:
        return Fault(
            "reasons", "reason_required", "差评要有原因；表上确实没有写的，请勾“没有写原因”"
        )
    return None


def case_of(text: str) -> str | Fault:
    text = plain(text)
    if len(text) > CASE_LIMIT or not text.isprintable():
        return Fault("case_number", "bad_case_number", f"办件编号最多 {CASE_LIMIT} 个字")
    return text
