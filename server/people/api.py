"""Signing in over the API."""

from typing import Annotated

from msgspec import Meta, Struct
from sanic import Request

from server.kit.forms import Form
from server.kit.web import ANYONE, Door
from server.people import service, tokens

door = Door("people")


class ClientCredentials(Form):
    client_id: Annotated[str, Meta(max_length=32)]
    client_secret: Annotated[str, Meta(max_length=128)]


class Credentials(Form):
    username: Annotated[str, Meta(max_length=64)]
    password: Annotated[str, Meta(max_length=256)]
    totp: Annotated[str, Meta(max_length=16)]


class Token(Struct):
    access_token: str
    expires_in: int


class StaffToken(Struct):
    access_token: str
    expires_in: int
    role: str
    agency_code: str | None


@door.post(
    "/api/v1/token", guard=ANYONE, form=ClientCredentials, answers={200: Token}, once=False,
    refusals=(service.WrongSignIn,), summary="业务系统取得令牌（client credentials）",
)  # fmt: skip
async def client_token(request: Request, form: ClientCredentials) -> Token:
    return Token(*await service.client_token(form.client_id, form.client_secret))


@door.post(
    "/api/v1/staff/login", guard=ANYONE, form=Credentials, answers={200: StaffToken}, once=False,
    refusals=(service.WrongSignIn,), summary="工作人员登录（密码与动态口令）",
)  # fmt: skip
async def staff_login(request: Request, form: Credentials) -> StaffToken:
    member = await service.sign_in(
        form.username, form.password, form.totp, reuse_totp=request.app.ctx.settings.demo
    )
    token, seconds = tokens.issue(str(member.id), tokens.Audience.STAFF)
    return StaffToken(token, seconds, member.role, member.agency_code)
