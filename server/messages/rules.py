"""When we may write to a phone, how often we try, and what becomes of a message (pure)."""

from datetime import datetime, time, timedelta
from enum import StrEnum

from server.kit.clock import BEIJING


class Purpose(StrEnum):
    """What a message is for; each has its wordings in the catalogue."""

    NOTICE = "notice"
    REMINDER = "reminder"
    REASON = "reason"
    REASON_OPEN = "reason_open"
    """The same question where a level has not just eight reasons to choose from."""
    UNCLEAR = "unclear"
    UNCLEAR_VERDICT = "unclear_verdict"
    THANKS = "thanks"
    ANSWER = "answer"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    ASK = "ask"
    RECALL = "recall"
    UNCLEAR_RECALL = "unclear_recall"
    PROOF = "proof"
    """A one-time code for “不是我评的”."""
    APPEALED = "appealed"
    EXCLUDED = "excluded"
    RESTORED = "restored"


PURPOSE_NAMES = {
    Purpose.NOTICE: "办结通知", Purpose.REMINDER: "提醒", Purpose.REASON: "询问原因",
    Purpose.REASON_OPEN: "询问原因", Purpose.UNCLEAR: "请再说明",
    Purpose.UNCLEAR_VERDICT: "请再说明", Purpose.THANKS: "致谢", Purpose.ANSWER: "答复通知",
    Purpose.ACCEPTED: "受理通知", Purpose.CLOSED: "结果通知", Purpose.ASK: "部门留言",
    Purpose.RECALL: "回访", Purpose.UNCLEAR_RECALL: "请再说明",
    Purpose.PROOF: "验证码", Purpose.APPEALED: "复核通知", Purpose.EXCLUDED: "复核结果",
    Purpose.RESTORED: "复核结果",
}  # fmt: skip
NEWS = (Purpose.ACCEPTED, Purpose.CLOSED)
"""They tell what became of an order, and ask nothing."""
UNASKED = frozenset(
    {
        Purpose.NOTICE, Purpose.REMINDER, Purpose.ANSWER, Purpose.ASK, Purpose.RECALL,
        Purpose.APPEALED, Purpose.EXCLUDED, Purpose.RESTORED, *NEWS,
    }
)  # fmt: skip
"""They come out of the blue and so only in the policy's hours; the others answer a citizen who has
just written to us."""


class MessageState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    """In a worker's hands, or left by one that died: then nobody knows whether it was sent."""
    LOST = "lost"
    """The provider's answer did not come: it is asked before anything is sent again."""
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"


MESSAGE_STATE_NAMES = {
    MessageState.QUEUED: "待发送", MessageState.SENDING: "发送中", MessageState.LOST: "核实中",
    MessageState.SENT: "已发送", MessageState.DELIVERED: "已送达", MessageState.FAILED: "未送达",
    MessageState.DEAD: "发送失败待处理", MessageState.CANCELLED: "已取消",
}  # fmt: skip
FINAL = frozenset({MessageState.DELIVERED, MessageState.FAILED, MessageState.CANCELLED})
"""No report changes them. A dead letter is not final: a person may send it again."""
TO_DO = frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.LOST})


class News(StrEnum):
    """What a citizen may be told of his order."""

    ACCEPTED = "accepted"
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


class GrantAnswer(StrEnum):
    """What he said when WeChat asked whether we may write."""

    ACCEPT = "accept"
    REJECT = "reject"
    BAN = "ban"
    """WeChat has closed the template, for him or for us."""


class NoticeState(StrEnum):
    """A subscribe message cannot be asked about afterwards: one that was perhaps sent stays lost."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    LOST = "lost"
    REFUSED = "refused"
    CANCELLED = "cancelled"


TRIES = 5
WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
"""After the first, second … refusal that may pass."""
ASK_AFTER = (timedelta(seconds=20), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""The provider's own records lag behind: not asked in the second in which the answer was lost."""


class Outcome(StrEnum):
    """What became of a citizen's reply."""

    NEW = "new"
    RATED = "rated"
    REASONED = "reasoned"
    CORRECTED = "corrected"
    JUDGED = "judged"
    OPTED_OUT = "opted_out"
    ASKED_AGAIN = "asked_again"
    REPEATED = "repeated"
    """It says what we know already, or is older than what we know."""
    ADDED = "added"
    """Its words went to the order."""
    RECALLED = "recalled"
    REVIEWED_ELSEWHERE = "reviewed_elsewhere"
    UNCLEAR = "unclear"
    LATE = "late"
    UNKNOWN = "unknown"
    """From a phone that nobody asked."""
    REMARK = "remark"
    """After everything was answered; not a level, not an opt-out."""


OUTCOME_NAMES = {
    Outcome.NEW: "待读取", Outcome.RATED: "已记为评价", Outcome.REASONED: "已记为原因",
    Outcome.CORRECTED: "已改评", Outcome.JUDGED: "已记为对答复的意见", Outcome.OPTED_OUT: "已退订",
    Outcome.ASKED_AGAIN: "看不明白，已再问一次", Outcome.REPEATED: "重复",
    Outcome.ADDED: "已补充到工单", Outcome.RECALLED: "已记为回访答复",
    Outcome.REVIEWED_ELSEWHERE: "已在别处评价",
    Outcome.UNCLEAR: "看不明白，请人工查看", Outcome.LATE: "超过时限，请人工查看",
    Outcome.UNKNOWN: "没有问过这个号码", Outcome.REMARK: "评价以后的留言",
}  # fmt: skip
FOR_A_PERSON = frozenset({Outcome.UNCLEAR, Outcome.LATE, Outcome.UNKNOWN, Outcome.REMARK})


def next_in_hours(at: datetime, hour_from: int, hour_to: int) -> datetime:
    """The first moment from `at` on that lies inside [from, to) o'clock, UTC+8."""
    local = at.astimezone(BEIJING)
    opens = datetime.combine(local.date(), time(hour_from), BEIJING)
    if hour_from <= local.hour < hour_to:
        return at
    return opens if local < opens else opens + timedelta(days=1)


def start_of_day(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(BEIJING).date(), time(0), BEIJING)


def wait_after(tries: int, waits: tuple[timedelta, ...]) -> timedelta:
    """Grows with the number of tries made, and stays at the last."""
    return waits[min(max(tries, 1), len(waits)) - 1]
