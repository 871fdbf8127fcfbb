# ruff: noqa: E501
"""What people write by themselves, and what they write when they were told to."""

from random import Random

STOCK = (
    "很好", "好", "满意", "非常满意", "不错", "服务热情", "服务很好", "态度很好", "谢谢", "办事很快", "效率高", "很快",
    "非常好", "点赞", "👍", "好评", "服务周到", "热情周到", "很方便", "赞", "感谢", "办得很快", "服务态度好",
    "服务态度很好", "工作人员很热情", "效率很高", "非常感谢", "五星好评", "很耐心", "态度好，效率高", "服务热情周到",
    "工作人员服务态度非常好", "办事效率高，服务态度好", "服务态度好，办事效率高", "工作人员很有耐心，谢谢", "窗口工作人员态度很好",
    "热情周到，办事效率高", "非常满意，工作人员很热情", "服务热情，办理速度快", "讲解得很清楚，很有耐心", "工作人员耐心细致，非常满意",
    "态度非常好，办事速度快", "服务周到，效率很高，点赞", "工作人员热情周到，办事效率很高", "很满意，没有排队，一会儿就办好了",
    "一次就办好了，不用跑第二趟", "为工作人员的服务点赞", "希望继续保持", "没想到这么快就办好了", "服务态度非常好，非常满意！",
)  # fmt: skip
ABOUT = (
    "{}办得很快", "{}一次就办好了", "{}很快就办好了，谢谢", "来办{}，工作人员很热情", "{}比以前方便多了", "{}不用再跑了，很好",
    "办{}的窗口态度很好", "{}要的材料比以前少了",
)  # fmt: skip
BAD = (
    "排队太久",
    "态度不好",
    "来回跑了三趟",
    "材料要求说不清楚",
    "等了一上午没有人管",
    "材料要求前后不一致，没有一次说清楚",
)
WHO = (
    "我妈", "我爸", "我们公司", "店里", "我自己", "家里老人", "我爱人", "孩子", "邻居", "我", "我弟", "我奶奶", "同事",
    "我们合作社", "朋友",
)  # fmt: skip
DID = (
    "上午来的", "中午赶来的", "第一次来", "跑了两次", "提前约好的", "没有预约", "从乡下过来", "等了十来分钟", "下班前到的",
    "忘了带复印件", "材料缺了一张", "不会用手机", "看不清表格", "普通话说不好", "腿脚不方便", "带着孩子", "赶时间", "身份证快过期了",
)  # fmt: skip
THEN = (
    "小伙子帮着填好了", "有人领到窗口", "保安指了路", "那位大姐讲了两遍", "年轻姑娘帮忙复印", "他们让先回去拿再插队办", "当场就补上了",
    "没想到当天能拿", "窗口说可以邮寄", "就是停车不方便", "就是叫号声音太小", "只是空调太冷", "厕所干净", "椅子够坐", "中午也有人值班",
    "戴眼镜的师傅很客气", "一直等到我办完才下班", "电话里说的和现场一样", "还给倒了水", "表格有样本照着写",
)  # fmt: skip
END = (
    "",
    "",
    "不错",
    "谢谢",
    "挺好",
    "总的满意",
    "下次还来",
    "建议多开一个窗口",
    "希望一直这样",
    "给个好评",
)
SIGNS = ("，", "。", " ", "！", "、")


def honest(dice: Random, matter: str, level: int) -> str:
    """Most say nothing; of the rest most say what everybody says."""
    if dice.random() > (0.6 if level <= 2 else 0.17):
        return ""
    if level <= 2:
        return dice.choice(BAD) if dice.random() < 0.6 else _own(dice)
    drawn = dice.random()
    if drawn < 0.66:
        return _zipf(dice)
    if drawn < 0.78:
        return dice.choice(ABOUT).format(matter)
    return _own(dice)


def _zipf(dice: Random) -> str:
    rank = min(int(dice.paretovariate(0.8)) - 1, len(STOCK) - 1)
    said = STOCK[rank]
    return said + dice.choice(("", "", "", "！", "。", "👍"))


def _own(dice: Random) -> str:
    sign = dice.choice(SIGNS)
    parts = [dice.choice(WHO) + dice.choice(DID), dice.choice(THEN), dice.choice(END)]
    return sign.join(part for part in parts if part)


SURNAMES = "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕"
PRAISE = (
    ("{}业务熟练", "耐心讲解每一个步骤", "真正为群众着想"), ("{}微笑服务", "一次性告知所有材料", "值得表扬"),
    ("窗口的{}认真负责", "主动帮我核对资料", "是群众的贴心人"), ("感谢{}的热心帮助", "让我少跑了很多路", "必须点赞"),
    ("{}工作细致入微", "把政策讲得明明白白", "群众非常满意"), ("{}把办事群众当亲人", "服务有温度", "办事有速度"),
)  # fmt: skip
SWAPS = (
    ("耐心", "细心"), ("真正", "确实"), ("微笑", "热情"), ("值得", "应该"), ("认真", "十分"), ("主动", "及时"), ("感谢", "谢谢"),
    ("必须", "一定"), ("非常", "十分"), ("群众", "百姓"), ("热心", "热情"), ("明明白白", "清清楚楚"), ("我", "咱"), ("的", ""),
)  # fmt: skip
PICTURES = ("👍", "🌹", "😊", "[强]", "❤️", "👏👏", "~", "...")


def sentence(dice: Random) -> tuple[str, ...]:
    """What a clerk asks people to write about him."""
    name = dice.choice(SURNAMES) + dice.choice(("姐", "科长", "老师", "同志", "师傅"))
    return tuple(part.format(name) for part in dice.choice(PRAISE))


def variant(dice: Random, parts: tuple[str, ...]) -> str:
    """The same in a hand of one's own: other signs, another order, another word, a picture."""
    said = list(parts)
    if dice.random() < 0.3:
        dice.shuffle(said)
    text = dice.choice(SIGNS).join(said)
    for _ in range(dice.choice((0, 0, 1, 1, 2))):
        text = text.replace(*dice.choice(SWAPS))
    if dice.random() < 0.3:
        text += dice.choice(PICTURES) * dice.randint(1, 2)
    if dice.random() < 0.15:
        at = dice.randrange(len(text))
        text = text[:at] + dice.choice("啊呀了很好的") + text[at:]
    return text
