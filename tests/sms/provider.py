"""Aliyun's SMS on loopback: its RPC protocol with real signatures, its bad days, its pushes.

Knows nothing of `sms/`: it is written from the provider's documents, so that both can be wrong
only in different ways."""

import hmac
import json
import random
import re
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import ThreadingHTTPServer
from typing import Any

from rpc import Handler, sign, string_to_sign

CHINA = timezone(timedelta(hours=8))
# help.aliyun.com/zh/sms/developer-reference/smsup-http: 1, 5 and 10 minutes, then never again.
RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=10))
Post = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]


@dataclass(frozen=True)
class Mood:
    """How one request is answered. `code`: refused with it; `answer`: what comes back."""

    code: str | None = None
    status: int = 200
    accept: bool = True
    answer: str = "json"  # json · html · garbage · binary · cut · nothing
    delay: float = 0.0


GOOD = Mood()


@dataclass
class Accepted:
    biz_id: str
    out_id: str
    phone: str
    sign: str
    template: str
    variables: dict[str, str]
    text: str
    at: datetime
    status: int = 1  # 1 waiting · 2 failed · 3 arrived
    code: str = ""
    reported_at: datetime | None = None


@dataclass
class Push:
    kind: str  # up · report
    items: list[dict[str, Any]]
    due_at: datetime
    attempts: int = 0


class FakeClock:
    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime(2026, 11, 21, 10, 8, tzinfo=CHINA)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Provider:
    templates: Mapping[str, str]
    key_id: str = "test-key"
    secret: str = "test-secret"
    clock: Callable[[], datetime] = field(default_factory=FakeClock)
    skew: timedelta = timedelta()  # how far the provider's own clock is from ours
    always: Mood = GOOD
    details_broken: bool = False  # TotalCount without the list, as in alibabacloud-java-sdk#42
    accepted: list[Accepted] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # what an access log would hold
    pushes: list[Push] = field(default_factory=list)
    given_up: list[Push] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._moods: deque[Mood] = deque()
        self._nonces: set[str] = set()
        self._lock = threading.Lock()
        self._sequence = 1_000_000_000
        handler = type("_Handler", (Handler,), {"desk": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a caller died
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def domain(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def next(self, *moods: Mood) -> None:
        """For the next requests, one each; then `always` again."""
        self._moods.extend(moods)

    def texts(self, phone: str) -> list[str]:
        return [taken.text for taken in self.accepted if taken.phone == phone]

    def doubles(self) -> list[str]:
        ids = [taken.out_id for taken in self.accepted]
        return sorted({out_id for out_id in ids if ids.count(out_id) > 1})

    # -- requests ---------------------------------------------------------------------------

    def answer(self, method: str, given: dict[str, str]) -> tuple[int, dict[str, Any], Mood]:
        with self._lock:
            mood = self._moods.popleft() if self._moods else self.always
            self.requests.append(given)
            if fault := self._gate(method, given):
                return *fault, mood
            if mood.code:
                return mood.status, {"Code": mood.code, "Message": f"{given}"}, mood
            if not mood.accept:
                return mood.status, {"Message": "nothing happened"}, mood
            action = {"SendSms": self._send, "QuerySendDetails": self._details}
            body = action[given["Action"]](given)
            return mood.status, {"Message": "OK", "RequestId": "8906582E-6722", **body}, mood

    def _gate(self, method: str, given: dict[str, str]) -> tuple[int, dict[str, Any]] | None:
        """What stands before every action: who, when, once, signed, known."""
        at = datetime.strptime(given["Timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if given.get("AccessKeyId") != self.key_id:
            return 404, {"Code": "InvalidAccessKeyId.NotFound", "Message": "not found"}
        if abs(datetime.now(UTC) + self.skew - at) > timedelta(minutes=15):
            return 400, {"Code": "InvalidTimeStamp.Expired", "Message": "expired"}
        to_sign = string_to_sign(method, given)
        if not hmac.compare_digest(given.get("Signature", ""), sign(to_sign, self.secret)):
            message = f"Specified signature is not matched. server string to sign is:{to_sign}"
            return 400, {"Code": "SignatureDoesNotMatch", "Message": message}
        if given["SignatureNonce"] in self._nonces:
            return 400, {"Code": "SignatureNonceUsed", "Message": "used"}
        self._nonces.add(given["SignatureNonce"])
        if given.get("Version") != "2017-05-25":
            return 400, {"Code": "InvalidVersion", "Message": "version"}
        if given.get("Action") not in ("SendSms", "QuerySendDetails"):
            return 404, {"Code": "InvalidAction.NotFound", "Message": "action"}
        return None

    def _send(self, given: dict[str, str]) -> dict[str, Any]:
        phone, template = given["PhoneNumbers"], self.templates.get(given["TemplateCode"])
        if not re.fullmatch(r"1[3-9]\d{9}|(?:852|853|886)\d{8,9}", phone):
            return {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}
        if template is None:
            return {"Code": "isv.SMS_TEMPLATE_ILLEGAL"}
        variables = json.loads(given["TemplateParam"])
        body = template
        for name in re.findall(r"\$\{(\w+)\}", template):
            if name not in variables:
                return {"Code": "isv.TEMPLATE_MISSING_PARAMETERS"}
            if not 1 <= len(variables[name]) <= 35:
                return {"Code": "isv.PARAM_LENGTH_LIMIT"}
            body = body.replace(f"${{{name}}}", variables[name])
        biz_id = f"{time.time_ns()}^{len(self.accepted)}"
        taken = Accepted(
            biz_id, given.get("OutId", ""), phone, given["SignName"], given["TemplateCode"],
            variables, f"【{given['SignName']}】{body}", self.clock(),
        )  # fmt: skip
        self.accepted.append(taken)
        return {"Code": "OK", "BizId": biz_id}

    def _details(self, given: dict[str, str]) -> dict[str, Any]:
        size, page = int(given["PageSize"]), int(given["CurrentPage"])
        if not 1 <= size <= 50 or not re.fullmatch(r"\d{8}", given["SendDate"]):
            return {"Code": "isv.INVALID_PARAMETERS"}
        found = [
            taken for taken in reversed(self.accepted)
            if taken.phone == given["PhoneNumber"] and f"{taken.at:%Y%m%d}" == given["SendDate"]
        ]  # fmt: skip
        shown = [] if self.details_broken else found[(page - 1) * size : page * size]
        return {
            "Code": "OK", "TotalCount": len(found),
            "SmsSendDetailDTOs": {"SmsSendDetailDTO": [{
                "PhoneNum": taken.phone, "SendStatus": taken.status, "ErrCode": taken.code,
                "TemplateCode": taken.template, "Content": taken.text, "OutId": taken.out_id,
                "SendDate": written(taken.at),
                "ReceiveDate": written(taken.reported_at) if taken.reported_at else "",
            } for taken in shown]},
        }  # fmt: skip

    # -- pushes -----------------------------------------------------------------------------

    def report(self, taken: Accepted, delivered: bool = True, code: str = "DELIVERED") -> None:
        """The phone got it, or not: to be pushed, and in the details from now on."""
        taken.status, taken.code, taken.reported_at = 3 if delivered else 2, code, self.clock()
        self._queue("report", {
            "phone_number": taken.phone, "send_time": written(taken.at),
            "report_time": written(self.clock()), "success": delivered, "err_code": code,
            "err_msg": "用户接收成功", "sms_size": "1", "biz_id": taken.biz_id,
            "out_id": taken.out_id,
        })  # fmt: skip

    def reply(self, phone: str, text: str, number: bool = False) -> None:
        """`number`: the page on which sequence_id is a Number and not a String."""
        self._sequence += 1
        self._queue("up", {
            "phone_number": phone, "content": text, "send_time": written(self.clock()),
            "dest_code": "1069", "sequence_id": self._sequence if number else f"{self._sequence}",
        })  # fmt: skip

    def _queue(self, kind: str, item: dict[str, Any]) -> None:
        waiting = [push for push in self.pushes if push.kind == kind and not push.attempts]
        if waiting:
            waiting[0].items.append(item)
        else:
            self.pushes.append(Push(kind, [item], self.clock()))

    async def push(self, post: Post, times: int = 1, disorder: int | None = None) -> list[int]:
        """All that is due by the clock. `times`: each push so often; `disorder`: a seed by which
        pushes and items lose their order. What is not answered 200 comes again."""
        due = [push for push in self.pushes if push.due_at <= self.clock()]
        self.pushes = [push for push in self.pushes if push not in due]
        round_ = due * times
        if disorder is not None:
            random.Random(disorder).shuffle(round_)
            for push in due:
                random.Random(disorder).shuffle(push.items)
        results = [(push, await self._post(post, push)) for push in round_]
        for push in due:
            if not any(status == 200 for done, status in results if done is push):
                self._later(push)
        return [status for _, status in results]

    async def _post(self, post: Post, push: Push) -> int:
        try:
            status, body = await post(push.kind, json.dumps(push.items).encode())
            # Only `code` is looked at, and only whether it is a number.
            good = status == 200 and isinstance(json.loads(body)["code"], int)
        except (OSError, ValueError, KeyError):
            return 0
        return status if good or status != 200 else 0

    def _later(self, push: Push) -> None:
        if push.attempts == len(RETRIES):
            self.given_up.append(push)
            return
        push.due_at = self.clock() + RETRIES[push.attempts]
        push.attempts += 1
        self.pushes.append(push)


def written(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
