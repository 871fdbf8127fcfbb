"""A citizen's words → a level, reasons, a verdict, an opt-out, or "unclear".

Anchored, not searching: the reply is cut into clauses, one clause must be the answer and nothing else,
and everything around it must not cast doubt on it (doubts.py). A level that nobody gave is the worst
fault this product can have: what is not certain is unclear, and its text is kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from sms import words
from sms.doubts import befits, blamed, doubtful, may_lead
from sms.letters import chosen, explains
from sms.plain import Clause, Plain, plain
from sms.standard import standard

Asking = Literal["level", "reason", "verdict"]
Kind = Literal["level", "reason", "verdict", "opt_out", "unclear"]

# Longer than any chain of messages that a phone sends: nobody typed it as an answer.
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Reading:
    kind: Kind
    level: int | None = None
    reasons: tuple[str, ...] = ()
    content: bool | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    """One clause that is an answer and nothing else."""

    level: int
    form: Literal["digit", "score", "numeral", "name", "second"]
    end: int
    """Where the answer ends; 5态度好 goes on."""


_STAFF = re.compile(r"窗口(?:的)?(?:工作|办事)?人员")
_Speak = Callable[[Clause], _Said | None]


def read(text: str, asking: Asking = "level") -> Reading:
    reply = plain(text)
    clauses = reply.clauses() if len(reply.text) <= _LONGEST else []
    if asking == "reason":
        return _read_reason(reply, clauses)
    if not clauses or words.QUOTED.search(reply.text):
        return _opted_out(reply, clauses) or _unclear(reply)
    if out := _opted_out(reply, clauses):
        return out
    return _read_verdict(reply, clauses) if asking == "verdict" else _read_level(reply, clauses)


def _unclear(reply: Plain) -> Reading:
    return Reading("unclear", words=reply.written.strip())


def _read_level(reply: Plain, clauses: list[Clause]) -> Reading:
    if copied := standard(reply.text):
        return Reading("level", level=copied[0], words=copied[1])
    found = _answer(reply, clauses, _level_said)
    return Reading("level", level=found[0], words=found[1]) if found else _unclear(reply)


def _read_verdict(reply: Plain, clauses: list[Clause]) -> Reading:
    found = _answer(reply, clauses, _verdict_said)
    return Reading("verdict", content=found[0] > 2, words=found[1]) if found else _unclear(reply)


def _read_reason(reply: Plain, clauses: list[Clause]) -> Reading:
    if out := _opted_out(reply, clauses, whole=True):
        return out
    if len(clauses) > 1 and words.MISTAKEN.fullmatch(clauses[-1].text):
        clauses = [clauses[-1], *clauses[:-1]]
    if not words.QUOTED.search(reply.text) and (found := _answer(reply, clauses, _level_said)):
        level, rest = found
        if _corrects(clauses, level):
            return Reading("level", level=level, words=rest)
    if clauses and (letters := chosen(reply)):
        return Reading("reason", reasons=letters.letters, words=letters.words)
    if len(reply.text) > _LONGEST or explains(reply.text, clauses):
        return Reading("reason", words=reply.written.strip())
    return _unclear(reply)


def _corrects(clauses: list[Clause], level: int) -> bool:
    """A bare level corrects. With words, 2 排队太久 repeats the level and tells the reason, and
    3 窗口人员不熟 may mean the third reason: only a name or a digit that the words confirm corrects."""
    clauses = [_corrected(clauses, n) for n in range(len(clauses))]
    said = [one for clause in clauses if (one := _level_said(clause))]
    if any(one.form == "second" for one in said):
        return False
    if all(_is_plain_level(clause) or _leads(clause) for clause in clauses):
        return True
    named = any(one.form == "name" for one in said)
    praised = any(words.OPINION.fullmatch(c.text) for c in clauses)
    return level >= 3 if named else level >= 4 and praised


def _is_plain_level(clause: Clause) -> bool:
    return bool(words.LEVEL.fullmatch(clause.text))


def _opted_out(reply: Plain, clauses: list[Clause], whole: bool = False) -> Reading | None:
    """First of all, and exactly; what else was said stays in the words."""
    if words.QUOTED.search(words.OUR_OPT_OUT.sub("", reply.text)):
        return None
    if words.OPT_OUT.fullmatch("".join(reply.text.split())):
        return Reading("opt_out")
    others = [clause for clause in clauses if not _is_courtesy(clause)]
    out = [clause for clause in others if words.OPT_OUT.fullmatch(clause.text)]
    letter = len(others) == 1 and words.OPT_OUT_LETTER.fullmatch(others[0].text)
    if not (out or letter) or (whole and len(others) != max(len(out), 1)):
        return None
    rest = [clause for clause in clauses if clause not in out] if out else []
    return Reading("opt_out", words=reply.joined(rest))


def _answer(reply: Plain, clauses: list[Clause], speak: _Speak) -> tuple[int, str] | None:
    """The level that was given and what was said besides, or None."""
    if whole := _spaced_out(reply):
        return whole, ""
    clauses = [_corrected(clauses, n) for n in range(len(clauses))]
    said = [None if _is_measured(clauses, n) else speak(c) for n, c in enumerate(clauses)]
    place = next((n for n, one in enumerate(said) if one), None)
    if place is None or not (answer := said[place]):
        return None
    words_before = [c for c in clauses[:place] if not _leads(c)]
    head = [c for c in words_before if not words.NICE.fullmatch(c.text)]
    if head and not _may_end(answer, clauses[place], head):
        return None
    after = clauses[place + 1 :]
    if not _alone(answer, clauses[place], after, said[place + 1 :]):
        return None
    tail = _tail(clauses[place], answer)
    while after and _adds_nothing(answer, after[0], speak):
        after = after[1:]
    rest = [c for c in ([tail] if tail else []) + after if not words.THANKS.fullmatch(c.text)]
    asked = ["?"] if "?" in reply.text else []  # a mark is no clause, but it counts: 满意？
    if doubtful(answer.level, _text(words_before), ",".join(asked + [c.text for c in rest])):
        return None
    named = any(one and one.form in ("name", "second") for one in said)
    if not named and not befits(answer.level, [c.text for c in rest]):
        return None
    kept = [c for c in clauses[:place] if not words.LEADING.fullmatch(c.text)]
    return answer.level, reply.joined(kept, ([tail] if tail else []) + after)


def _text(clauses: list[Clause]) -> str:
    return ",".join(clause.text for clause in clauses)


def _repeats(answer: _Said, other: _Said | None) -> bool:
    """5，非常满意: said twice. But 5 5 may be crying, or two answers."""
    return bool(other and other.level == answer.level and {answer.form, other.form} != {"digit"})


def _adds_nothing(answer: _Said, clause: Clause, speak: _Speak) -> bool:
    """5 分 and 5，非常满意; but 5，很好 has a word to keep."""
    other = speak(clause)
    same = other and other.form != "second" and other.end == clause.end
    return bool(words.UNIT.fullmatch(clause.text) or (same and _repeats(answer, other)))


def _alone(answer: _Said, clause: Clause, after: list[Clause], said: list[_Said | None]) -> bool:
    """Nothing else in the reply is a level of another kind, a list or a number."""
    for other, one in zip(after, said, strict=True):
        if one and not _repeats(answer, one):
            return False
        if not one and (words.NUMBER.fullmatch(other.text) or not words.WORD.search(other.text)):
            return False
    if after and _counts_on(answer, after[0]):
        return False
    strangers = [c for c in after if not _is_courtesy(c)]
    if answer.form == "numeral" and strangers and not any(said):
        return False  # 一、 begins a list
    listed = answer.level == 1 and answer.form == "digit" and strangers and not said[0]
    first = bool(listed) and strangers[0].before.strip(" ") in {".", "、", ")", ":"}
    return not first or _is_one_complaint(strangers)


def _is_one_complaint(strangers: list[Clause]) -> bool:
    """1、态度差 is no list, as long as nothing follows that could be the second of it."""
    only = strangers[0].text
    return len(strangers) == 1 and blamed(only) and not re.search(r"\d", only)


def _counts_on(answer: _Said, after: Clause) -> bool:
    """5、6个人 and 1，2号窗口 are numbers in a row."""
    if answer.form not in ("digit", "numeral"):
        return False
    mark = after.before.strip(" ")
    if mark == "," and words.COUNT.match(after.text):  # nobody counts down: 5，3号窗口服务特别好
        return not (after.text[0] < str(answer.level) > "3" and words.PRAISE.search(after.text))
    return mark == "、" and after.text[0].isdigit()


def _may_end(answer: _Said, clause: Clause, head: list[Clause]) -> bool:
    """服务很好，5 and 等了两小时，不满意 end with a level; 态度最好的窗口 5 and 让群众 满意 do not."""
    if all(words.OPINION.fullmatch(c.text) for c in head):
        return may_lead(answer.level, [c.text for c in head])
    if clause.spaced or ":" in clause.before:
        return False
    side = words.TROUBLE if answer.level <= 2 else words.PRAISE
    scored = answer.form == "score" and answer.level != 3 and side.search(head[-1].text)
    return bool(answer.form == "name" or scored) and may_lead(answer.level, [c.text for c in head])


def _tail(clause: Clause, said: _Said) -> Clause | None:
    if said.end == clause.end:
        return None
    return Clause(clause.text[said.end - clause.start :], said.end, clause.end, "")


def _is_courtesy(clause: Clause) -> bool:
    return bool(words.COURTESY.fullmatch(clause.text))


def _leads(clause: Clause) -> bool:
    return _is_courtesy(clause) or bool(words.LEADING.fullmatch(clause.text))


def _is_measured(clauses: list[Clause], place: int) -> bool:
    """5 楼, 2 次: a blank does not make the number a level."""
    if place + 1 == len(clauses) or not clauses[place].text[-1:].isdigit():
        return False
    after = clauses[place + 1]
    if clauses[place].text[-1] in "12" and _STAFF.match(after.text):
        return not blamed(after.text)
    return after.spaced and bool(words.MEASURE.match(after.text))


def _corrected(clauses: list[Clause], place: int) -> Clause:
    """按错了，应该是5: only after such words is 应该是 no doubt."""
    clause = clauses[place]
    if not (place and words.LEADING.fullmatch(clauses[place - 1].text)):
        return clause
    text = clause.text.removeprefix("应该").removeprefix("是")
    return replace(clause, text=text, start=clause.end - len(text))


def _spaced_out(reply: Plain) -> int | None:
    """非 常 满 意. But 不 满意 may be 不，满意."""
    text = reply.text.strip()
    if " " not in text or text.startswith("不 满意"):
        return None
    return words.NAMES.get(text.replace(" ", ""))


def _level_said(clause: Clause) -> _Said | None:
    if match := words.LEVEL.fullmatch(clause.text):
        ends = match.start("thanks") if match["thanks"] else len(clause.text)
        return _agreed(match.groupdict(), clause.start + ends)
    if (match := words.GLUED.fullmatch(clause.text)) is None:
        return None
    return _agreed(match.groupdict(), clause.start + match.start("rest"))


def _agreed(found: dict[str, str | None], end: int) -> _Said | None:
    """Digit and name must say the same."""
    digit, unit = found["digit"] or found.get("service"), found.get("unit") or found.get("service")
    name = found["name"] or found["agree"] or found.get("second")
    levels = {words.number(d) for d in (digit, *map(found.get, ("again", "after", "after2"))) if d}
    levels |= {words.named(name)} if name else set()
    if len(levels) != 1 or _other_side(found, max(levels)):
        return None
    if name:
        return _Said(levels.pop(), "second" if name in words.SECOND else "name", end)
    numeral = digit in words.NUMERALS and not unit
    return _Said(levels.pop(), "numeral" if numeral else "score" if unit else "digit", end)


def _other_side(found: dict[str, str | None], level: int) -> bool:
    """1星好评, 5分差评."""
    return bool((found.get("praise") and level < 4) or (found.get("blame") and level > 2))


def _verdict_said(clause: Clause) -> _Said | None:
    """Digits are no verdict: 1 may be the level or the first choice."""
    said = _level_said(clause)
    if said and said.form == "name":
        return replace(said, level=5 if said.level >= 3 else 2)
    if words.DISCONTENT.fullmatch(clause.text):
        return _Said(2, "name", clause.end)
    return _Said(5, "name", clause.end) if words.CONTENT.fullmatch(clause.text) else None
