"""Appeals in the words of the console's pages (pure)."""

from server.appeals.rules import AppealState, Round
from server.reviews.rules import EXCLUDED_NAMES, Excluded

ROUND_NAMES = {Round.APPEAL: "申诉", Round.OBJECTION: "群众异议"}
STATE_NAMES = {
    AppealState.OPEN: "待裁定", AppealState.CONFIRMING: "待督办员确认", AppealState.UPHELD: "支持",
    AppealState.REFUSED: "不支持", AppealState.WITHDRAWN: "已撤回",
}  # fmt: skip
GROUNDS = (
    (Excluded.MISTAKEN, "误评：群众按错了，或评的是别的事"),
    (Excluded.MALICIOUS, "恶意评价：捏造事实，或为了别的目的"),
    (Excluded.NOT_OURS, "评的不是本单位的服务"),
)
"""What may be claimed and found, in words that say what is meant."""


def reason_name(reason: str | None) -> str:
    return EXCLUDED_NAMES[Excluded(reason)] if reason else ""


def result(round_: str, state: str, reason: str | None) -> str:
    """How it stands, in one line."""
    if state == AppealState.UPHELD:
        if round_ == Round.OBJECTION:
            return "异议成立，评价恢复计入"
        return f"支持申诉：{reason_name(reason)}，评价不予采纳"
    if state == AppealState.REFUSED:
        stays = "维持不予采纳" if round_ == Round.OBJECTION else "评价照常计入"
        return f"不支持{ROUND_NAMES[Round(round_)]}，{stays}"
    return STATE_NAMES[AppealState(state)]
