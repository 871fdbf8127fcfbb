"""Signing in from the mini-program."""

from typing import Annotated

from msgspec import Meta
from sanic import Request

from server.kit.errors import Limited, Unauthenticated
from server.kit.forms import Form
from server.kit.limits import count_unknown
from server.kit.web import ANYONE, Door
from server.kit.wechat import LOGIN_REFUSALS
from server.people import citizens
from server.people.api import Token

door = Door("wechat")


class LoginCode(Form):
    code: Annotated[str, Meta(max_length=128)]


@door.post(
    "/api/v1/wechat/login", guard=ANYONE, form=LoginCode, answers={200: Token}, once=False,
    refusals=(*LOGIN_REFUSALS, Limited), seconds=7.0,
    summary="小程序登录：以 wx.login 的 code 换取令牌",
)  # fmt: skip
async def wechat_login(request: Request, form: LoginCode) -> Token:
    at = request.app.ctx
    try:
        return Token(*await citizens.sign_in(form.code, at.wechat, demo=at.settings.demo))
    except Unauthenticated:
        await count_unknown(request, "unknown_wechat_code")
        raise
