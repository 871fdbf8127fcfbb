"""The console's door: signing in, the session's cookie, and the one guard of every room behind it."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from sanic import Blueprint, HTTPResponse, Request

from server.kit import uploads
from server.kit.errors import Denied, Invalid, Missing, Refusal, TooLarge
from server.kit.forms import BadBody, refuse_nul
from server.kit.web import BODY_LIMIT, DEADLINE_SECONDS
from server.people import service
from server.people.rules import Role
from server.web.cookies import cookie, set_cookie
from server.web.page import page, see_other
from server.web.visit import HOME, LOGIN, Visit

blueprint = Blueprint("console")
SESSION, SIGNING_IN = "session", "signing-in"
_OWN_PAGE = re.compile(r"/console(?:/[0-9A-Za-z_-]+)*(?:\?[0-9A-Za-z_.~%&=+-]*)?", re.ASCII)
_ACT = re.compile(r"/(?:accept|answer|logout|resend|handle|restore|issue|revoke|ask|decide)$")
_FIELDS = 200


class StalePage(Denied):
    code = "stale_page"
    title = "这个页面已经过期，刚才的操作没有执行。请返回后刷新页面，再试一次"


Room = Callable[..., Coroutine[Any, Any, HTTPResponse]]


def staff_only(
    *roles: Role, file_after: Callable[..., Awaitable[object]] | None = None
) -> Callable[[Callable[..., Awaitable[HTTPResponse]]], Room]:
    """A room for these roles (for all without any). A hidden button is no lock: this is.

    With `file_after` it takes a file, which is read once that has let the member in; its route streams.
    """
    allowed = frozenset(roles or Role)

    def guard(handler: Callable[..., Awaitable[HTTPResponse]]) -> Room:
        async def enter(request: Request, **path: str) -> HTTPResponse:
            form = read_form(request)
            found = await service.session_of(cookie(request, SESSION))
            if found is None:
                return _signed_out(request, form)
            request.ctx.visit = visit = Visit(*found, form)
            if visit.member.role not in allowed:
                raise Denied
            if file_after:
                await file_after(visit.member, **path)
                upload = await uploads.receive(request)
                visit = replace(visit, form=upload.fields, upload=upload)
            if request.method == "POST" and not _same(visit.form.get("csrf", ""), visit.csrf):
                raise StalePage
            return await handler(request, visit, **path)

        seconds = uploads.WHOLE_SECONDS if file_after else DEADLINE_SECONDS
        return wraps(handler)(_framed(enter, seconds))

    return guard


def _framed(
    handler: Callable[..., Awaitable[HTTPResponse]], seconds: float = DEADLINE_SECONDS
) -> Room:
    """Refusals inside the console's own frame, whatever the browser says it accepts."""

    async def endpoint(request: Request, **path: str) -> HTTPResponse:
        try:
            async with asyncio.timeout(seconds):
                return await handler(request, **path)
        except Refusal as refusal:
            return _refused(request, refusal)

    return wraps(handler)(endpoint)


def show(request: Request, template: str, status: int = 200, **shown: Any) -> HTTPResponse:
    """A page in the console's frame."""
    visit = getattr(request.ctx, "visit", None)
    return page(request, f"console/{template}", status, visit=visit, **shown)


def _refused(request: Request, refusal: Refusal) -> HTTPResponse:
    # A form that could not be read is not read again; of any other, what was typed is not lost.
    kept = "" if isinstance(refusal, TooLarge | Invalid) else _kept(request)
    back = _page_of_act(request)
    if back == request.path or isinstance(refusal, Missing):
        back = ""
    return show(
        request, "refused.html", refusal.status, refusal=refusal, kept=kept, again="", back=back
    )


def read_form(request: Request) -> dict[str, str]:
    """The last value of each field; line ends as everywhere else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != "application/x-www-form-urlencoded":
        return {}
    if len(request.body) > BODY_LIMIT:
        raise TooLarge
    try:
        pairs = parse_qsl(
            request.body.decode(), True, encoding="utf-8", errors="strict", max_num_fields=_FIELDS
        )
    except ValueError:
        raise BadBody("提交的内容不是合法的表单") from None
    form = {name: value.replace("\r\n", "\n") for name, value in pairs}
    refuse_nul(form)
    return form


def _same(given: str, expected: str) -> bool:
    return bool(expected) and secrets.compare_digest(given.encode(), expected.encode())


def own_page(address: str) -> str:
    """Where to go after signing in: a page of this console, or its home."""
    whole = _OWN_PAGE.fullmatch(address)
    return address if whole and not address.startswith(LOGIN) else HOME


_OF_ORDER = re.compile(
    r"(/orders/\w+|/suspicions/\d+|/accountability|/appeals/[\w-]+)/[\w/-]+$|/alerts/seen$",
    re.ASCII,
)


def _signed_out(request: Request, form: dict[str, str]) -> HTTPResponse:
    """To the sign-in, and back to this page after it. Words that were typed are shown, not lost."""
    asked = _page_of_act(request)
    if request.method == "GET" and request.query_string:
        asked += f"?{request.query_string}"
    ended = "&why=ended" if cookie(request, SESSION) else ""
    address = f"{LOGIN}?next={quote(own_page(asked), safe='/')}{ended}"
    kept = _kept(request, form) if ended else ""
    if kept:
        return show(request, "refused.html", 401, refusal=None, kept=kept, again=address, back="")
    response = see_other(address)
    if ended:
        set_cookie(request, response, SESSION, "")
    return response


def _page_of_act(request: Request) -> str:
    """From which the form came; a page itself."""
    asked = request.path
    return asked if request.method == "GET" else _ACT.sub("", _OF_ORDER.sub(r"\1", asked))


def _kept(request: Request, form: dict[str, str] | None = None) -> str:
    """What a member of staff typed into a form of ours that could not be taken."""
    form = read_form(request) if form is None else form
    words = "\n\n".join(v for name, v in form.items() if name.startswith("words_") and v)
    return (form.get("text") or form.get("reason") or words) if _from_here(request) else ""


def _from_here(request: Request) -> bool:
    """What the browser says of the sender. `Referrer-Policy: no-referrer` makes our own forms
    send `Origin: null`, and old engines send nothing: then the token alone decides."""
    site = request.headers.get("sec-fetch-site")
    if site:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin", "null")
    return origin == "null" or urlsplit(origin).netloc == request.headers.get("host")


@blueprint.get(LOGIN)
@_framed
async def login_page(request: Request) -> HTTPResponse:
    if await service.session_of(cookie(request, SESSION)):
        return see_other(own_page(request.args.get("next") or HOME))
    return _login(request, asked=request.args.get("next") or "", why=request.args.get("why") or "")


def _login(
    request: Request,
    status: int = 200,
    *,
    asked: str,
    why: str = "",
    wrong: str = "",
    name: str = "",
) -> HTTPResponse:
    """With a token in a cookie and the same in the form: nobody is signed in from elsewhere."""
    token = cookie(request, SIGNING_IN)
    if len(token) != 22:
        token = secrets.token_urlsafe(16)
    response = show(
        request, "login.html", status, token=token, next=own_page(asked), why=why, wrong=wrong,
        username=name,
    )  # fmt: skip
    set_cookie(request, response, SIGNING_IN, token)
    return response


@blueprint.post(LOGIN)
@_framed
async def login(request: Request) -> HTTPResponse:
    form = read_form(request)
    name, asked = form.get("username", "").strip()[:64], form.get("next", "")
    if not (_from_here(request) and _same(form.get("csrf", ""), cookie(request, SIGNING_IN))):
        return _login(request, 403, asked=asked, wrong="这个页面已经过期，请再登录一次", name=name)
    try:
        member = await service.sign_in(
            name, form.get("password", "")[:256], re.sub(r"\s", "", form.get("totp", ""))[:16],
            reuse_totp=request.app.ctx.settings.demo,
        )  # fmt: skip
    except service.WrongSignIn as refusal:
        return _login(request, 401, asked=asked, wrong=refusal.detail, name=name)
    await service.close_session(cookie(request, SESSION))
    response = see_other(own_page(asked))
    set_cookie(request, response, SESSION, await service.open_session(member))
    set_cookie(request, response, SIGNING_IN, "")
    return response


@blueprint.post("/console/logout")
@staff_only()
async def logout(request: Request, visit: Visit) -> HTTPResponse:
    await service.close_session(cookie(request, SESSION))
    response = see_other(f"{LOGIN}?why=bye")
    set_cookie(request, response, SESSION, "")
    return response
