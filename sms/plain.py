"""One spelling for everything: what a phone sent, in plain characters that know where they stood."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Traditional characters of the words that words.py knows; the citizen's own words stay as written.
_TRADITIONAL = dict(
    zip(
        "滿評價謝務態還選複復覆訂絕發點個樓號鐘嗎麼兩時間對這們給說沒應該會後來過開級顆讓請問題辦隊長難"
        "氣處動覺認為爲與條張戶層歲塊錢讚錯煩擾亂業員專熱貳參棟臺週單據夠爛壞騙慮質總體實戲決銷種項號較嚴"
        "費圖須電話話壓騷擾簡訊區廳櫃樣貴誰幾謂達節變換聯繫別轉",
        "满评价谢务态还选复复复订绝发点个楼号钟吗么两时间对这们给说没应该会后来过开级颗让请问题办队长难"
        "气处动觉认为为与条张户层岁块钱赞错烦扰乱业员专热贰叁栋台周单据够烂坏骗虑质总体实戏决销种项号较严"
        "费图须电话话压骚扰简讯区厅柜样贵谁几谓达节变换联系别转",
        strict=True,
    )
)
# Digits that NFKC leaves alone or turns into letters: ❺ ➄ ➎ ⓹ Ⅴ ⅴ.
_DIGITS = {
    chr(start + n): str(n + 1)
    for start in (0x2776, 0x2780, 0x278A, 0x24F5, 0x2160, 0x2170)
    for n in range(5)
}
_LETTERS = {
    chr(start + n): chr(ord("a") + n) for start in (0x1F130, 0x1F150, 0x1F170) for n in range(8)
}
_NOTHING = dict.fromkeys(map(chr, (0x20E3, 0x34F, 0x115F, 0x1160, 0x3164, 0xFFA0)), "")
_MARKS = {"\n": "\n", "\r": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n", "\t": " "}
_MARKS |= {"\x0b": "\n", "\x0c": "\n", "\u2800": " ", "～": "~", "〜": "~"}
_FIXED = _TRADITIONAL | _DIGITS | _LETTERS | _NOTHING | _MARKS


@lru_cache(maxsize=20_000)
def _plain(char: str) -> str:
    if (fixed := _FIXED.get(char)) is not None:
        return fixed
    category = unicodedata.category(char)
    if category in ("Cf", "Cc", "Cs") or "VARIATION SELECTOR" in unicodedata.name(char, ""):
        return ""
    if category[0] == "Z":
        return " "
    if (digit := unicodedata.decimal(char, None)) is not None:
        return str(digit)
    # 5² and ½ are arithmetic, no answer: they keep their shape, which no rule knows.
    if unicodedata.decomposition(char).startswith(("<super>", "<sub>", "<fraction>")):
        return char
    folded = unicodedata.normalize("NFKC", char).lower()
    return folded if folded == char else "".join(_FIXED.get(c, c) for c in folded)


# Apart from these a mark belongs to the word beside it: -5, 5+, 5%, 5# and “满意”二字 are no answers.
_BREAKS = r"\s,.!?;:。、…—–|·•()\[\]{}【】〔〕〈〉《》「」『』"
_QUOTES = "\"'`“”‘’＂＇"
_PICTURES = "\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff\ue000-\uf8ff\U0001f000-\U0001faff"
_CLAUSE = re.compile(
    rf"[{_PICTURES}]+|(?:(?![{_BREAKS}{_PICTURES}]|~(?!\d)|--|(?<=-)-).)+", re.DOTALL
)
_OUTSIDE = re.compile(rf"[{_BREAKS}{_QUOTES}]")
_MEANS_NOTHING = re.compile(rf"[-_=~^*…—/\\{_QUOTES}]*")
_PICTURE = re.compile(rf"[{_PICTURES}]")


@dataclass(frozen=True, slots=True)
class Clause:
    text: str
    start: int
    end: int
    before: str
    """The marks between this clause and the one before."""

    @property
    def spaced(self) -> bool:
        """Only a blank stands before it: it may still belong to the clause before (5 楼)."""
        return self.before != "" and not self.before.strip(" ")


@dataclass(frozen=True, slots=True)
class Plain:
    written: str
    text: str
    at: list[int]
    """Where in `written` each plain character stood."""

    def clauses(self) -> list[Clause]:
        found: list[Clause] = []
        first, last = self._inner()
        end = first
        for match in _CLAUSE.finditer(self.text, first, last):
            text = match.group()
            if _PICTURE.match(text) or not _MEANS_NOTHING.fullmatch(text):
                before = self.text[end : match.start()]
                found.append(Clause(text, match.start(), match.end(), before))
                end = match.end()
        return found

    def original(self, start: int, end: int) -> str:
        """What was written there, without the marks that led to it."""
        if start >= end:
            return ""
        while end < len(self.at) and self.at[end] == self.at[end - 1]:
            end += 1  # one character may become two marks
        stop = self.at[end] if end < len(self.at) else len(self.written)
        words = self.written[self.at[start] : stop].strip()
        return words.lstrip(" \t\r\n,，.。、;；:：!！~～…-—=|/").rstrip()

    def joined(self, *groups: list[Clause]) -> str:
        """The clauses as they were written, each group with the marks between its clauses."""
        parts = [self.original(group[0].start, self._stop(group[-1])) for group in groups if group]
        return " ".join(part for part in parts if part)

    def _stop(self, last: Clause) -> int:
        """The marks after the last word belong to it: 怎么这么慢！！"""
        stop = last.end
        while stop < len(self.text) and self.text[stop] in "!?.。~…)」』】》”’":
            stop += 1
        return stop

    def _inner(self) -> tuple[int, int]:
        """Quotes around the whole reply say nothing; inside they do."""
        first, last = 0, len(self.text)
        while first < last and _OUTSIDE.match(self.text[first]):
            first += 1
        while first < last and self.text[last - 1] in _QUOTES + " \n.。!,、":
            last -= 1
        return first, last


def plain(written: str) -> Plain:
    text: list[str] = []
    at: list[int] = []
    for place, char in enumerate(written):
        for folded in _plain(char):
            text.append(folded)
            at.append(place)
    return Plain(written, "".join(text), at)
