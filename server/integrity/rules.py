"""What makes a rating suspicious (pure): each rule has a name and a threshold in the region's policy."""

from enum import StrEnum

from server.people.rules import Role
from server.reviews.rules import Excluded, ReviewState, is_bad

MOST_OBJECTIONS = 3
"""“不是我评的” about one receipt: whoever still finds somebody else's review then needs a person."""


class Rule(StrEnum):
    QUICK = "quick"
    SAME_DEVICE = "same_device"
    SAME_PHONE = "same_phone"
    SAME_PERSON = "same_person"
    INSIDER = "insider"
    """A phone or openid of the staff."""
    BURST = "burst"
    SAME_WORDS = "same_words"
    VOIDED = "voided"
    """A receipt voided after its bad review."""
    REISSUED = "reissued"
    """A case that got another receipt after its bad review."""
    UNDONE = "undone"
    """Bad reviews taken back for better ones, again and again at one window."""
    OBJECTED = "objected"
    """“不是我评的”, proven by the receipt's phone."""
    PRESSED = "pressed"
    """“被要求好评”, reported by a citizen."""


RULE_NAMES = {
    Rule.QUICK: "评得太快", Rule.SAME_DEVICE: "同一设备多张回执",
    Rule.SAME_PHONE: "同一手机号多张回执", Rule.SAME_PERSON: "同一微信多张回执",
    Rule.INSIDER: "工作人员的手机或微信", Rule.BURST: "窗口短时集中评价",
    Rule.SAME_WORDS: "文字雷同", Rule.VOIDED: "差评后回执作废", Rule.REISSUED: "差评后重开回执",
    Rule.UNDONE: "差评撤回后改好评", Rule.OBJECTED: "不是我评的", Rule.PRESSED: "被要求好评",
}  # fmt: skip


class How(StrEnum):
    ASKED = "asked"
    WATCHED = "watched"
    URGED = "urged"
    INSTEAD = "instead"
    FAVOUR = "favour"
    THREAT = "threat"


HOW_NAMES = {
    How.ASKED: "当面要求我给好评", How.WATCHED: "在旁边看着我评",
    How.URGED: "事后打电话、发消息，催我给好评或改评价",
    How.INSTEAD: "拿我的手机或回执替我评", How.FAVOUR: "用好处换好评", How.THREAT: "说不给好评就难办",
}  # fmt: skip
"""The ways in which a citizen says he was pressed, as he read them himself."""


class SuspicionState(StrEnum):
    OPEN = "open"
    PROPOSED = "proposed"
    """One has looked and would exclude it; a second person decides."""
    CONFIRMED = "confirmed"
    CLEARED = "cleared"


UNDECIDED = frozenset({SuspicionState.OPEN, SuspicionState.PROPOSED})
STATE_NAMES = {
    SuspicionState.OPEN: "待核查", SuspicionState.PROPOSED: "待第二人决定",
    SuspicionState.CONFIRMED: "已认定", SuspicionState.CLEARED: "已排除",
}  # fmt: skip


class Act(StrEnum):
    """What somebody who looked has done."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    DISAGREED = "disagreed"
    CLEARED = "cleared"
    SETTLED = "settled"
    """With another suspicion about the same review."""


ACT_NAMES = {
    Act.PROPOSED: "核查后提出认定", Act.AGREED: "同意认定", Act.DISAGREED: "不同意认定，退回核查",
    Act.CLEARED: "核查后排除", Act.SETTLED: "随同一评价的另一条核查一并认定",
}  # fmt: skip

NEXT: dict[tuple[SuspicionState, Act], SuspicionState] = {
    (SuspicionState.OPEN, Act.PROPOSED): SuspicionState.PROPOSED,
    (SuspicionState.OPEN, Act.CLEARED): SuspicionState.CLEARED,
    (SuspicionState.OPEN, Act.SETTLED): SuspicionState.CONFIRMED,
    (SuspicionState.PROPOSED, Act.AGREED): SuspicionState.CONFIRMED,
    (SuspicionState.PROPOSED, Act.DISAGREED): SuspicionState.OPEN,
    (SuspicionState.PROPOSED, Act.SETTLED): SuspicionState.CONFIRMED,
}
WHO: dict[Act, frozenset[Role]] = {
    Act.PROPOSED: frozenset({Role.SUPERVISOR}),
    Act.AGREED: frozenset({Role.SUPERVISOR, Role.ADJUDICATOR}),
    Act.DISAGREED: frozenset({Role.SUPERVISOR, Role.ADJUDICATOR}),
    Act.CLEARED: frozenset({Role.SUPERVISOR, Role.ADJUDICATOR}),
}
DOORS = {Act.PROPOSED: "proposal", Act.AGREED: "decision", Act.CLEARED: "clearance"}
"""Under which each is done."""


def may(state: SuspicionState, role: Role, proposed_it: bool) -> list[str]:
    """The doors that would not be refused now."""
    return [
        door for act, door in DOORS.items()
        if (state, act) in NEXT and role in WHO[act] and not (act is Act.AGREED and proposed_it)
    ]  # fmt: skip


OF_THE_OFFICE = frozenset({Rule.PRESSED, Rule.VOIDED, Rule.REISSUED})
"""These say that the office did wrong, not that the rater did: a bad review is never excluded for what
was done to it, or its eraser would have what he wanted."""


def excludes(rule: Rule, level: int, state: ReviewState) -> bool:
    """Whether confirming takes the review out of every figure. What counts no more is only recorded."""
    counts = state in (ReviewState.STANDING, ReviewState.AWAITING_REASON, ReviewState.SUSPENDED)
    return counts and not (rule in OF_THE_OFFICE and is_bad(level))


def reason_of(rule: Rule) -> Excluded:
    return Excluded.NOT_THE_APPLICANT if rule is Rule.OBJECTED else Excluded.GAMED


def restored(level: int, order_number: str | None) -> ReviewState:
    """What a suspended review is again; a bad one without its order still waits for its reason."""
    waits = is_bad(level) and not order_number
    return ReviewState.AWAITING_REASON if waits else ReviewState.STANDING
