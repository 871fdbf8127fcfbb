"""Reasons: letters of the question's list at the start of the reply, or free text."""

import re
from dataclasses import dataclass

from sms.plain import Clause, Plain
from sms.words import COURTESY, NUMBER

_LEAD = (
    r"(?:(?:[你您]们?好|好的|谢谢|嗯+)[\s:,，。.!]*+)?"
    r"(?:我?要?(?:选项|选择?的?|回复?|答案?|原因|理由|因为|主要|是|应该是|就是)(?:是|为|:)?[\s:,，]*+)?+"
)
_BETWEEN = r"(?:选?项|还有|以及|另外|加上?|[\s,、/;.和与跟及同以并&+|()\[\]【】·。-])*"
_RUN = r"[a-h]{1,8}(?![a-z0-9])"
_LETTERS = re.compile(
    rf"[\s\"'“‘「【(\[《]*+{_LEAD}[\s(\[【]*+(?P<letters>{_RUN}(?:{_BETWEEN}{_RUN})*)"
)
_ONE_RUN = re.compile(_RUN)
_FURTHER = re.compile(r"[a-h](?![a-z0-9])")
# Words made of these letters; AC stays two letters, since people answer AC far more often than 空调.
_ENGLISH = frozenset(
    {
        "cad",
        "bad",
        "bed",
        "dad",
        "fee",
        "feed",
        "egg",
        "cab",
        "cafe",
        "face",
        "head",
        "dead",
        "add",
        "age",
        "edge",
        "aed",
        "ad",
        "be",
        "he",
        "ah",
        "ha",
    }
)
# Before Chinese words or nothing these are two choices.
_CHOICES = re.compile(r"(?:be|ad)(?!\s*[a-z\d])")
# A区, B超, C1, D栋, A证, E口 name a thing; A或B, 除A, A不算 choose nothing certain.
_NAMES_A_THING = re.compile(
    r"\s*(?:[区座栋幢楼超类型口级股厅馆号窗柜门班照本证线站轮段档字组队室梯盘版]|或|还是|除|以外|之外|不[是对算选]|都?没|[?]|是?什么|是?啥|的意思|吗)"
)
_SAYS_NOTHING = re.compile(
    r"没有?(?:了|原因|理由|什么|意见|啥)*|无(?:原因|理由|意见)?|没事(?:了|儿)?|算了|不知道|不清楚|不想说|随便|不|是|否"
    r"|什么(?:意思|原因|情况)?|啥(?:意思)?|你们?是谁|您是(?:谁|哪位)|哪(?:个单位|里|位)|为什么|怎么(?:了|回事|回复|选)|干嘛|干什么"
    r"|已(?:经)?(?:回复?|评价?)(?:过|了)*|[i-z]|[a-h]\d+|\d[\d.\-/:]*|[\d或和到至~-]+分?|可以|还行|👌|在吗?|在不在|[1-5]分?[吗么]|喂+|(?:刚才|刚刚|我|应该)*(?:[打按点发选]错|是)[1-5]?分?了?|没有不满意|[一二三四五]"
)
# A machine's answer, or our own question sent back.
_NOT_THEIRS = re.compile(
    r"请回复(?:字母|数字|满意)|自动回复|正在开[会车]|稍后(?:联系|回复|回电|给[你您])"
)
_MARKS = re.compile(r"[^\w]*")


@dataclass(frozen=True, slots=True)
class Chosen:
    letters: tuple[str, ...]
    words: str


def chosen(reply: Plain) -> Chosen | None:
    """选A和C，还有排队太久 → A, C and the rest; ATM坏了 chooses nothing."""
    if (match := _LETTERS.match(reply.text)) is None:
        return None
    found: list[str] = []
    end = match.start("letters")
    for run in _ONE_RUN.finditer(reply.text, *match.span("letters")):
        letters = run.group()
        if (letters in _ENGLISH and not _CHOICES.match(reply.text, run.start())) or 1 < len(
            set(letters)
        ) < len(letters):
            break
        found += [letter.upper() for letter in dict.fromkeys(letters)]
        end = run.end()
    if not found or _NAMES_A_THING.match(reply.text, end):
        return None
    # A态度差，C排队久: a letter that begins a later clause is chosen too.
    for clause in reply.clauses():
        begins = _FURTHER.match(clause.text) if clause.start >= end else None
        if begins and not _NAMES_A_THING.match(reply.text, clause.start + 1):
            found.append(begins.group().upper())
    rest = reply.original(end, len(reply.text))
    return Chosen(
        tuple(dict.fromkeys(found)),
        "" if _MARKS.fullmatch(rest) else rest.lstrip(")）]】》」\"'”’ "),
    )


def explains(text: str, clauses: list[Clause]) -> bool:
    """Is there a word in it that is neither courtesy nor "nothing"?"""
    return not _NOT_THEIRS.search(text) and any(
        not COURTESY.fullmatch(c.text)
        and not _SAYS_NOTHING.fullmatch(c.text)
        and not NUMBER.fullmatch(c.text)
        and any(char.isalpha() for char in c.text)
        for c in clauses
    )
