"""The SMS provider's callbacks. It signs nothing and comes from anywhere: the path holds a secret."""

import hmac
from typing import Literal

import msgspec
from sanic import Request

from server.kit.errors import Refusal, TooLarge
from server.kit.failures import NoSuchPage
from server.kit.web import ANYONE, BATCH_LIMIT, Door
from server.messages import inbox
from sms.callbacks import is_array

door = Door("messages")


class NotAnArray(Refusal):
    code = "not_an_array"
    title = "请求正文须是 JSON 数组"


class Received(msgspec.Struct):
    code: Literal[0] = 0
    msg: Literal["接收成功"] = "接收成功"


class SmsUp(msgspec.Struct):
    """What a citizen wrote."""

    phone_number: str
    content: str
    send_time: str
    """yyyy-MM-dd HH:mm:ss, UTC+8."""
    dest_code: str = ""
    sequence_id: str | int | None = None


class SmsReport(msgspec.Struct):
    """What became of a message of ours; found by either id."""

    phone_number: str
    success: bool
    err_code: str = ""
    biz_id: str | int | None = None
    out_id: str | int | None = None
    send_time: str | None = None
    report_time: str | None = None


@door.post(
    "/callbacks/sms/<secret>/up", summary="短信服务商推送群众的回复", guard=ANYONE, once=False,
    raw=list[SmsUp], answers={200: Received}, refusals=(NotAnArray, NoSuchPage, TooLarge),
    limit=BATCH_LIMIT,
)  # fmt: skip
async def receive_replies(request: Request, secret: str) -> Received:
    return await _receive(request, secret, "up")


@door.post(
    "/callbacks/sms/<secret>/report", summary="短信服务商推送发送结果", guard=ANYONE, once=False,
    raw=list[SmsReport], answers={200: Received}, refusals=(NotAnArray, NoSuchPage, TooLarge),
    limit=BATCH_LIMIT,
)  # fmt: skip
async def receive_reports(request: Request, secret: str) -> Received:
    return await _receive(request, secret, "report")


async def _receive(request: Request, secret: str, kind: Literal["up", "report"]) -> Received:
    ours = request.app.ctx.settings.sms_callback_secret
    if not ours or not hmac.compare_digest(secret.encode(errors="surrogatepass"), ours.encode()):
        raise NoSuchPage
    if not is_array(request.body):
        raise NotAnArray
    await inbox.keep(kind, request.body)
    return Received()
