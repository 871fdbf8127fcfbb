"""What comes through the other doors, and what it needs (pure)."""

from collections.abc import Mapping
from enum import StrEnum

from server.catalogue.models import Policy
from server.kit.errors import Conflict, Fault, Invalid
from server.workorders.origins import CHOSEN_NAMES
from server.workorders.rules import is_blank


class Source(StrEnum):
    """Through which door it came; the origin of its work order has the same name."""

    FAULTS = "faults"
    """找茬."""
    STUCK = "stuck"
    """办不成事."""
    HOTLINE = "hotline"
    LETTER = "letter"
    VISIT = "visit"
    NATIONAL = "national"
    """The national complaint platform, by file."""


SOURCE_NAMES = {
    Source.FAULTS: "找茬", Source.STUCK: "办不成事", Source.HOTLINE: "12345 热线",
    Source.LETTER: "来信", Source.VISIT: "来访", Source.NATIONAL: "国家投诉与建议平台",
}  # fmt: skip
OF_CITIZENS = frozenset({Source.FAULTS, Source.STUCK})
"""Open to everybody; the others are entered by a clerk."""


class Kind(StrEnum):
    CORRECTION = "correction"
    CONSULTATION = "consultation"
    SUGGESTION = "suggestion"
    CANNOT = "cannot"
    HARD = "hard"
    REFUSED = "refused"


KINDS: dict[Source, tuple[Kind, ...]] = {
    Source.FAULTS: (Kind.CORRECTION, Kind.CONSULTATION, Kind.SUGGESTION),
    Source.STUCK: (Kind.CANNOT, Kind.HARD, Kind.REFUSED),
}
KIND_NAMES: Mapping[Kind, str] = {kind: CHOSEN_NAMES[kind] for kind in Kind}


class Function(StrEnum):
    """Which part of the service 找茬 is about."""

    GUIDE = "guide"
    BOOKING = "booking"
    APPLICATION = "application"
    QUERY = "query"
    OTHER = "other"


FUNCTION_NAMES: Mapping[Function, str] = {name: CHOSEN_NAMES[name] for name in Function}
WORDS_LIMIT = 1000
"""Code points."""


class Channel(StrEnum):
    """Over which it came, and the citizen is answered; words of ReviewChannel."""

    WEB = "web"
    MINI_PROGRAM = "mini_program"
    PHONE = "phone"
    PAPER = "paper"


class BlankWords(Invalid):
    code = "blank_text"
    title = "请写下您要反映的事"


class WordsTooLong(Invalid):
    code = "comment_too_long"
    title = f"文字最多 {WORDS_LIMIT} 字"


class KindRequired(Invalid):
    code = "kind_required"
    title = "请选择是哪一种"


class WrongKind(Invalid):
    code = "wrong_kind"
    title = "这里没有这个类型"


class TicketKnown(Conflict):
    code = "ticket_known"
    title = "这个外部单号已经登记过"


def check_words(words: str) -> str:
    if is_blank(words):
        raise BlankWords(errors=[Fault("text", BlankWords.code, BlankWords.title)])
    if len(words) > WORDS_LIMIT:
        raise WordsTooLong(errors=[Fault("text", "too_long", WordsTooLong.title)])
    return words.strip()


def check_kind(source: Source, kind: Kind | None, function: Function | None) -> None:
    """找茬 and 办不成事 say which of theirs it is. Whoever wrote a letter was not asked to choose: his
    clerk may, among all."""
    of_door = KINDS.get(source)
    if of_door and kind is None:
        raise KindRequired(errors=[Fault("kind", KindRequired.code, KindRequired.title)])
    if of_door and kind not in of_door:
        raise WrongKind(errors=[Fault("kind", WrongKind.code, WrongKind.title)])
    if function is not None and source is not Source.FAULTS:
        raise WrongKind(errors=[Fault("function", WrongKind.code, "只有“找茬”才选功能")])


def answer_days(kind: Kind | None, policy: Policy) -> int:
    """Working days: the “1、3、5” of what could not be done, else as for a bad review."""
    days = {
        Kind.REFUSED: policy.refused_days, Kind.CANNOT: policy.cannot_days, Kind.HARD: policy.hard_days,
    }  # fmt: skip
    return days.get(kind, policy.simple_days) if kind else policy.simple_days
