"""What a rule has found, in words for who looks at it and for the auditor (pure).

Of the evidence only small numbers and known words are told, so that nothing that a rule should not have
written down can reach a page.
"""

import json
from collections.abc import Mapping
from typing import Any

from server.integrity.rules import HOW_NAMES, How, Rule

LARGEST = 1_000_000
"""A number of evidence is a count or a time; a larger one could be a phone."""
_SHARED = " {days} 天内分 {visits} 次评了这个部门 {receipts} 张回执（{threshold} 次起核查）"
SENTENCES: dict[Rule, tuple[str, str]] = {
    Rule.QUICK: (
        "出回执 {seconds} 秒后就评了（不到 {threshold} 秒的要核查）", "出回执后几秒就评了"
    ),
    Rule.SAME_DEVICE: (
        f"同一部手机或电脑{_SHARED}", "同一部手机或电脑评了这个部门好几张回执"
    ),
    Rule.SAME_PHONE: (f"登记同一手机号的人{_SHARED}", "登记同一手机号的好几张回执都评了这个部门"),
    Rule.SAME_PERSON: (f"同一微信{_SHARED}", "同一微信评了这个部门好几张回执"),
    Rule.INSIDER: (
        "评价用的手机号或微信登记为本部门工作人员的，共评了 {ratings} 次（{threshold} 次起核查）",
        "评价用的手机号或微信登记为本部门工作人员的",
    ),
    Rule.BURST: (
        "这个窗口短时间内集中收到 {ratings} 条评价（{minutes} 分钟内 {threshold} 条起核查）",
        "这个窗口短时间内集中收到很多评价",
    ),
    Rule.SAME_WORDS: (
        "这个窗口 {days} 天内有 {ratings} 条评价写着差不多一样的话（{threshold} 条起核查；"
        "别的部门同样的话有 {elsewhere} 条）",
        "这个窗口有好几条评价写着差不多一样的话",
    ),
    Rule.VOIDED: (
        "收到差评 {hours} 小时后，有人申请把这张回执作废（{threshold_days} 天以内的要核查）",
        "收到差评以后，有人申请把这张回执作废",
    ),
    Rule.REISSUED: (
        "同一办件收到差评 {hours} 小时后又出了这张回执，评得比原来好（{threshold_hours} 小时以内的要核查）",
        "同一办件收到差评以后又出了这张回执，评得比原来好",
    ),
    Rule.UNDONE: (
        "这个窗口 {days} 天内有 {taken_back} 条差评撤回后改得更好（{threshold} 条起核查；"
        "同期差评共 {bad} 条）",
        "这个窗口有好几条差评撤回后改得更好",
    ),
    Rule.OBJECTED: (
        "回执手机的主人说这条评价不是他评的，手机已凭验证码证实（这张回执第 {objection} 次提出；"
        "评价是出回执 {seconds} 秒后给的）",
        "回执手机的主人说这条评价不是他评的，手机已凭验证码证实",
    ),
    Rule.PRESSED: ("群众反映：{how}", "群众反映被要求给好评"),
}  # fmt: skip
"""With what it has found, and where something of that is missing."""


def read(evidence: str) -> Mapping[str, Any]:
    try:
        found = json.loads(evidence)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def sentence(rule: Rule, evidence: str) -> str:
    told = _told(read(evidence))
    full, short = SENTENCES[rule]
    try:
        return f"{full.format_map(told)}。"
    except KeyError:
        return f"{short}。"


def _told(found: Mapping[str, Any]) -> dict[str, str]:
    told = {
        str(name): f"{value:g}" for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LARGEST
    }  # fmt: skip
    how = found.get("how")
    chosen = how if isinstance(how, list) else []
    known = [HOW_NAMES[How(one)] for one in chosen if isinstance(one, str) and one in set(How)]
    return told | ({"how": "、".join(known)} if known else {})
