"""Only in the demo: the phone on the screen, and the provider behind it."""

import asyncio
import json
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sanic import Blueprint, HTTPResponse, Request

from server.kit import beacon, forms, sql
from server.kit.clock import clock
from server.kit.errors import Fault, Invalid, Refusal, Unavailable
from server.kit.forms import Form
from server.kit.privacy import BrokenSeal, vault
from server.kit.web import local
from server.messages import desk
from server.messages.rules import OUTCOME_NAMES, Outcome
from server.settings import Settings
from server.web import demo
from server.web.page import page, see_other
from server.web.typed import fields, only
from server.workorders.rules import is_blank
from sms.callbacks import read_replies
from sms.gateway import Reply
from sms.phone import normalise
from sms.pocket import Pocket

blueprint = Blueprint("pocket")
PHONE = "/demo/phone"
LONGEST = 500
SHOWN = 200
_POST_SECONDS = 5.0
_UNREAD = 20
MORNING = 9


class NoPhone(Invalid):
    code = "invalid_phone"
    title = "请填 11 位手机号，或以 + 开头的国际号码"


class NoText(Invalid):
    code = "invalid_text"
    title = f"请写 1–{LONGEST} 个字"


class NotTaken(Unavailable):
    title = "短信回调没有答复，请稍后再试"


class ReplyForm(Form):
    text: str


_reply_form = forms.decoder(ReplyForm)


class Provider:
    """Pushes over the network like the real one, from wherever this process runs."""

    def __init__(self, settings: Settings) -> None:
        self.base_url = settings.base_url
        self._path = f"/callbacks/sms/{settings.sms_callback_secret}/up"
        self._phone = Pocket({}, clock.now)

    async def push(self, phone: str, text: str) -> tuple[int, bytes]:
        return await asyncio.to_thread(self._post, self._phone.reply(phone, text))

    def _post(self, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(self.base_url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_POST_SECONDS)
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException):
            raise NotTaken from None
        finally:
            connection.close()


def set_up(app: Any) -> None:
    app.blueprint(blueprint)
    app.ctx.provider = Provider(app.ctx.settings)


# For programs, as the contract says


@blueprint.get(f"{PHONE}/<phone>/messages", name="messages")
async def messages(request: Request, phone: str) -> HTTPResponse:
    found = await _received(_number(unquote(phone)))
    items = [{"at": local(at).isoformat(), "text": text} for at, text in found]
    return HTTPResponse(json.dumps(items, ensure_ascii=False), content_type="application/json")


@blueprint.post(f"{PHONE}/<phone>/replies", name="replies")
async def reply(request: Request, phone: str) -> HTTPResponse:
    number = _number(unquote(phone))
    form = forms.decode(_reply_form, request.body, request.headers.get("content-type", ""))
    status, body = await request.app.ctx.provider.push(number, _text(form.text))
    return HTTPResponse(body, status, content_type="application/json")


def _number(written: str) -> str:
    found = normalise(written)
    if found is None:
        raise NoPhone(errors=[Fault("phone", "invalid", NoPhone.title)])
    return found


def _text(written: str) -> str:
    if is_blank(written) or len(written) > LONGEST:
        raise NoText(errors=[Fault("text", "invalid", NoText.title)])
    return written


async def _received(phone: str) -> list[tuple[datetime, str]]:
    rows = await sql.fetch(
        "SELECT sent_at, content FROM sms_messages WHERE phone_key = ANY($1::text[]) "
        "AND state IN ('sent', 'delivered') AND content IS NOT NULL ORDER BY sent_at, id",
        vault().fingerprints(phone, "phone"),
    )
    return [(row["sent_at"], desk.opened(row["content"], "message")["text"]) for row in rows]


# For people


@blueprint.get(PHONE, name="phone")
async def phone(request: Request) -> HTTPResponse:
    written = (request.args.get("phone") or "").strip()[:24]
    return await _phone(request, written or await _last_in_the_hall())


@blueprint.post(PHONE, name="answer")
async def answer(request: Request) -> HTTPResponse:
    given = fields(request)
    written, text = only(given, "phone").strip()[:24], only(given, "text")
    try:
        number = _number(written)
        status, _ = await request.app.ctx.provider.push(number, _text(text))
        if status != 200:
            raise NotTaken
    except Refusal as refusal:
        return await _phone(request, written, refusal, text)
    return see_other(f"{PHONE}?phone={quote(number)}")


@blueprint.post(f"{PHONE}/clock", name="clock")
async def set_forward(request: Request) -> HTTPResponse:
    """The demo's clock, without leaving the phone."""
    given, now = fields(request), local(clock.now())
    seconds = demo.STEP_MINUTES * 60
    if only(given, "to") == "morning":
        morning = now.replace(hour=MORNING, minute=0, second=0)
        seconds = (morning - now) // timedelta(seconds=1) % 86_400
    await demo.follow_clock(await beacon.raise_by(demo.CLOCK, seconds))
    return see_other(f"{PHONE}?phone={quote(normalise(only(given, 'phone')) or '')}")


async def _phone(
    request: Request, written: str, refusal: Refusal | None = None, text: str = ""
) -> HTTPResponse:
    number = normalise(written) or ""
    if written and not number and refusal is None:
        refusal = NoPhone(errors=[Fault("phone", "invalid", NoPhone.title)])
    return page(
        request, "demo/phone.html", refusal.status if refusal else 200, refusal=refusal,
        written=written, number=number, text=text, bubbles=await _bubbles(number) if number else [],
        now=local(clock.now()), gateway=request.app.ctx.settings.sms_gateway, limit=LONGEST,
        step_minutes=demo.STEP_MINUTES, morning=MORNING,
    )  # fmt: skip


async def _last_in_the_hall() -> str:
    """The phone of the newest receipt that has one."""
    rows = await sql.fetch(
        "SELECT applicant FROM receipts WHERE phone_key IS NOT NULL AND applicant IS NOT NULL "
        "ORDER BY id DESC LIMIT 1"
    )
    found = desk.opened(rows[0]["applicant"], "applicant").get("phone") if rows else None
    return str(found or "")


async def _bubbles(phone: str) -> list[dict[str, Any]]:
    """Both sides of the talk, oldest first. By when a reply came to us: it names its second only."""
    sent = [{"at": at, "text": text, "mine": False} for at, text in await _received(phone)]
    both = [*sent, *await _read(phone), *await _on_their_way(phone)]
    return sorted(both, key=lambda bubble: bubble["at"])[-SHOWN:]


async def _read(phone: str) -> list[dict[str, Any]]:
    rows = await sql.fetch(
        "SELECT received_at, content, outcome FROM sms_replies "
        "WHERE phone_key = ANY($1::text[]) ORDER BY id",
        vault().fingerprints(phone, "phone"),
    )
    return [
        {"at": row["received_at"], "text": desk.opened(row["content"], "reply")["text"],
         "mine": True, "became": OUTCOME_NAMES[Outcome(row["outcome"])]}
        for row in rows
    ]  # fmt: skip


async def _on_their_way(phone: str) -> list[dict[str, Any]]:
    """What the worker has not read yet."""
    rows = await sql.fetch(
        "SELECT body, received_at FROM sms_pushes WHERE kind = 'up' AND read_at IS NULL "
        "ORDER BY id DESC LIMIT $1",
        _UNREAD,
    )
    return [
        {"at": row["received_at"], "text": item.text, "mine": True,
         "became": OUTCOME_NAMES[Outcome.NEW]}
        for row in reversed(rows) for item in _items(row["body"])
        if isinstance(item, Reply) and item.phone == phone
    ]  # fmt: skip


def _items(body: bytes) -> list[Any]:
    try:
        return list(read_replies(vault().unseal(body, "push")))
    except (BrokenSeal, ValueError):
        return []
