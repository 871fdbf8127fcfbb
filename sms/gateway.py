"""What a gateway is, and how it says no."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Protocol


# repr=False on everything personal: a value that reaches a log or a traceback shows only its ids.
@dataclass(frozen=True, slots=True)
class Message:
    """One message to one phone. `out_id` is ours: by it a lost answer is found again."""

    phone: str = field(repr=False)
    sign: str
    template: str
    variables: Mapping[str, str] = field(repr=False)
    out_id: str
    until: float = math.inf
    """By time.monotonic(). Who was held up for longer must not send any more: somebody else may have
    taken the message over."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Accepted. `provider_id` is None when only ask() told us: Aliyun's details carry no BizId."""

    provider_id: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a message at the phone."""

    provider_id: str | None
    out_id: str | None
    phone: str | None = field(repr=False)
    delivered: bool
    code: str
    at: datetime | None
    reported_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a citizen wrote. There is no id of the question: the provider does not know it."""

    provider_id: str | None
    phone: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime
    extension: str


class Retry(Enum):
    PERMANENT = "permanent"  # the same message will never be taken: a person must change something
    BUDGET = "budget"  # our own limit for the day or month: nobody gets anything until it is raised
    LATER = "later"  # was not accepted and may be sent again after a wait, without asking
    UNKNOWN = "unknown"  # a code nobody told us about: a person looks


class Refused(Exception):
    """Not accepted, for certain. Carries a code of the table and never a word of the provider's."""

    def __init__(self, code: str, retry: Retry) -> None:
        super().__init__(code, retry.value)
        self.code = code
        self.retry = retry


class Lost(Exception):
    """The answer was lost: perhaps accepted, perhaps not. ask() before anything is sent again."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Gateway(Protocol):
    async def send(self, message: Message) -> Sent:
        """Raises Refused (surely not accepted) or Lost (nobody knows). Never tries twice."""
        ...

    async def ask(self, phone: str, out_id: str, day: date) -> Sent | Report | None:
        """Was it accepted on that day (UTC+8)? None: no. Raises Refused or Lost: still unknown."""
        ...


# Codes and meanings: help.aliyun.com/document_detail/101346.html and …/sms/developer-reference/
# api-error-codes (国内消息API错误码), document_detail/101347.htm, developer.aliyun.com/ask/278548;
# those of the API's front door: help.aliyun.com/document_detail/48054.html and 435312.html.
_CODES: dict[Retry, str] = {
    Retry.PERMANENT: """
        isv.MOBILE_NUMBER_ILLEGAL isv.MOBILE_COUNT_OVER_LIMIT isv.DOMESTIC_NUMBER_NOT_SUPPORTED
        isv.SMS_SIGNATURE_ILLEGAL isv.SMS_SIGN_ILLEGAL isv.SIGN_NAME_ILLEGAL isv.SIGN_STATE_ILLEGAL
        isv.SMS_SIGNATURE_SCENE_ILLEGAL isv.EXTEND_CODE_ERROR isv.SMS_TEMPLATE_ILLEGAL
        isv.TEMPLATE_MISSING_PARAMETERS isv.TEMPLATE_PARAMS_ILLEGAL isv.PARAM_LENGTH_LIMIT
        isv.PARAM_NOT_SUPPORT_URL isv.INVALID_PARAMETERS isv.INVALID_JSON_PARAM
        isv.SMS_CONTENT_ILLEGAL isv.UNSUPPORTED_CONTENT isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE
        isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL isv.BLACK_KEY_CONTROL_LIMIT isv.CUSTOMER_REFUSED
        isv.OUT_OF_SERVICE isv.AMOUNT_NOT_ENOUGH isv.PRODUCT_UN_SUBSCRIPT isv.PRODUCT_UNSUBSCRIBE
        isv.ACCOUNT_NOT_EXISTS isv.ACCOUNT_ABNORMAL isv.DENY_IP_RANGE isp.RAM_PERMISSION_DENY
        SignatureDoesNotMatch IncompleteSignature InvalidAccessKeySecret InvalidAccessKeyId
        InvalidAccessKeyId.NotFound InvalidAccessKeyId.Inactive MissingAccessKeyId
        InvalidTimeStamp.Format IllegalTimestamp InvalidVersion NoSuchVersion
        InvalidAction.NotFound InvalidApi.NotFound InvalidProduct.NotFound
        InvalidProtocol.NeedSsl MissingParameter InvalidParameter UnsupportedOperation
        Forbidden Forbidden.RAM Forbidden.RiskControl Forbidden.UserVerification
        NoPermission InsufficientBalance local.UNWRITABLE
    """,
    Retry.BUDGET: "isv.DAY_LIMIT_CONTROL isv.MONTH_LIMIT_CONTROL",
    # An expired time stamp is our clock, which its daemon puts right; the rest is the provider's.
    Retry.LATER: """
        isv.BUSINESS_LIMIT_CONTROL isp.SYSTEM_ERROR isp.GATEWAY_ERROR
        Throttling Throttling.User Throttling.Api InvalidTimeStamp.Expired
        local.UNREACHABLE local.CERTIFICATE local.TOO_LATE
    """,
}
RETRY: dict[str, Retry] = {code: retry for retry, codes in _CODES.items() for code in codes.split()}


def refusal(code: str) -> Refused:
    """The refusal for a provider's code. A code that we do not know may hold anything: not kept
    unless it looks like one, since it goes into logs."""
    known = RETRY.get(code)
    if known is not None:
        return Refused(code, known)
    digits = sum(letter.isdigit() for letter in code)
    plain = re.fullmatch(r"[A-Za-z][\w.-]{0,63}", code, re.ASCII) and digits < 5
    return Refused(code if plain else "unreadable", Retry.UNKNOWN)
