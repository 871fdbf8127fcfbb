"""The words that the reader of replies knows. Every table says why it is as long as it is."""

import re

# The offered names, and the second official vocabulary (很好 … 很差). 好 is left out: as a reply it
# mostly means "okay". 很满意, 比较满意, 满易, manyi, good were never offered: nobody knows their level.
NAMES = {"非常不满意": 1, "非常满意": 5, "基本满意": 3, "不满意": 2, "满意": 4}
SECOND = {"很好": 5, "一般": 3, "差": 2, "很差": 1}
NUMERALS = {c: n for row in ("一二三四五", "壹贰叁肆伍") for n, c in enumerate(row, 1)}


def _any(words: list[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_NAME = rf"(?:{_any(list(NAMES))}|{_any(list(SECOND))})"
_OFFERED = rf"(?:(?:非常){{2,5}}不?满意|非常的不?满意|{_any(list(NAMES))})"
_DIGIT = f"(?:[1-5{''.join(NUMERALS)}]|两(?=分|星|颗星))"
NUMERALS["两"] = 2
# 级 is no unit: 一级 is the best grade there is. 号, 个, 第5 are places in a list that runs from 5 to 1.
_UNIT = r"(?:分|星级|颗星|个星|星)"
_THANKS = (
    r"(?:(?:非常|十分|万分|很|太|多|真的|特别)?(?:感谢|谢谢|多谢|谢了|谢)|(?:你们|您|大家|同志们|工作人员)?辛苦|麻烦|thanks?|thx|3q|点赞)"
    r"(?:你们|您们|您|你|大家|工作人员|领导|政府|同志|的?(?:服务|关心|帮助|帮忙|支持|付出|回访)|了|啦|啊|哈|呀|哦|you)*+"
)
_GREETING = (
    r"(?:(?:领导|同志|师傅|老师)们?(?:你们?|您)?好|你们?好|您好|大家好|早上好|上午好|中午好|下午好|晚上好|hello|hi|好的|好|好呢|好嘞|嗯+[呢呐]?|恩+|哦+"
    r"|收到|知道了|明白|ok|okay|行|哈哈+|嘻嘻+|嘿嘿+|要得|中|成|再见|拜拜|祝(?:你们|您|大家)?(?:工作|身体|节日|新年|一切|事业|生活)*(?:顺利|健康|快乐|愉快|幸福)|(?:很|真|非常)?(?:不好意思|抱歉|对不起)|打扰了|不客气|对|是的)"
    r"(?:的|了|啊|呀|哈)?"
)
# 非常感谢 beside a 1 is praise, a plain 谢谢 says nothing.
THANKS = re.compile(r"(?:谢谢|多谢|感谢|辛苦|谢了)(?:你们|您|你|大家|了|啦|啊)*+")
COURTESY = re.compile(rf"(?:{_GREETING})?+(?:{_THANKS})*+(?:{_GREETING})?")

NICE = re.compile(r"[👍👏🌹❤💯😊😄😁🥰😍✌👌💐🙏✅☑✔⭐★🌟🎉\U0001f3fb-\U0001f3ff]+")

# "I choose …": stands before a digit or a name and says nothing else.
_ANSWER = (
    r"(?:(?:我|本人|俺|我们)(?:这边)?(?:的)?(?:来)?)?"
    r"(?:选择|选项|选|回复|回答|回|(?:服务|综合|总体|整体)?评[价分]|综合|评定|总?评|打分|打满?|给(?:你们?|您|他|她|予)?(?:打|评)?"
    r"|那?就(?=[1-5](?:[分星]|吧))|就[给选打]|只给|只能[给打]|勉强(?:[给打]|(?=[1-5]分))|答案|答|分数|得分|满意度|投|按|(?:我要|修|更)?改[成为]|更正为|数字|(?:这次|本次|此次)我?[给打选])"
    r"(?:的)?(?:是|为)?(?:个|数字|选项|内容)?"
)
# These make a digit no less certain; 必须5分 may be what somebody told them, 绝对满意 is no name.
_SURE = r"(?:我|本人|俺)?(?:绝对|妥妥的?|果断|坚决|毫不犹豫地?|当然)是?"
_WHOLE = r"(?:(?:(?:总体|整体)上?(?:来[说讲看])?|总的来[说讲看])是?|说实话|老实说)"
_BUT = r"(?:但是?|不过)"
_HELLO = r"(?:谢谢(?:你们?|您)?|好的|嗯+)"

# "With this service I am …": only before an offered name; 服务很好 is praise, not level 5.
_SERVICE = r"(?:政务服务|服务态度|服务质量|服务|办事效率|办事|办理|工作态度|工作)"
_WHOSE = (
    r"(?:你们|贵单位|贵局|贵中心|这次|本次|此次|今天|这个|工作人员|[1-9]?号?窗口|大厅|中心|市民|社区|街道"
    r"|政务|政府|的)"
)
_SUBJECT = (
    r"(?:我们都|(?:我们)?(?:全家|一家)人?都|我和我?(?:老伴|爱人|家人)都|我|本人|我们|俺)?(?:"
    rf"对于?(?:{_WHOSE}|{_SERVICE}){{0,4}}(?:{_SERVICE}|业务|你们)"
    rf"|{_WHOSE}{{0,3}}{_SERVICE})?(?:我是|我|表示|感到|感觉|觉得|真的是?|确实|实在是?)?"
)
_PARTICLE = r"[的啊呀哦噢哈啦哟嘞呐咯喔噻撒]"
# 吧 softens a name (满意吧) but not a choice (5吧, 一般吧).
LEVEL = re.compile(
    rf"(?:(?:(?:{_HELLO}|[你您]好)(?=[1-5]))?(?:{_SURE}|{_WHOLE})?(?:{_ANSWER})?(?P<digit>{_DIGIT})(?P<unit>{_UNIT})?(?:[-=]*(?P<agree>{_NAME})|(?<=[分星])(?P<again>{_DIGIT}{_UNIT}))?"
    r"(?:(?P<praise>好评)|(?P<blame>差评))?(?:吧|呗|奉上|送上|走起|ok)?"
    rf"|(?:{_HELLO}|{_BUT})?(?:{_WHOLE})?(?:{_SUBJECT}|(?P<chosen>{_ANSWER}))(?P<name>{_OFFERED})(?P=name)*(?(chosen)吧?)(?:[-=]*(?P<after>{_DIGIT}{_UNIT}?))?"
    rf"|(?:这次|本次|此次|你们的?)?服务(?P<service>{_DIGIT}){_UNIT}"
    rf"|(?:{_ANSWER})?(?P<second>{_any(list(SECOND))})(?P=second)*(?:(?<=一般)吧)?(?P<after2>{_DIGIT})?)"
    rf"{_PARTICLE}*(?:(?<=满意)滴|(?<=非常满意)了|了(?={_THANKS}$))?(?P<thanks>{_THANKS})?(?:句号|感叹号)?"
)
LEADING = re.compile(
    rf"{_ANSWER}|(?:刚才|刚刚|不好意思|我|是)*[打按发点选说弄搞回]错了?|更正|修改|应该是"
    r"|(?:不好意思|抱歉|对不起)?(?:[刚才]{1,2}|现在才|今天才)看[到见](?:短信|信息|消息)?了?"
    r"|(?:不好意思|抱歉|对不起)?(?:我|刚才)?(?:回复?[晚迟]了|忘记?了?回复?了?)"
)
# 5，刚才按错了: said after the new answer, when the old one is known.
MISTAKEN = re.compile(
    r"(?:不好意思)?(?:我|是)*(?:刚才|刚刚)(?:是|我)*(?:[打按发点选弄搞回]错|手滑)了?"
)
WORD = re.compile(r"[^\W_]|[\u2190-\u2bff\ue000-\uf8ff\U0001f000-\U0001faff]")
UNIT = re.compile(rf"{_UNIT}{_PARTICLE}*")
# 5谢谢 and 1态度差 are one breath; 5楼, 3窗口, 2次 are not. So only these may follow without a mark.
_TOPIC = (
    r"服务(?![台区窗厅员站中点])|态度|办事|办理|办得|办的|效率|工作人员|速度|排队|流程|等了|你们|好评|点赞"
    r"|因为|希望|建议|[太很真](?:[差慢久烂快棒赞]|麻烦|不错|满意|好)|非常(?:好|快|差|慢|棒)|没(?:问题|话说|人|毛病)"
    r"|不错|感谢|谢谢|辛苦|挺|超|垃圾"
)
GLUED = re.compile(
    rf"(?:(?:{_ANSWER})?(?P<digit>[1-5])(?P<unit>{_UNIT})?(?P<agree>{_OFFERED})?"
    r"|(?:我|我对)?(?P<name>非常满意|非常不满意|不满意))"
    rf"(?P<rest>(?:{_TOPIC}).*)",
    re.DOTALL,
)
# 5 楼, 3 号窗口, 1 个小时. Not: 5 点赞, 1 人太多, 2 时间长, 3 口径不一, 5 分.
MEASURE = re.compile(
    r"楼|号|分钟|分之|点(?!.{0,4}赞)|个(?!个)|次(?!次)|天(?!天)|月|日(?!常)|年(?!纪)|岁|小时|时(?!间)|秒|刻|周(?![到末全])|星期|人(?!有点|太多|太少|多|员|很[多好]|[家们美好性民]|真好)|位(?!置)"
    r"|块|元|毛|角(?!度)|万(?!分[感谢]|事)|千(?!恩)|百(?!姓|分百|分之百)|十(?!分)|亿|米|公里|厘米|斤|公斤|折|路(?![上])|层(?!层)|栋|幢|单元|室|排(?![队了])|座"
    r"|条(?!件)|张|份|本(?![来人次])|套|台(?!阶)|遍|趟|倍|成(?![功效])|区|窗(?!口(?:还是|有点|开得|开的|太)*(?:少|不够))|厅|柜|种|类|项|步|家(?!里)|户|口(?![径碑])|名(?![副不])|辆"
    r"|间|环(?!境)|班|组(?!织)|代(?!办)|楼|支(?!持)|颗(?!星)|页|只(?![有能要用是花跑开办来收给])|对(?![你服工窗这办大])|封|吨|群(?!众)|课|胎|险|线(?![上下])|把(?![我材人])|副"
    r"|下(?![次午班雨大])|样|美元|瓶|世纪|克(?!服)|站|根(?!本)|杯|场|盒|期(?![待间望])|桶|季度|工作日|片|亩|碗|礼拜|院|平[方米]|股"
    r"|架|队(?!伍)|里(?!面)|会儿|节(?![省约])|门(?![难口槛])|双|寸|艘|证合|届|堂|表(?![扬格示情])|批(?!评)|袋|滴|婚|尺|来个|等(?=[奖座舱才前后]|$)|中$|车间|[中大支]队|科(?!学)|病[区房]|部(?!分)|医院|工区|所(?![有以谓])"
    r"|段|度(?!假)|升|篇|分(?:钱|公|店|局|别|开)|型|包(?!容)|孩(?!子)|箱|粒|册|钟头|小$|[多几](?=$|[个天年块分了]|小时)|件|回(?![复我电访])|以[上下]|级|(?:g|m|k|h|st|nd|rd|th)(?![a-z])|%|°"
)
COUNT = re.compile(rf"[1-9](?!\d)(?:{MEASURE.pattern})")
NUMBER = re.compile(r"[\d０-９〇零一二三四五六七八九十百千万]+(?:分|星|颗星)?")
SCORE = re.compile(
    r"(?<![\d.十])(?P<n>\d+(?:\.\d+)?|[一二三四五六七八九两]|[一二三四五六七八九]?[十百]+)"
    r"(?:分(?![钟之局店行院开别配明析为成享批类公部管工期数])|颗?星(?!期))(?!钱)"
)

# Somebody else's text: our own message sent back, a machine's answer, a code.
QUOTED = re.compile(
    r"回复数字(?![:是为]?\s?[1-5]$)|数字评价|评价服务|办理的.*已办结|请回复|拒收请|自动回复|正在开[会车]|正在通话|稍后|验证码|校验码|https?:|www\."
)
# As a whole clause only; 退订不了 is a complaint. One letter must be the whole reply.
OPT_OUT = re.compile(
    r"(?:我要|我想|申请|请|帮我|给我|麻烦|要求|立即|马上|回复?)?(?:td?|n|r)?(?:退订|退定)(?:短信|信息|服务|吧|了|谢谢|回复?[tdnr]{1,2})?"
    r"|(?:退订)+(?:td)?|(?:请)?勿扰|(?:怎么|如何|怎样)退订|拒收(?:请回复?r|回复?r|短信|信息)?|td|(?:回复?)(?:td|[tnr])|拒绝(?:接收|短信)"
    r"|取消(?:订阅|短信|推送)|stop|unsubscribe|(?:请)?停止(?:发送?|推送)(?:短信|信息|消息)?(?:了|给我)?|不想(?:再)?收到?(?:你们的?|任何|这种|这类)*(?:短信|信息|消息)(?:了)?"
    r"|(?:以后|请|麻烦|你们)*(?:不要|别|请勿|勿|不用|不必)(?:再|老是?|总是?|一直|天天)?(?:给我|跟我|向我)?(?:再)?(?:发|发送|推送|打扰|骚扰)"
    r"(?:送|了|短信|信息|消息|我|来|过来|这种|这些|垃圾|给我|啦|吧|的)*+"
)
OPT_OUT_LETTER = re.compile(r"[tnr]")
OUR_OPT_OUT = re.compile(r"(?:退订|拒收)请?回复?[tdnr]{1,2}")

# What a digit at the end may follow: a whole opinion and nothing else (…的窗口 5 is a place).
_ABOUT = (
    r"(?:这次|本次|你们|这里|大厅|窗口|工作人员|服务人员|小姐姐|小姑娘|的|服务|态度|办事|办理|办得|办的|效率|速度|整体|总体"
    r"|环境|流程|业务|各方面|手续|工作|窗口人员|办事人员)*+"
)
_VERY = (
    r"(?:都|也|一点|真的|真|很|极其?|挺|非常|特别|太|超级|超|十分|相当|蛮|还|比较|有点|实在|够|一直|确实"
    r"|最)*+"
)
_GOOD = (
    r"(?:好|不错|棒|赞|快|方便|满意|可以|行|周到|热情|耐心|细心|认真|负责|高效|到位|高|专业|给力|优秀|完美|贴心|顺利|没问题"
    r"|没话说|没毛病|没得说|没(?:什么|啥)?(?:好说|说)的|热情周到|好评)"
)
_BAD = (
    r"(?:差劲|差评|差|慢|久|烂|糟糕|恶劣|不好|不行|不满意|麻烦|复杂|长|低|失望|垃圾|冷漠|生硬|敷衍|推诿|不耐烦|不太好|不太满意|不热情"
    r"|没解决)"
)
_END = r"(?:了|的|啊|呀|哦|哈|啦|吧|极了|得很)*+"
OPINION = re.compile(rf"{_ABOUT}{_VERY}(?:排队|等|等得|时间|等待)?{_VERY}(?:{_GOOD}|{_BAD}){_END}")

# Asked about the answer to a complaint there are only two sides, so more words are certain.
_HANDLING = (
    r"(?:我们?|本人)?对?(?:你们的?|这次的?|这个|此)*+"
    r"(?:(?:处理|答复|办理|整改|解决)(?:结果|情况|方案|意见)?|结果)(?:的|是|表示)?"
)
CONTENT = re.compile(
    rf"(?:这次|现在|终于|已经|总算|都|还是|{_HANDLING}|{_SUBJECT})?(?:非常|十分|很|特别|挺|蛮|比较|基本|相当|完全|太)?满意(?:了|{_PARTICLE})*"
    rf"(?:{_THANKS})?"
)
DISCONTENT = re.compile(
    rf"(?:{_SUBJECT})?(?:还是|还|仍然|仍旧|仍|依然|依旧|根本|完全|真的|当然|坚决|肯定|实在|一点[都也]|就是|{_HANDLING})*+"
    rf"(?:非常|很|十分|极其|极|太|特别)?不(?:太|够|怎么|大|是很|是太|很)?满意了?{_PARTICLE}*"
)

# 等了两小时，1分: what may stand before a score of 1 or 2 without naming it.
TROUBLE = re.compile(
    r"什么(?:态度|服务)|[等排跑].{0,8}(?:小时|分钟|[天趟次]|[上下]午)|没人|没办[成好]|没解决|恶劣|垃圾|推诿|[太很]差|不好$|不行$|投诉"
)
# 没想到这么快，5分: the same on the good side.
PRAISE = re.compile(rf"(?:{_GOOD}|办[好完成]){_END}$")


def number(digit: str) -> int:
    return NUMERALS.get(digit[0]) or int(digit[0])


def named(name: str) -> int:
    if name.startswith("非常"):  # 非常非常满意, 非常的满意
        return 1 if "不" in name else 5
    return (NAMES | SECOND)[name]
