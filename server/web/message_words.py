"""What a provider's code means for the person who can mend it (pure)."""

from dataclasses import dataclass

from server.messages.rules import PURPOSE_NAMES, MessageState, Purpose


@dataclass(frozen=True)
class Meaning:
    what: str
    do: str


_MEANINGS: tuple[tuple[str, str, str], ...] = (
    ("签名没有审核通过、写错了，或与场景不符",
     "在服务商控制台核对签名和它的审核状态，再改地区政策里的“短信签名”",
     "isv.SMS_SIGNATURE_ILLEGAL isv.SMS_SIGN_ILLEGAL isv.SIGN_NAME_ILLEGAL isv.SIGN_STATE_ILLEGAL "
     "isv.SMS_SIGNATURE_SCENE_ILLEGAL"),
    ("模板没有审核通过，或模板编号写错了",
     "在服务商控制台核对模板，再改目录“短信用语”里的模板编号；被驳回的换另一套用语",
     "isv.SMS_TEMPLATE_ILLEGAL isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE"),
    ("用语与服务商审核的模板对不上：变量缺了、长了，或带有链接",
     "把目录“短信用语”改成与服务商的模板一字不差",
     "isv.TEMPLATE_MISSING_PARAMETERS isv.TEMPLATE_PARAMS_ILLEGAL isv.PARAM_LENGTH_LIMIT "
     "isv.PARAM_NOT_SUPPORT_URL isv.INVALID_PARAMETERS isv.INVALID_JSON_PARAM "
     "isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL MissingParameter InvalidParameter local.UNWRITABLE"),
    ("内容含有服务商不允许的字词",
     "看看事项或大厅的名称里有没有敏感词，改名称或换另一套用语",
     "isv.SMS_CONTENT_ILLEGAL isv.UNSUPPORTED_CONTENT isv.BLACK_KEY_CONTROL_LIMIT"),
    ("手机号码不对，或者不是能收到国内短信的号码",
     "不用重新发送；请窗口核对录入的号码",
     "isv.MOBILE_NUMBER_ILLEGAL isv.MOBILE_COUNT_OVER_LIMIT isv.DOMESTIC_NUMBER_NOT_SUPPORTED"),
    ("这个号码向服务商退订了", "不要重新发送", "isv.CUSTOMER_REFUSED"),
    ("短信账户余额不足", "充值以后重新发送", "isv.AMOUNT_NOT_ENOUGH InsufficientBalance"),
    ("短信服务停用、没有开通，或账户异常",
     "由账户负责人登录服务商控制台处理，恢复以后重新发送",
     "isv.OUT_OF_SERVICE isv.PRODUCT_UN_SUBSCRIPT isv.PRODUCT_UNSUBSCRIBE isv.ACCOUNT_NOT_EXISTS "
     "isv.ACCOUNT_ABNORMAL Forbidden.RiskControl Forbidden.UserVerification"),
    ("访问密钥没有发短信的权限，或不允许从本机访问",
     "由账户负责人给这个密钥授权（只授发送和查询短信），或把服务器加入白名单",
     "isp.RAM_PERMISSION_DENY Forbidden Forbidden.RAM NoPermission isv.DENY_IP_RANGE "
     "isv.EXTEND_CODE_ERROR"),
    ("访问密钥不对或已经停用",
     "由系统管理员核对 ALIYUN_ACCESS_KEY_ID 和 ALIYUN_ACCESS_KEY_SECRET，重启后重新发送",
     "SignatureDoesNotMatch IncompleteSignature InvalidAccessKeySecret InvalidAccessKeyId "
     "InvalidAccessKeyId.NotFound InvalidAccessKeyId.Inactive MissingAccessKeyId"),
    ("本系统与服务商接口对不上",
     "由系统管理员核对 ALIYUN_DOMAIN、ALIYUN_PROTOCOL 和服务器时钟",
     "InvalidTimeStamp.Format IllegalTimestamp InvalidVersion NoSuchVersion InvalidAction.NotFound "
     "InvalidApi.NotFound InvalidProduct.NotFound InvalidProtocol.NeedSsl UnsupportedOperation"),
    ("到了自己设的每日或每月发送上限",
     "在服务商控制台提高上限，或第二天（下个月）再重新发送",
     "isv.DAY_LIMIT_CONTROL isv.MONTH_LIMIT_CONTROL"),
    ("这个号码今天收到的短信太多，或服务商一时不收", "隔一段时间再重新发送",
     "isv.BUSINESS_LIMIT_CONTROL isp.SYSTEM_ERROR isp.GATEWAY_ERROR Throttling Throttling.User "
     "Throttling.Api InvalidTimeStamp.Expired"),
    ("服务器太忙，没有及时交给服务商", "隔一段时间再重新发送", "local.TOO_LATE"),
    ("连不上服务商", "由系统管理员检查网络和证书，恢复以后重新发送",
     "local.UNREACHABLE local.CERTIFICATE"),
    ("服务商一直没有说收下没有，可能已经发出",
     "先在服务商控制台查这个号码当天的发送记录，确实没有发出再重新发送", "lost"),
    ("封存内容的密钥已经停用，读不出来", "由系统管理员把旧密钥放回 KEYS，再重新发送", "unreadable"),
    ("本人已经退订", "", "opted_out"), ("已经不用问了", "", "needless"),
    ("过了时限还没有发出", "", "expired"), ("保存期满，没有发出", "", "forgotten"),
    ("不在可以发短信的时间里，等到可以时再发", "", "hours"),
    ("这个号码今天的条数已满，等到明天", "", "daily_limit"),
)  # fmt: skip
MEANINGS = {code: Meaning(what, do) for what, do, codes in _MEANINGS for code in codes.split()}
_UNKNOWN = Meaning("服务商给的代码不在已知的表里", "记下代码，问短信服务商；弄清后再重新发送")
_OF_THE_PHONE = Meaning("服务商收下了，没有送到手机", "")


def meaning(code: str, state: MessageState) -> Meaning | None:
    """None where there is nothing to explain."""
    if not code or state in (MessageState.SENT, MessageState.DELIVERED):
        return None
    return MEANINGS.get(code, _OF_THE_PHONE if state is MessageState.FAILED else _UNKNOWN)


REASONS = {
    "not an object": "不是一个 JSON 对象", "no JSON array": "整个推送不是 JSON 数组",
    "phone_number missing or no phone number": "没有号码，或者不是手机号码",
    "content missing or no text": "没有内容", "send_time missing or no time": "没有时间，或者不是时间",
    "neither biz_id nor out_id": "没有短信的编号", "neither success nor err_code": "没有说送达了没有",
    "sealed with a key that was withdrawn": "封存它的密钥已经停用",
}  # fmt: skip
"""Why an item of a push was set aside, as the reader of callbacks says it."""
PURPOSE_CHOICES = {name: purpose for purpose, name in reversed(PURPOSE_NAMES.items())}
"""Name → the purpose that stands for all of that name in an address."""


def purposes_named_as(purpose: str) -> list[str] | None:
    """All purposes that a reader cannot tell apart; None for what is no purpose."""
    if purpose not in set(Purpose):
        return None
    name = PURPOSE_NAMES[Purpose(purpose)]
    return [str(other) for other, named in PURPOSE_NAMES.items() if named == name]


def yuan(thousandths: int) -> str:
    """To the 厘, so that the rows add up to their sum."""
    return f"{thousandths // 1000:,}.{thousandths % 1000:03d}"
