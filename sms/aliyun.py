"""Aliyun SMS through aliyun-python-sdk-core: one signed call a message, and never a second one.

The SDK ships its own requests 2.18.3 (aliyunsdkcore/vendored/requests) and urllib3 1.24.3
(…/requests/packages/urllib3), invisible to pip-audit; scanners name CVE-2020-26137,
CVE-2021-33503 and CVE-2023-32681. None is reached from here: fixed method, https to one fixed
host, no proxy, no redirects."""

import asyncio
import json
import logging
import math
import ssl
import time
from collections.abc import Mapping
from datetime import date

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.http import protocol_type
from aliyunsdkcore.request import CommonRequest
from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter
from aliyunsdkcore.vendored.requests.exceptions import ConnectTimeout, RequestException
from aliyunsdkcore.vendored.requests.packages.urllib3.exceptions import (
    MaxRetryError,
    NewConnectionError,
)

from sms.callbacks import read_time
from sms.gateway import Lost, Message, Refused, Report, Sent, refusal

CONNECT_SECONDS, READ_SECONDS = 2, 5
_VERSION = "2017-05-25"
_PAGE, _PAGES = 50, 20
_POOL = 32  # asyncio's thread pool has at most so many threads
_WAITING, _FAILED, _ARRIVED = "1", "2", "3"

# The SDK logs answers (numbers and texts in QuerySendDetails), sets its loggers to DEBUG and has a
# handler of its own on stderr. What of it matters, we raise. A filter stays when logging is
# configured anew, and holds whoever listens.
for _name in list(logging.root.manager.loggerDict):
    if _name.split(".")[0] == "aliyunsdkcore":
        logging.getLogger(_name).addFilter(lambda _record: False)


class _NeverSent(Exception):
    """Not one byte of the request left us. (No OSError: the SDK would swallow it.)"""


class _NoAnswer(Exception):
    """The request may have left us, its answer did not come."""


class _Door(HTTPAdapter):
    """Says which it was. The SDK itself melts every fault into one text with the address in it."""

    def send(self, request: object, **options: object) -> object:
        try:
            return super().send(request, **options)
        except OSError as error:
            fault = _fault(error)
        raise fault  # out here, so that it has no context: the text of the fault is not ours


def _fault(error: OSError) -> Exception:
    cause = error.args[0] if isinstance(error, RequestException) and error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    if isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError):
        return _NeverSent("local.UNREACHABLE")
    inner = reason.args[0] if reason is not None and reason.args else None
    if isinstance(inner, ssl.SSLCertVerificationError):
        return _NeverSent("local.CERTIFICATE")
    return _NoAnswer()


class Aliyun:
    """`domain` and `protocol` are for the endpoint of the tests (127.0.0.1:PORT, http)."""

    def __init__(
        self,
        key_id: str,
        secret: str,
        *,
        region: str = "cn-hangzhou",
        domain: str = "dysmsapi.aliyuncs.com",
        protocol: str = "https",
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        if not key_id or not secret:
            # The SDK would go looking for keys in the environment and in ~/.alibabacloud.
            raise ValueError("Aliyun needs a key id and a secret")
        self._domain = domain
        # The SDK compares by identity: an equal string that is not its own would mean http.
        self._protocol = protocol_type.HTTP if protocol == "http" else protocol_type.HTTPS
        # A retry inside the SDK could send twice: off (retry_policy.NO_RETRY_POLICY); the pools
        # below retry nothing by default. The proxy is named, and nowhere, since otherwise
        # HTTPS_PROXY of the environment is taken; `verify` likewise.
        self._client = AcsClient(
            key_id, secret, region, auto_retry=False, max_retry_time=0, verify=True,
            connect_timeout=connect_seconds, timeout=read_seconds,
            proxy={"http": "", "https": ""},
        )  # fmt: skip
        self._client.session.trust_env = False  # no passwords from ~/.netrc
        for scheme in ("http://", "https://"):
            self._client.session.mount(scheme, _Door(pool_maxsize=_POOL))

    def __repr__(self) -> str:
        return f"Aliyun({self._domain})"

    async def send(self, message: Message) -> Sent:
        """A cancelled send() goes on in its thread: treat the message as Lost."""
        if not message.out_id:
            raise ValueError("a message needs an out_id, else a lost answer is never found again")
        answer = await asyncio.to_thread(self._call, "SendSms", {
            "PhoneNumbers": _number(message.phone),
            "SignName": message.sign,
            "TemplateCode": message.template,
            "TemplateParam": json.dumps(dict(message.variables), ensure_ascii=False),
            "OutId": message.out_id,
        }, message.until)  # fmt: skip
        provider_id = answer.get("BizId")
        if not isinstance(provider_id, str) or not provider_id:
            raise Lost("accepted without a BizId")
        return Sent(provider_id)

    async def ask(self, phone: str, out_id: str, day: date) -> Sent | Report | None:
        """The details can lag behind: ask some time after the loss, not in the same second."""
        return await asyncio.to_thread(self._find, phone, out_id, day)

    def _find(self, phone: str, out_id: str, day: date) -> Sent | Report | None:
        seen = 0
        for page in range(1, _PAGES + 1):
            answer = self._call("QuerySendDetails", {
                "PhoneNumber": _number(phone),
                "SendDate": day.strftime("%Y%m%d"),
                "PageSize": str(_PAGE),
                "CurrentPage": str(page),
            })  # fmt: skip
            details, total = _details(answer)
            for detail in details:
                if str(detail.get("OutId")) == out_id:
                    return _outcome(detail, phone, out_id)
            seen += len(details)
            if seen >= total:
                return None
            if not details:
                break
        # Seen in the wild: TotalCount 2 and an empty list (aliyun/alibabacloud-java-sdk#42).
        # "It is not there" would send the message a second time.
        raise Lost("incomplete details")

    def _call(
        self, action: str, parameters: Mapping[str, str], until: float = math.inf
    ) -> dict[str, object]:
        problem: Refused | Lost
        try:
            if time.monotonic() > until:
                raise _NeverSent("local.TOO_LATE")
            request = self._request(action, parameters)
            answer = _object(self._client.do_action_with_exception(request))
            if answer.get("Code") == "OK":
                return answer
            problem = _answered(200, answer.get("Code"))
        except ServerException as error:
            problem = _answered(error.get_http_status(), error.get_error_code())
        except _NeverSent as error:
            problem = refusal(str(error))
        except UnicodeEncodeError:
            problem = refusal("local.UNWRITABLE")
        except Exception:
            # Time-outs, resets, an answer cut off, and faults of the SDK's own reading of the
            # answer (an IndexError for a SignatureDoesNotMatch without a colon, for one).
            problem = Lost("no answer that can be read")
        # Out here: no context, so that neither their text nor our parameters travel with it.
        raise problem

    def _request(self, action: str, parameters: Mapping[str, str]) -> CommonRequest:
        request = CommonRequest(self._domain, _VERSION, action)
        request.set_method("POST")
        request.set_protocol_type(self._protocol)
        request.set_accept_format("json")
        for name, value in parameters.items():
            value.encode()  # a lone surrogate fails here, before anything is sent
            # In the body: the query string stands in access logs, with the phone number.
            request.add_body_params(name, value)
        return request


def _answered(status: object, code: object) -> Refused | Lost:
    # 5xx may come after the message was taken. A used nonce means that somebody on the way sent
    # our request twice: the first may have been taken.
    if not isinstance(status, int) or status >= 500 or code == "SignatureNonceUsed":
        return Lost("the provider failed")
    if not isinstance(code, str) or not code or code.startswith("SDK."):
        return Lost("no answer that can be read")
    return refusal(code)


def _object(body: bytes) -> dict[str, object]:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError
    return answer


def _details(answer: dict[str, object]) -> tuple[list[dict[str, object]], int]:
    holder = answer.get("SmsSendDetailDTOs")
    found = holder.get("SmsSendDetailDTO", []) if isinstance(holder, dict) else []
    total = answer.get("TotalCount")  # a number, or a string, by page
    if not isinstance(found, list) or not str(total).isdecimal():
        raise Lost("incomplete details")
    return [detail for detail in found if isinstance(detail, dict)], int(str(total))


def _outcome(detail: dict[str, object], phone: str, out_id: str) -> Sent | Report:
    status = str(detail.get("SendStatus"))
    if status not in (_FAILED, _ARRIVED):
        return Sent(None)
    code = str(detail.get("ErrCode") or "")[:64]
    times = read_time(detail.get("SendDate")), read_time(detail.get("ReceiveDate"))
    return Report(None, out_id, phone, status == _ARRIVED, code, *times)


def _number(phone: str) -> str:
    """Abroad: country code and number, without the plus."""
    return phone.removeprefix("+")
