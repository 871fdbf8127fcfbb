"""What makes a level uncertain although it was written: one table, read from top to bottom."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sms.words import SCORE

# 不错 is no negation, 没什么 no question, 好久 no praise: taken out before the table is read.
_HARMLESS = re.compile(
    r"不错|不过|不到(?=[\d一二两三四五六七八九十几半])|不好不坏|不快不慢|不冷不热|不多不少|没等多久|没多久|不多久|没问题|没什么(?:问题|意见|好说)?|没话说|没得说|没说的|没毛病|没意见|差不多|时差"
    r"|不用(?=排|跑|等|再|谢)|不用谢"
    r"|没有?(?=排队|等)|没想到|不愧是?|无可挑剔|无微不至|不厌其烦|不容易|好不容易|不好意思|不断|不少|不但|不仅|不管|不久|不慢|不麻烦"
    r"|了不起|什么都|怎么都|谁都|哪里都|哪儿都|几分钟|几天|好几|几次|无论|不论"
)
_HOPE = re.compile(r"(?:如果|要是|假如|若)[^,.;!。，]{0,20}(?:更好|就好了|就完美|最好)")

_GOOD = (
    r"(?<![不没])不错|(?<![不没够])(?<!不是)(?:很|非常|挺|真|特别|太|蛮|超|真的|服务|态度|都|效率)好(?![不久慢差多几像难累烦容评])|^好(?:的|评)?$"
    r"|(?<!最)好评|棒|(?:点|大|很|^)赞|完美|优秀|(?<![不没够太有])热情|(?<![不没够])周到|(?<![没不有])耐心|高效|(?:很|真|挺|办事|办得|太)快"
    r"|(?:很|真|挺|非常)方便|给力|满分|表扬|[非十万][常分]感谢|热心|顺利|没有?问题|还可以|还行|可以$|great|good|nice|👍|👏|🌹|❤|💯|😊|😄|😁|🥰|😍|✌|👌|💐"
)
_SPLENDID = (
    r"(?:非常|特别|太|最|超级?|很|真)(?:好|棒|热情)(?![不久慢差多几像难累烦容])|完美|满分|💯"
)
_BAD = (
    r"差(?!点|一点|别|价|距)|垃圾|恶劣|失望|投诉|举报|糟糕|[太真很]烂|恶心|生气|气死|不满(?!意)|不好|不行|不作为|推诿|刁难|骂|黑心"
    r"|冷漠|敷衍|没人[管理]|没解决|没办[成好]|白跑|没用|没有(?:解决|办成|办好)|滚|狗|妈的|傻|骗|坑人|无语|乱收费|不耐烦|爱答不理|拖拉|踢皮球|👎|😡|🤬|😠|💩"
    r"|🖕|❌|✖|🚫|🤮|🙃|🙄|😒|😤|bad"
)
_DREADFUL = r"[太很]差|非常差|极差|垃圾|恶劣|投诉|举报|👎|😡|🤬|💩|🖕"
_TROUBLE = r"个月|[几半一两三]年|太[久慢长麻复累贵难多]|小时|半天|好久|[三四五六七八3-8][趟次]"
_ALTHOUGH = r"就是|但|不过|只是|希望|建议|只(?:用|要|花)|不到"


@dataclass(frozen=True, slots=True)
class Doubt:
    why: str
    levels: str
    where: str
    """`head` before the level, `rest` after it, `both`, `near` the first words after it."""
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def _doubt(why: str, levels: str, where: str, pattern: str, unless: str = "") -> Doubt:
    return Doubt(why, levels, where, re.compile(pattern), re.compile(unless) if unless else None)


_DENIALS = (
    r"谈不上|算不上|说不上(?![好坏])|称不上|不至于|不存在|不可能|才怪|未必|没那么|没有的事|开玩笑|骗(?:你|人)|反话|假的|个[屁鬼毛头锤]"
    r"|做梦|想多了|想得美|美得你|逼|你信|[你您]觉得|自己信|反了|反着|反过来|拉倒|得了吧|违心|良心|[哼切呸]|[狗放]屁|扯淡|胡扯|好意思|脸皮|要脸|给你脸|休想|没门"
    r"|呵呵|(?:^|,)(?:不|没|没有|不是|否|无|非|别|假|并不|并非|唔|冇|莫|甭|难道|拒绝|达不到|怎么可能|not|no)[的啊呀]?(?:$|,)|(?:并非"
    r"|并不)[的啊]?$|^是?不是(?:的|我|这|真)?|不觉得|不认为|不敢说|难道|^是[^,]*的$"
    r"|^[才岂]|不算|作废|撤回|收回|无效|[打按点发选说]错|更正|逗你|也怪|奇怪"
)
DOUBTS = (
    _doubt("the level itself is denied or taken back", "12345", "rest", _DENIALS),
    _doubt("turned down", "345", "near",
           r"^是(?!的$)|^[^,]{0,3}(?:不[给是行对要想会能敢配值够]|没法|给不[了起]|别想|算了|免|难)"),
    _doubt("a negation that may mean the level", "345", "near",
           r"^(?:我|可|才|也|都|从来?|绝|并|根本|真|完全|其实)?[不没无未否]|^(?=[^,]{1,8}(?:,|$))[^,]*(?:[不没无未否]|没有)(?:,|$)"),
    _doubt("not even", "12345", "near", r"^[都也](?:[不没嫌算]|是)|^(?:嫌|免)|不想给|不愿给|给不了|别给"),
    _doubt("said to be rid of us", "12345", "both",
           r"(?:行|够|好|可以|满意|高兴|开心|得|对)了(?:吧|没|吗|么)|别烦|烦死|爱咋|爱信不信|随便你"),
    _doubt("1 is the best, 5 the last", "12", "both",
           r"最好(?![能有是多把改在先还])|最高|第一(?![次天])|冠军|优秀|满分"),
    _doubt("1 is the best, 5 the last", "45", "both", r"倒数|最[差低坏烂慢]"),
    _doubt("not meant", "12345", "both", r"随便|乱[打按选点评]|随手|测试|\btest|[看弄搞]不懂|不明白"),
    _doubt("anger and haste", "45", "both", r"气[人死]|急死|天荒地老|拖了|催|尽快|快点|加急"
           r"|^,?急", unless=_ALTHOUGH),
    _doubt("hangs on a condition", "12345", "both",
           r"如果|要是|假如|倘若|假若|的话|除非|只要|万一|否则|不然|考虑"),
    _doubt("will be given later", "12345", "both",
           r"(?:再|才能?|就|会|后|下次|准备|打算|以后)[来去]?(?:给[你他您好打评一二三四五\d]|给$|打分|打[五\d]|评价|评分|评论|评$)|回头|等会|待会"
           r"|晚点|差一?点(?:就|给|打|想)|本来想?[给打]?|原本|应该[给打]"),
    _doubt("told to", "12345", "both",
           r"(?:让|叫|要|逼|求|请|要求|强迫|教)(?:我|我们|人|必须|你)*(?:必须|一定|要|这么|这样|这|都)*(?:给|打(?!电)|评|选|回复|按[\d五]"
           r"|填[\d五]|写的|说的|发的|回的|点的|好评|非常满意|满意|五星|五分|[1-5]分)"
           r"|被迫|强迫|要求的|必须给|不得不|求好评|要好评"),
    _doubt("somebody else's word", "12", "head",
           r"别人|人家|大家|朋友|老婆|老公|有人|同事|邻居|谁|都说|[他她]说|听说|问(?!题)|写着|看到|显示|通知|短信|号码|工号|所谓"),
    _doubt("somebody else's word", "345", "head",
           r"别人|人家|他们|她们|他|她|大家|朋友|老婆|老公|我妈|我爸|领导|邻居|同事|有人|[谁哪]|说|问(?!题)|听|写着|看到|显示|通知|短信|号码|工号|假装"
           r"|装作|曾|好像|似乎|也许|或许|大概|可能|几乎|默认|系统|自动|必须|强制|拒绝|达不到|何谈|争取|期待|除|前提|^等(?:我|拿|办)|后$|算$|呸|真行|真可以|^先|,先|求|帮我|只有"
           r"|所谓|号称|[让使令为]|希望|想|要|能|会|下次|以后|上次|之前|以前|应该|不是|难|最[好差]的|比"),
    _doubt("a question", "12345", "rest",
           r"什么意思|啥意思|代表|是什么|是啥|是指|哪个|选哪|怎么[评选回]|可以[吗么]|[行对好是]吗|^吗|对吧|是吧|是不是"),
    _doubt("a question", "345", "both",
           r"\?|[吗么]$|[吗么][,?]|什么|怎么|为何|为啥|咋|啥|哪|谁|是否|能不能|能否|可否|有没有|多久|如何"),
    _doubt("a question", "12", "both", r"\?|[吗么]$|什么|怎么|为何|咋|啥|是否|能否|可否|有没有|如何",
           unless=rf"什么(?:态度|服务|玩意|东西|破|都|人)|{_BAD}|{_TROUBLE}|排队|没"),
    _doubt("praise with a bad level: who thinks that 1 is the best?", "12", "both", _GOOD),
    _doubt("3 is neither", "3", "both", rf"{_SPLENDID}|{_DREADFUL}"),
    _doubt("a strong complaint with a good level", "45", "both", _BAD),
    _doubt("only trouble with the best level: who thinks that 5 is the worst?", "5", "both",
           _TROUBLE, unless=rf"{_ALTHOUGH}|{_GOOD}"),
)  # fmt: skip
_RAW = ("praise", "3 is")

# Other words of satisfaction around the level must go with it: 5 很满意, but not 5 比较满意.
_SATISFIED = re.compile(
    r"(?P<very>非常|很|十分|特别|相当|太|超级|极其|完全)?(?P<so>挺|蛮|比较|还算|基本上?|勉强|还)?(?P<no>不(?:太|够|怎么|大|是很|很)?"
    r"|没)?满意(?!度)"
)


def _goes_with(match: re.Match[str], level: int) -> bool:
    if match["no"]:
        return level == (1 if match["very"] else 2)
    if match["so"]:
        return level in (3, 4) if match["so"] not in ("挺", "蛮") else level >= 4
    return level >= 4


def _scores_agree(text: str, level: int) -> bool:
    words = {str(level), "一二三四五"[level - 1]}
    return all(match["n"] in words for match in SCORE.finditer(text) if match["n"] != "十")


def _part(where: str, head: str, rest: str) -> str:
    return {"head": head, "rest": rest, "near": rest}.get(where, f"{head},{rest}".strip(","))


def doubtful(level: int, head: str, rest: str) -> bool:
    """May the words before and after a level mean that it was not given?"""
    around = f"{head},{rest}"
    if not _scores_agree(around, level):
        return True
    if any(not _goes_with(match, level) for match in _SATISFIED.finditer(around)):
        return True
    calm: Callable[[str], str] = lambda text: _HARMLESS.sub("", _HOPE.sub("", text))  # noqa: E731
    for doubt in DOUBTS:
        if str(level) not in doubt.levels:
            continue
        raw = _part(doubt.where, head, rest)
        text = raw if doubt.why.startswith(_RAW) else calm(raw)
        if doubt.pattern.search(text) and not (doubt.unless and doubt.unless.search(raw)):
            return True
    return False


_NO = re.compile(
    r"(?:不|没有?|没有?什么|没啥|哪有|不是|否|无|唔|非|别|未|莫|没|not|no)(?:的|啊|呀)?"
)
_NEGATES = re.compile(r"[不没无未别莫勿唔难]|非(?!常)")


def may_lead(level: int, head: list[str]) -> bool:
    """May these clauses stand before a name that ends the reply? 不，满意 and 从没有过，满意 may not."""
    if any(_NO.fullmatch(clause) or len(clause) == 1 for clause in head):
        return False
    return level <= 2 or not any(_NEGATES.search(_HARMLESS.sub("", clause)) for clause in head)
