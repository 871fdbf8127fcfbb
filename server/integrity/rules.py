"""What makes a rating suspicious (pure): each rule has a name and a threshold in the region's policy."""

from enum import StrEnum

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


class SuspicionState(StrEnum):
    OPEN = "open"
    PROPOSED = "proposed"
    """One has looked and would exclude it; a second person decides."""
    CONFIRMED = "confirmed"
    CLEARED = "cleared"
