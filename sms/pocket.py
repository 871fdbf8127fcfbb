"""The second gateway: a phone in memory, for the laptop and the demo. It sends nothing away."""

import itertools
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sms.callbacks import CHINA
from sms.gateway import Message, Report, Sent, refusal
from sms.phone import normalise
from sms.templates import check, count_messages

# A demo that runs for weeks must not fill the memory.
_KEPT = 10_000


@dataclass(slots=True)
class Shown:
    """A message as the phone shows it."""

    provider_id: str
    out_id: str
    phone: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime
    reported_at: datetime | None = None


def _now() -> datetime:
    return datetime.now(CHINA)


class Pocket:
    """`templates`: template code → its approved text, as Aliyun has it on its side."""

    def __init__(self, templates: Mapping[str, str], clock: Callable[[], datetime] = _now) -> None:
        self._templates = templates
        self._clock = clock
        self._shown: deque[Shown] = deque(maxlen=_KEPT)
        # From the clock, so that a restart repeats no id.
        self._ids = itertools.count(time.time_ns())

    async def send(self, message: Message) -> Sent:
        if time.monotonic() > message.until:
            raise refusal("local.TOO_LATE")
        phone = normalise(message.phone)
        if phone is None:
            raise refusal("isv.MOBILE_NUMBER_ILLEGAL")
        template = self._templates.get(message.template)
        if template is None:
            raise refusal("isv.SMS_TEMPLATE_ILLEGAL")
        checked = check(message.sign, template, message.variables)
        if checked.problems:
            raise refusal(checked.problems[0].code)
        shown = Shown(self._new_id(), message.out_id, phone, checked.text, self._clock())
        self._shown.append(shown)
        return Sent(shown.provider_id)

    async def ask(self, phone: str, out_id: str, day: date) -> Sent | Report | None:
        for shown in self._shown:
            if (shown.out_id, shown.phone) != (out_id, normalise(phone)):
                continue
            if shown.at.astimezone(CHINA).date() != day:
                continue
            if shown.reported_at is None:
                return Sent(shown.provider_id)
            return Report(
                shown.provider_id, out_id, shown.phone, True, "DELIVERED",
                shown.at, shown.reported_at,
            )  # fmt: skip
        return None

    def messages(self, phone: str) -> list[Shown]:
        """Oldest first."""
        return [shown for shown in self._shown if shown.phone == normalise(phone)]

    def reports(self) -> bytes:
        """The SmsReport push for all that was not reported yet, as Aliyun writes it."""
        fresh = [shown for shown in self._shown if shown.reported_at is None]
        for shown in fresh:
            shown.reported_at = self._clock()
        return _array(*({
            "phone_number": shown.phone, "send_time": _written(shown.at),
            "report_time": _written(shown.reported_at or shown.at), "success": True,
            "err_code": "DELIVERED", "err_msg": "用户接收成功",
            "sms_size": str(count_messages(shown.text)),
            "biz_id": shown.provider_id, "out_id": shown.out_id,
        } for shown in fresh))  # fmt: skip

    def reply(self, phone: str, text: str) -> bytes:
        """The SmsUp push for an answer typed on this phone: to be posted to the real callback."""
        return _array({
            "phone_number": normalise(phone) or phone, "content": text,
            "send_time": _written(self._clock()), "dest_code": "1069",
            "sequence_id": next(self._ids),
        })  # fmt: skip

    def _new_id(self) -> str:
        return f"{next(self._ids)}^0"


def _array(*items: dict[str, object]) -> bytes:
    # ASCII: whatever was typed, a lone surrogate too, can be written down.
    return json.dumps(items).encode()


def _written(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
