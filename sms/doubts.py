"""What makes a level uncertain although it was written: one table, read from top to bottom."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sms.words import COUNT, COURTESY, NICE, OPINION, SCORE

# 不错 is no negation, 没什么 no question, 好久 no praise: taken out before the table is read.
_HARMLESS = re.compile(
    r"不错|不过|名不虚传|从来没有?(?:见过|遇到过)?这么(?=[好快])|不(?:推诿|敷衍|拖拉|刁难|推脱|复杂)|不是一般的?(?=[好快棒差慢烂久])|不是[很太](?=满意)|说实话|老实说|说真的|不能再[多高]了?|答非所问|一问三不知|没的说|没得挑|没有?(?:任何|什么|啥)?(?:意见|毛病|缺点|不足|怨言)"
    r"|(?:本来|原本?|还|一直)以为[^,\d最好差满]*|等了(?:好|有)?一会儿?|不会(?=用|填|写|弄|操作|打字|上网)|帮我(?=[办填弄写找拿复解操])|腿脚不[好便]|眼睛不好|看不[清懂](?=字)|不识字"
    r"|(?:半个?|[一1]个?多?)小时(?:左右|内|之内|不到)?(?=就)|不到(?=[\d一二两三四五六七八九十几半])|不好不坏|不快不慢|不冷不热|不多不少|没等多久|没多久|不多久|没问题|没什么(?:问题|意见|好说)?|没话说|没得说|没说的|没毛病|没意见|差不多|时差"
    r"|不用(?=排|跑|来回|等|再|谢|改)|不用谢"
    r"|没有?(?=排队|等)|没想到|不愧是?|无可挑剔|无微不至|不厌其烦|不容易|好不容易|不好意思|不断|不少|不但|不仅|不管|不久|不慢|不麻烦"
    r"|了不起|什么都|怎么都|谁都|哪里都|哪儿都|几分钟|几天|好几|几次|无论|不论"
)
_HOPE = re.compile(r"(?:如果|要是|假如|若)[^,.;!。，]{0,20}(?:更好|就好了|就完美|最好)")

_GOOD = (
    r"(?<![不没])不错|(?<![不没够])(?<!不是)(?:很|非常|挺|真|特别|太|蛮|超|真的|服务|态度|都|效率)好(?![不久慢差多几像难累烦容评])|^好(?:的|评)?$"
    r"|(?<!最)好评|棒|(?:点|大|很|^)赞|完美|优秀|(?<![不没够太有])热情(?!不)|(?<![不没够])周到|(?<![没不有])耐心|高效|(?:很|真|挺|办事|办得|太)快"
    r"|(?:很|真|挺|非常)方便|给力|满分|表扬|[非十万][常分]感谢|热心|顺利|没有?问题|还可以|还行|可以$|great|good|nice|👍|👏|🌹|❤|💯|😊|😄|😁|🥰|😍|✌|👌|💐"
)
_SPLENDID = (
    r"(?:非常|特别|太|最|超级?|很|真)(?:好|棒|热情)(?![不久慢差多几像难累烦容])|完美|满分|💯"
)
_BAD = (
    r"差(?!点|一点|别|价|距)|垃圾|恶劣|失望|投诉|举报|糟糕|[太真很]烂|恶心|生气|气死|不满(?!意)|不好(?![打找停办用走])|不行|不作为|推诿|刁难|骂|黑心"
    r"|冷漠|敷衍|没人[管理]|没解决|没办[成好]|白跑|没用|没有(?:解决|办成|办好)|滚|狗|妈的|傻|骗|坑人|无语|乱收费|不耐烦|爱答不理|拖拉|踢皮球|你妹|尼玛|[你他]妈|特么|tmd|\b(?:sb|md)\b|吵架|mmp|卧槽|我[靠操]|👎|😡|🤬|😠|💩"
    r"|玩手机|推[三来].[四去]|爱[理搭答]不|官僚|傲慢|凶|脸色|[甩黑]着?脸|脸难看|糊弄|欺负|吼|跑断|[寒灰]心|心[寒累凉]|没心|强[硬制迫]|故意|吃拿|臭|官腔|推脱|扯皮|折腾|低下|淡薄|偏袒|官官|歧视|瞧不起|后门|白眼|送礼|找关系|形式主义|弄丢|冷冰"
    r"|🖕|❌|✖|🚫|🤮|🙃|🙄|😒|😤|bad"
)
_DREADFUL = r"[太很]差|非常差|极差|垃圾|恶劣|投诉|举报|👎|😡|🤬|💩|🖕"
_TROUBLE = (
    r"个月|[几半一两三]年|太[久慢长麻复累贵难多]|小时|半天|好久|[三四五六七八3-8][趟次]|[天月周]才"
)
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
    r"|做梦|想多了|想得美|美得你|逼|你信|手滑|误[触按点操]|不小心|[你都]懂|你.?品|如你们?所愿|(?:孩|孩子|孙子|孙女|别人)乱?[按点发打]"
    r"|打发|应付|交差|凑数|任务|省得|免得|[不生]?怕|面子|可怜|同情|友情|人情|[瞎蒙猜]|代[填评发]|拿去|[你您]觉得|自己信|反了|反着|反过来|拉倒|得了吧|违心|给你脸|休想|没门"
    r"|(?:^|,)(?:不|没|没有|不是|否|无|非|别|假|并不|并非|唔|冇|莫|甭|难道|拒绝|达不到|怎么可能|not|no)[的啊呀]?(?:$|,)|(?:并非"
    r"|并不)[的啊]?$|^是?不是(?:的|我|这|真)?|不觉得|不认为|不敢说|难道|^是[^,]*的$"
    r"|^[才岂]|不算|作废|撤[回销]|收回|无效|取消|删除|忽略|重(?:新)?[评来选打]|[扣减]分(?!之)|[打按点发选说]错|更正|逗你|也怪|奇怪"
)
_NOT_THEIRS = (
    r"[发找弄认搞打]错[人了]|(?:号码|电话|短信)(?:[发打弄]?错|不对)|没(?:有)?办(?:理)?过|(?:不是|并非)(?:我|本人|当事人)"
    r"|没(?:有)?去过|冒用|不认识"
)
DOUBTS = (
    _doubt("the level itself is denied or taken back", "12345", "rest", _DENIALS),
    _doubt("irony", "345", "rest",
           r"呵|良心|[哼呸嘁]|(?<![亲一密热关])切(?!实)|[狗放]屁|扯淡|胡扯|好意思|脸皮|要脸|讽刺|笑[死话]|[你们]赢|服了|然后呢"
           r"|(?:^|,)(?:就这|[少来去多草靠晕汗唉哎])(?:$|,)|而已|罢了|起步|打底|以内"),
    _doubt("ordered, shared out or passed on", "345", "rest",
           r"(?:上面|上级|单位|领导|公司|学校|社区|窗口)(?:要求|安排|规定|[说让叫])|[说填发选写评打]的$|^给[^,]{1,5}的$"
           r"|开心就好|高兴就好|意思意思|走[个过]?(?:过场|形式)|凑个?数|^按(?![时期点])|^我?服(?!务)"
           r"|^(?:[小老我你他她那]|隔壁)[^,很挺真都太满]{1,4}的$|除外|(?:^|,)除了?[^,]{1,4}$|收到请?回|转[给发]|帮我转"),
    _doubt("too little for the best level", "5", "rest",
           r"勉强|凑合|马马虎虎|将就|无奈|只能这样|^[好很真]?[慢久烦累堵挤吵](?:$|,)"),
    _doubt("turned down", "345", "near",
           r"^是(?!的$)|^[^,]{0,3}(?:不[给是行对要想会能敢配值够]|没法|给不[了起]|别想|算了|免)|^[很太也]?难"),
    _doubt("a negation that may mean the level", "345", "near",
           r"^(?:我|可|才|也|都|从来?|绝|并|根本|真|完全|其实)?[不没无未否]|^(?=[^,]{1,8}(?:,|$))[^,]*(?:[不没无未否]|没有)(?:,|$)"),
    _doubt("not even", "12345", "near", r"^[都也](?:[不没嫌算]|是给)|^(?:嫌|免)|不想给|不愿给|给不了|别给"),
    _doubt("not even", "345", "near", r"^[都也]是"),
    _doubt("not their affair", "12345", "both", _NOT_THEIRS),
    _doubt("said to be rid of us", "12345", "both",
           r"(?:行|够|好|可以|满意|高兴|开心|得|对)了(?:吧|没|吗|么)|别烦|别[再老]?发|最后一次|(?:^|,)完[事了](?:$|,)|烦死|爱咋|爱信不信|随便你"),
    _doubt("1 is the best, 5 the last", "12", "both",
           r"最好(?![能有是多把改在先还])|最高|第一(?![次天])|冠军|优秀|满分"),
    _doubt("1 is the best, 5 the last", "45", "both", r"倒数|最[差低坏烂慢]"),
    _doubt("a scale of their own", "12345", "both",
           r"满分[是为:]?(?!5(?!\d)|五)[\d一二三四六七八九十]|(?:百|十|\d)分制"),
    _doubt("not meant", "12345", "both",
           r"随[便意]|都行|看心情|无所谓|试[试一]|乱[打按选点评]|随手|测试|\btest|[看弄搞]不懂|不明白"),
    _doubt("anger and haste", "45", "both", r"气[人死]|急死|天荒地老|拖了|催|尽快|快点|加急"
           r"|^,?急", unless=_ALTHOUGH),
    _doubt("hangs on a condition", "12345", "both",
           r"如果|要是|假如|倘若|假若|的话|除非|只要|万一|否则|不然|考虑"),
    _doubt("will be given later", "12345", "both",
           r"(?:再|才能?|就|会|后|下次|准备|打算|以后)[来去]?(?:给[你他您好打评一二三四五\d]|给$|打分|打[五\d]|评价|评分|评论|评$)|回头|等会|待会"
           r"|晚点|差一?点(?:就|给|打|想)|本来想?[给打]?|原本|应该[给打]"),
    _doubt("told to", "12345", "both",
           r"(?:让|叫|要|逼|求|请|要求|强迫|教)(?:我|我们|人|必须|你)*(?:必须|一定|要|这么|这样|这|都)*(?:给|打(?!电|热线|市长|投诉|官司|\d{3})|评|选|回复|按[\d五]"
           r"|填[\d五]|写的|说的|发的|回的|点的|好评|非常满意|满意|五星|五分|[1-5]分)"
           r"|被迫|强迫|要求的|必须给|不得不|求好评|要好评"),
    _doubt("somebody else's word", "12", "head",
           r"别人|人家|大家|朋友|老婆|老公|有人|同事|邻居|谁|都说|[他她]说|听说|问(?!题)|写着|看到|显示|通知|短信|号码|工号|所谓"),
    _doubt("somebody else's word", "345", "head",
           r"别人|人家|他们|她们|他|她|大家|朋友|老婆|老公|我妈|我爸|领导|邻居|同事|有人|[谁哪]|说|问(?!题)|听|写着|看到|显示|通知|短信|号码|工号|假装"
           r"|装作|曾|好像|似乎|也许|或许|大概|可能|几乎|默认|系统|自动|必须|强制|拒绝|达不到|何谈|争取|期待|除|前提|(?:^|,)(?:也?就(?!是)|光|唯)|^等(?:我|拿|办)|后$|算$|呸|真行|真可以|^先|,先|求|帮我|只有"
           r"|所谓|号称|[让使令为]|希望|想|要|能|会|下次|以后|上次|之前|以前|应该|不是|难|最[好差]的|比"),
    _doubt("a question", "12345", "rest",
           r"什么意思|啥意思|代表|是什么|是啥|是指|哪个|选哪|怎么[评选回]|可以[吗么]|[行对好是]吗|^吗|对吧|是吧|是不是"),
    _doubt("a question", "345", "both",
           r"\?|[吗么]$|[吗么][,?]|什么|怎么|为何|为啥|咋|啥|哪|谁|几[号点楼]|是否|能不能|能否|可否|有没有|多久|如何"),
    _doubt("a question", "12", "both", r"\?|[吗么]$|什么|怎么|为何|咋|啥|是否|能否|可否|有没有|如何",
           unless=rf"为(?:什么|何|啥)[不非要]|凭什么|怎么(?:这么|还|能|都)|什么(?:态度|服务|玩意|东西|破|都|人)|{_BAD}|{_TROUBLE}|排队|没"),
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


_FIRST_DIGIT = re.compile(r"[1-5](?![\d.:])")
_LAST_DIGIT = re.compile(r"(?:^|[^\d.第a-z-])([1-5])(?=,|$)")


def _goes_with(match: re.Match[str], level: int) -> bool:
    if match["no"]:
        return level == (1 if match["very"] else 2)
    if match["so"]:
        return level in (3, 4) if match["so"] not in ("挺", "蛮") else level >= 4
    return level >= 4


def _scores_agree(text: str, level: int) -> bool:
    words = {str(level), "一二三四五"[level - 1]} | ({"两"} if level == 2 else set())
    return all(match["n"] in words for match in SCORE.finditer(text) if match["n"] != "十")


def _digits_agree(head: str, rest: str, level: int) -> bool:
    """2态度差4 and 4差评，基本满意 say two things; in 3天，不满意 and 不满意，3号窗口 a digit counts."""
    last = (match[1] for match in _LAST_DIGIT.finditer(f"{head},{rest}"))
    first = (m[0] for c in head.split(",") if (m := _FIRST_DIGIT.match(c)) and not COUNT.match(c))
    return all(digit == str(level) for digit in (*last, *first))


def _part(where: str, head: str, rest: str) -> str:
    return {"head": head, "rest": rest, "near": rest}.get(where, f"{head},{rest}".strip(","))


def doubtful(level: int, head: str, rest: str) -> bool:
    """May the words before and after a level mean that it was not given?"""
    around = f"{head},{rest}"
    if not _scores_agree(around, level) or not _digits_agree(head, rest, level):
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
    r"(?:不|没有?|没有?什么|没啥|哪有|不是|否|无|唔|非|别|未|莫|没|not|no|差不多)(?:的|啊|呀)?"
)
# 停车，不满意 and 恐怕，满意 name a part or a guess: what stands before a name must tell something.
_TELLS = re.compile(
    rf"{_GOOD}|{_BAD}|{_TROUBLE}|(?<!为)了|过(?!程)|(?<!获)得(?![到个])|[太很真极帮教扶]|(?<!差)[不没无](?!动|论|用?说)"
    r"|.来.去|答非所问|什么(?:态度|服务)|\d点|[\d一二三四五六七八九十两半几]+个?(?:多?小时|分钟|[次趟天年月遍])|一直|总是|老是|说实话|老实说"
)
_NEGATES = re.compile(r"[不没无未别莫勿唔难]|非(?!常)")


def may_lead(level: int, head: list[str]) -> bool:
    """May these clauses stand before a name that ends the reply? 不，满意 and 从没有过，满意 may not."""
    if any(_NO.fullmatch(clause) or len(clause) == 1 for clause in head):
        return False
    if not _TELLS.search(head[-1]) and not OPINION.fullmatch(head[-1]):
        return False
    return level <= 2 or not any(_NEGATES.search(_HARMLESS.sub("", clause)) for clause in head)


# Blame has no end, and who takes 1 for the best puts it after a 5. So what follows a 5 without its name
# must be praise, a kind deed, a wish, a small reserve, a plain fact or a name. After a 1 or 2 it is the
# praise that must not be alone.
_LAUDS = (
    r"(?<![只要就才先偏说约])好(?![慢久乱凶贵难累烦差吵挤像几多意笑说])|[棒赞稳顶]|[牛暖](?!气)|(?<!尽)快(?!点|要|些|过期|递|[崩疯死])|[热贴用细省放尽暖]心|耐心|热情|佳|比.{1,8}强|顺[利畅心]|[很真]顺|(?<![最唯])优"
    r"(?!先|惠)|高效|(?:效[率能]|水平|素质|能力|评价)[很真也都挺]*高|(?:意识|能力|素质|责任心)[很真]?强|着想|所想|多亏|幸亏|详[细尽]|到家|得当|端正|笑容|以人为本|方便|便[捷利]|快捷|清[楚晰]|专业|熟练|周[到全]|负责|一流|(?<!说)到位|神速|迅速|及时|准时|利[索落]|麻利|轻松|简[单便化](?!粗暴)|省[时力事]"
    r"|礼貌|客气|和[气蔼善]|[人心]善|人美|亲切|真诚|公[平正道]|透明|干净|整[洁齐]|宽敞|明亮|合理|有序|规范|文明|舒[服适]|温[暖馨柔度]|机灵|聪明|能干|微笑|笑脸|有问必答|惊喜"
    r"|短$|不用(?:排|等|跑)|没(?:有)?排队|不(?:错|麻烦|推诿|敷衍|拖拉|刁难|推脱|复杂)|感[谢动恩激]|敬|佩服|榜样|模范|楷模|公仆|骄傲|正能量|爱了|奈斯|进步|越来越|越办|比(?:以前|以往|之前|过去|从前|上次)"
    r"|名副其实|名不虚传|杠杠|没的说|没得[说挑讲]|完美|满分|无可挑|无微|给力|靠谱|值得(?!曝光|投诉)|推荐|表[扬彰]|锦旗|认真|细致|人性化|great|good|best|nice|perfect"
)
_DEEDS = (
    r"强$|满意|讲[得的]?透|明白|懂|容易|效率(?![低差不太])|第一(?![次天])|按[时期]|提[前醒]|秒|当[场天日时]|立[等即刻]|马上就|秩序|帮|教(?![训育])|扶|陪|协助|指[导引点]|引导|讲解|解[答释决]"
    r"|落实|搞定|全程|主动|上门|加班|让座|倒[了杯]?水|送(?!礼|钱|红包)|值班|特事特办|最多跑|少跑|一[次趟]|一个?窗|一站|随到随|不用|没想到|没等|(?:没有?|无)(?:任何|什么|啥)?(?:意见|问题|毛病|缺点|怨言)"
    r"|没[得的话]|(?:[都能也]|可以)能?办|实事|便民|亲[自民]|真心|感[觉受]|健康|愉快|快乐|[幸祝]福|福音|实惠|优惠|谢[谢您你各大]|多谢|辛苦|恩(?!将)|祝(?![你您].*(?:早|倒闭|下岗))|平安|学习|可以的?$|提[升高速]|改[善进观]"
    r"|超[出值越预]|预期|意料|不愧|大不一样|必须的|毫无|妥妥|支持|信[任赖]|可靠|为人民|唔该|有劳|费心|添麻烦|阿弥陀佛|三克油|非常$|^ok|玫瑰|鲜花|爱心|鼓掌|抱拳|握手|胜利|very|thank"
)
_WISHES = (
    r"希望|建议|继续|加油|再接再厉|再来|还来|如果|要是|保持|期待|盼|愿|就是|但|不过|只是"
    r"|美中不足|小[缺问]|除了|唯一|抱歉|对不起|回晚"
)
_FACTS = (
    r"(?:办|拿|领|收|取|补|批|出|查|交|发|寄|认定|续)(?![^,]{0,4}[没不未错慢死坏丢])[^,]{0,5}(?:[到完成结妥]|了$|证|下来)|(?:钱|款|证)[^,没不未]{0,3}到|(?:分钟|小时|半天)(?:[左内之就办搞完解以]|$)"
    r"|不到(?=[\d一两半十几])|只[用跑花要]|通过|今天|我叫|我是|来自|发自|from|iphone|电话\d*$|看[到见]短信|中国移动"
)
_PRAISE = rf"(?<![不没无未欠])(?<![不没][太大够很怎是有多])(?:{_LAUDS})"
_LAUDED = re.compile(rf"{_PRAISE}")
_WISHED = re.compile(_WISHES)
_KIND = re.compile(rf"{_DEEDS}|{_FACTS}")
_SPOILT = re.compile(r"[不没无未慢死坏丢吵]|排.*人|要钱|红包")
_BLAMED = re.compile(
    rf"{_BAD}|{_TROUBLE}|{_WISHES}|(?<!不)[不没无未难慢少乱烂烦贵拖假]|别(?!人)|才|应该|居然|竟|本来|需要"
)
_SURNAMES = (
    r"(?:[王李张刘陈杨赵吴徐孙朱高林郭罗梁宋郑谢韩唐冯董萧曹袁邓傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田姜范姚谭廖邹陆郝孔崔邱秦江史侯邵孟龙黎乔贺赖龚]"
    r"|何(?![必苦时])|胡(?![说闹来搞乱扯])|黄(?!牛)|周(?![一二三四五六日末])|许(?![久多])|程(?!序)|马(?![虎马上])|欧阳|司马|上官|诸葛)"
)
_SIGNED = re.compile(
    rf"[-—=~]*(?:市民|群众|职工|家属)?(?:[小老阿]{_SURNAMES}|{_SURNAMES}[^\W\da-z不没太多少难贵慢乱的了]{{1,2}}|{_SURNAMES}(?=[^\W\d]))"
    r"(?:先生|女士|小姐|师傅|大[爷妈姐叔哥]|阿姨|奶奶|爷爷|老师|主任|同志|[工总某])?"
)


def blamed(text: str) -> bool:
    """Something is complained of."""
    return bool(_BLAMED.search(text))


def befits(level: int, rest: list[str]) -> bool:
    """May a digit without its name be followed by this? 5 上班玩手机 and 1 方便快捷 may be upside down."""
    said = [clause for clause in rest if not COURTESY.fullmatch(clause)]
    if level <= 2:
        praised = any(_LAUDED.search(clause) for clause in said)
        return not praised or any(_BLAMED.search(_LAUDED.sub("", clause)) for clause in said)
    return level < 5 or not said or any(map(_is_kind, said))


def _is_kind(clause: str) -> bool:
    """主动帮我 is a kind deed, 加班费没给 is none."""
    if NICE.fullmatch(clause) or _SIGNED.fullmatch(clause):
        return True
    if _LAUDED.search(clause) or _WISHED.search(clause):
        return True
    return bool(_KIND.search(clause)) and not _SPOILT.search(_KIND.sub("", clause))
