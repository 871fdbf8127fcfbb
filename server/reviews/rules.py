"""What a review must have (pure). The same on every channel."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import IntEnum, StrEnum

from server.kit.errors import Conflict, Fault, Gone, Invalid, Limited
from server.workorders.rules import is_blank


class Level(IntEnum):
    """GB/T 39734's five levels; the last two are 差评."""

    VERY_BAD = 1
    BAD = 2
    FAIR = 3
    GOOD = 4
    VERY_GOOD = 5


LEVEL_NAMES = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
COMMENT_LIMIT = 500
"""Code points."""
MESSAGES_A_DAY = 20
"""Of one citizen to one order: he talks with the agency, a program does not."""


def is_bad(level: int) -> bool:
    return level <= Level.BAD


class ReviewState(StrEnum):
    STANDING = "standing"
    AWAITING_REASON = "awaiting_reason"
    UNDONE = "undone"
    SUSPENDED = "suspended"
    EXCLUDED = "excluded"
    DEFAULT = "default"


COUNTING = frozenset({ReviewState.STANDING, ReviewState.AWAITING_REASON})
"""A citizen's word that occupies its receipt."""


def shown(state: str) -> ReviewState:
    """To who holds its query code. A suspended one seems to stand: who rated in somebody else's place
    may sit at the window, and must not learn that the citizen objected."""
    return ReviewState.STANDING if state == ReviewState.SUSPENDED else ReviewState(state)


class Excluded(StrEnum):
    """Why a review is in no figure any more. It is kept, and auditors read it."""

    MISTAKEN = "mistaken"
    MALICIOUS = "malicious"
    NOT_OURS = "not_ours"
    NOT_THE_APPLICANT = "not_the_applicant"
    GAMED = "gamed"


EXCLUDED_NAMES = {
    Excluded.MISTAKEN: "误评", Excluded.MALICIOUS: "恶意评价", Excluded.NOT_OURS: "评的不是被评对象的服务",
    Excluded.NOT_THE_APPLICANT: "不是办事人本人评的", Excluded.GAMED: "刷评",
}  # fmt: skip


class QuestionState(StrEnum):
    WAITING = "waiting"
    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    STARVED = "starved"
    """Never asked: the phone was never free in time."""
    NEEDLESS = "needless"
    """Answered in another way before it was asked or answered here, or nobody may be asked."""
    UNSENT = "unsent"
    """The message could not be sent."""
    HANDED_OVER = "handed_over"
    """Twice not understood: a person reads the reply."""


class CheckState(StrEnum):
    """Whether WeChat finds a citizen's words fit to be published. The rating counts either way."""

    WAITING = "waiting"
    PASSED = "passed"
    HELD = "held"


class Answer(StrEnum):
    """To a closed question of the questionnaire."""

    YES = "yes"
    FAIR = "fair"
    NO = "no"


CLOSED_QUESTIONS = 4
ANSWER_NAMES = {Answer.YES: "是", Answer.FAIR: "一般", Answer.NO: "否"}


class ReviewChannel(StrEnum):
    RECEIPT_QR = "receipt_qr"
    STATIC_QR = "static_qr"
    MINI_PROGRAM = "mini_program"
    SMS = "sms"
    KIOSK = "kiosk"
    WEB = "web"
    PHONE = "phone"
    PAPER = "paper"
    SYSTEM = "system"
    """Nobody rated: a default by the region's policy, and nothing else."""


CHANNEL_NAMES = {
    ReviewChannel.RECEIPT_QR: "回执二维码", ReviewChannel.STATIC_QR: "大厅二维码",
    ReviewChannel.MINI_PROGRAM: "微信小程序", ReviewChannel.SMS: "短信",
    ReviewChannel.KIOSK: "评价器", ReviewChannel.WEB: "网页", ReviewChannel.PHONE: "电话",
    ReviewChannel.PAPER: "纸质评价表", ReviewChannel.SYSTEM: "系统默认",
}  # fmt: skip


UNVERIFIED = frozenset({ReviewChannel.STATIC_QR, ReviewChannel.PAPER})
"""Without a receipt: nobody vouches that there was a service. Counted apart."""


class ReasonRequired(Invalid):
    code = "reason_required"
    title = "请选择原因，或写下原因：不满意的评价需要至少一个"


class TagNotOfLevel(Invalid):
    code = "tag_not_of_level"
    title = "所选的原因不属于这个满意程度"


class ContactRequired(Invalid):
    code = "contact_required"
    title = "实名评价需要留下手机号"


class CommentTooLong(Invalid):
    code = "comment_too_long"
    title = f"文字最多 {COMMENT_LIMIT} 字"


class BlankComment(Invalid):
    code = "blank_text"
    title = "请填写内容"


class AlreadyReviewed(Conflict):
    code = "already_reviewed"
    title = "这次服务已经评价过了"


class AlreadyClaimed(Conflict):
    code = "already_claimed"
    title = "这条评价已在别人的记录里，不能再次关联"


class AlreadyUndone(Conflict):
    code = "already_undone"
    title = "每次服务只能撤回一次评价"


class UndoClosed(Gone):
    code = "undo_closed"
    title = "可以撤回的时间已过"


class SupplementTooEarly(Conflict):
    code = "supplement_too_early"
    title = "现在还可以撤回重评；过了撤回时间再补充"


class AlreadySupplemented(Conflict):
    code = "already_supplemented"
    title = "已经补充过一次了"


class NothingToJudge(Conflict):
    code = "nothing_to_confirm"
    title = "现在没有等待您确认的答复"


class NobodyToTalkTo(Conflict):
    code = "no_work_order"
    title = "这条评价没有工单，没有可以对话的部门"


class TooManyMessages(Limited):
    code = "too_many_messages"
    title = f"一天最多留言 {MESSAGES_A_DAY} 条，请明天再说"


class NoCallBack(Conflict):
    code = "no_call_back"
    title = "现在没有等待您回答的回访"


def check_reason(level: int, tags: Sequence[str], comment: str) -> None:
    """G20: a bad review needs a tag of its level or a written reason."""
    if is_bad(level) and not tags and is_blank(comment):
        detail = "不满意的评价，请至少选择一个原因，或写下原因"
        raise ReasonRequired(errors=[Fault("tags", "reason_required", detail)])


def check_tags(level: int, tags: Sequence[str], levels: Mapping[str, int]) -> list[str]:
    """The tags without repetitions; every one is of the dictionary and of this level."""
    wrong = [
        Fault(f"tags[{place}]", "tag_not_of_level", "不是这个满意程度的原因")
        for place, tag in enumerate(tags) if levels.get(tag) != level
    ]  # fmt: skip
    if wrong:
        raise TagNotOfLevel(errors=wrong)
    return list(dict.fromkeys(tags))


def check_comment(comment: str) -> str:
    if len(comment) > COMMENT_LIMIT:
        raise CommentTooLong(errors=[Fault("comment", "too_long", CommentTooLong.title)])
    return "" if is_blank(comment) else comment.strip()


def check_contact(real_name: bool, phones: Collection[str | None]) -> None:
    if real_name and not any(phones):
        raise ContactRequired(
            errors=[Fault("contact.phone", "contact_required", ContactRequired.title)]
        )


def check_undo(
    state: ReviewState, undo_until: datetime, undone_before: bool, now: datetime
) -> None:
    if state is ReviewState.SUSPENDED:
        raise UndoClosed
    if state not in COUNTING:
        raise UndoClosed("这条评价已经撤回或不再有效")
    if undone_before:
        raise AlreadyUndone
    if now >= undo_until:
        raise UndoClosed


def check_supplement(supplement: str | None, undo_until: datetime, now: datetime) -> None:
    if supplement is not None:
        raise AlreadySupplemented
    if now < undo_until:
        raise SupplementTooEarly
