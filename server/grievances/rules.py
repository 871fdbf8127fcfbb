"""What comes through the other doors, and what it needs (pure)."""

from enum import StrEnum


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
KIND_NAMES = {
    Kind.CORRECTION: "纠错", Kind.CONSULTATION: "咨询", Kind.SUGGESTION: "建议",
    Kind.CANNOT: "不能办", Kind.HARD: "很难办", Kind.REFUSED: "不给办",
}  # fmt: skip


class Function(StrEnum):
    """Which part of the service 找茬 is about."""

    GUIDE = "guide"
    BOOKING = "booking"
    APPLICATION = "application"
    QUERY = "query"
    OTHER = "other"


FUNCTION_NAMES = {
    Function.GUIDE: "办事指南", Function.BOOKING: "预约", Function.APPLICATION: "申请",
    Function.QUERY: "查询", Function.OTHER: "其他",
}  # fmt: skip
