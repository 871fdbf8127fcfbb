"""What a rule has found, in words for who looks at it and for the auditor (pure).

Of the evidence only small numbers and known words are told, so that nothing that a rule should not have
written down can reach a page.
"""

import json
from collections.abc import Mapping
from typing import Any

from server.integrity.rules import Rule

LARGEST = 1_000_000
"""A number of evidence is a count or a time; a larger one could be a phone."""
_KINDS = {"phone": "手机号", "openid": "微信"}
SENTENCES: dict[Rule, tuple[str, str]] = {
    Rule.QUICK: ("出回执 {seconds} 秒后就评了，不到 {threshold} 秒的要核查", "出回执后几秒就评了"),
    Rule.SAME_DEVICE: (
        "同一部手机或电脑 {days} 天内评了这个部门 {count} 张回执，{threshold} 张起要核查",
        "同一部手机或电脑评了这个部门好几张回执",
    ),
    Rule.SAME_PHONE: (
        "登记同一手机号的 {count} 张回执 {days} 天内都评了这个部门，{threshold} 张起要核查",
        "登记同一手机号的好几张回执都评了这个部门",
    ),
    Rule.SAME_PERSON: (
        "同一微信 {days} 天内评了这个部门 {count} 张回执，{threshold} 张起要核查",
        "同一微信评了这个部门好几张回执",
    ),
    Rule.INSIDER: ("评价人的{kind}登记为工作人员的", "评价人的手机号或微信登记为工作人员的"),
    Rule.BURST: (
        "这个窗口 {minutes} 分钟内收到 {count} 条评价，{threshold} 条起要核查",
        "这个窗口短时间内收到很多评价",
    ),
    Rule.SAME_WORDS: (
        "这个窗口 {days} 天内有 {count} 条评价写着同样的话，{threshold} 条起要核查",
        "这个窗口有好几条评价写着同样的话",
    ),
    Rule.VOIDED: ("收到差评 {days} 天后，这张回执被作废", "收到差评以后，这张回执被作废"),
    Rule.REISSUED: (
        "收到差评 {days} 天后，同一办件又出了一张回执", "收到差评以后，同一办件又出了一张回执"
    ),
    Rule.UNDONE: (
        "这个窗口 {days} 天内有 {count} 条差评撤回后改成好评，{threshold} 条起要核查",
        "这个窗口有好几条差评撤回后改成好评",
    ),
    Rule.OBJECTED: (
        "回执手机的主人说第一次评价不是他评的，已凭手机验证码证实手机在他手里",
    ) * 2,
    Rule.PRESSED: ("群众反映：{how}", "群众反映被要求给好评"),
}  # fmt: skip
"""With what it has found, and where something of that is missing."""
HOW_NAMES: dict[str, str] = {}
"""Of the ways in which a citizen says he was pressed; filled by who asks him."""


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
    if (kind := found.get("kind")) in _KINDS:
        told["kind"] = _KINDS[kind]
    how = found.get("how")
    known = [HOW_NAMES[one] for one in how if one in HOW_NAMES] if isinstance(how, list) else []
    return told | ({"how": "、".join(known)} if known else {})
