"""The reasons of the national dictionary, version 2: a citizen who copies one after his level means
just that, whatever the words would mean in another mouth (2 窗口人员业务不熟练 is no window)."""

import re

REASONS: dict[int, tuple[str, ...]] = {
    5: (
        "一窗受理一次办结",
        "可以先受理后补材料",
        "不用提交证明",
        "可以全程网上办理",
        "可以使用手机办理",
        "可以就近办理",
        "无需材料直接办理",
        "服务热情效率高",
    ),
    4: (
        "填写一张表单就可完成申报",
        "在线提交材料窗口核验",
        "一张清单告知全部申报材料",
        "用告知承诺减免申报材料",
        "可以在线预约办理",
        "跑大厅一次办完",
        "可以使用自助机办理",
        "服务态度较好",
    ),
    3: (
        "一次性告知需要补正的材料",
        "提供申报材料样本",
        "在承诺的时间内办结",
        "办事指南指引准确",
        "按办事指南要求的材料即可办理",
        "可以快递送达",
        "跑动次数与承诺的一致",
        "服务态度一般",
    ),
    2: (
        "没有提供材料样本",
        "没有提供材料清单",
        "未在承诺时间内办结",
        "同样内容的证明材料被要求多次提交",
        "承诺网办但无法在线办理",
        "在线预约办理后到实体大厅重复取号排队",
        "窗口人员业务不熟练",
        "服务态度生硬",
    ),
    1: (
        "在办事指南之外增加新的审批条件",
        "需提供办事指南之外的申报材料",
        "无理由超过法定办理时间",
        "办事指南提供样本有错",
        "承诺在线收取申报材料实际无法收取",
        "多头跑窗口和部门",
        "跑动次数与承诺的不一致",
        "服务态度差效率低",
    ),
}
_NAMES = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
_BETWEEN = r"[\s,;、。:.·-]*"
_STANDARD = {
    level: re.compile(
        rf"(?:{level}(?:分|星)?{_BETWEEN}(?:{_NAMES[level]})?|{_NAMES[level]}){_BETWEEN}"
        rf"(?P<words>{'|'.join(map(re.escape, reasons))}){_BETWEEN}!*"
    )
    for level, reasons in REASONS.items()
}


def standard(text: str) -> tuple[int, str] | None:
    """Level and reason, if the whole text is a level and a reason of this very level."""
    for level, pattern in _STANDARD.items():
        if found := pattern.fullmatch(text):
            return level, found["words"]
    return None
