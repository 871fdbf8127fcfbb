"""The slip's page: rate one service, without an account and without JavaScript."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from asyncpg import Record
from sanic import Blueprint, HTTPResponse, Request
from sanic import text as text_answer

from server.catalogue.service import catalogue
from server.kit import idempotency
from server.kit.errors import Conflict, Fault, Gone, Invalid, Missing, Refusal
from server.kit.privacy import vault
from server.kit.web import local
from server.reviews import rules, service
from server.reviews.api import (
    ContactForm,
    ReviewForm,
    levels_shown,
    receipt_behind,
    receipt_shown,
    verdict_of,
)  # fmt: skip
from server.web import device
from server.web.page import page, refused, see_other
from server.web.typed import Fields, fields, only

blueprint = Blueprint("citizen")
_ATTEMPT = re.compile(r"[\w-]{16,64}", re.ASCII)


class LevelRequired(Invalid):
    code = "level_required"
    title = "请先选择您是否满意"


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The form as it was filled in, to be shown again."""

    level: int | None = None
    tags: tuple[str, ...] = ()
    """Of every level: the hidden boxes of another one stay ticked, and are not sent with the review."""
    chosen: tuple[str, ...] = ()
    comment: str = ""
    real_name: bool = False
    name: str = ""
    phone: str = ""
    attempt: str
    """Names this form, so that sending it twice is one review."""
    step: str = ""

    def verdict(self) -> service.Verdict:
        if self.level is None:
            raise LevelRequired(errors=[Fault("level", "level_required", "请在五个表情中选一个")])
        # Whoever went back to anonymous gives no name, whatever still stands in the hidden fields.
        contact = ContactForm(name=self.name, phone=self.phone) if self.real_name else None
        return verdict_of(ReviewForm(
            level=self.level, tags=list(self.chosen), comment=self.comment,
            real_name=self.real_name, contact=contact,
        ))  # fmt: skip


def typed_of(given: Fields) -> Typed:
    """Reads the form; what cannot be meant counts as not filled in."""
    level = only(given, "level")
    boxes = {n: given.get(f"tags{n}", []) for n in rules.LEVEL_NAMES}
    chosen = [*given.get("tags", []), *given.get(f"tags{level}", [])]
    attempt = only(given, "attempt")
    return Typed(
        level=int(level) if level in {"1", "2", "3", "4", "5"} else None,
        tags=tuple(sum(boxes.values(), given.get("tags", []))), chosen=tuple(chosen),
        comment=only(given, "comment"), real_name=only(given, "real_name") == "1",
        name=only(given, "name")[:100], phone=only(given, "phone").strip()[:24],
        attempt=attempt if _ATTEMPT.fullmatch(attempt) else new_attempt(), step=only(given, "step"),
    )  # fmt: skip


def new_attempt() -> str:
    return secrets.token_urlsafe(15)


@blueprint.exception(Refusal)
async def refuse(request: Request, refusal: Refusal) -> HTTPResponse:
    """In words, whatever the caller says he accepts."""
    return refused(request, refusal)


@blueprint.get("/e/<name:ext=txt>", name="wechat_check_file")
async def wechat_check_file(request: Request, name: str, ext: str) -> HTTPResponse:
    """WeChat asks for it below the address of its rule for ordinary QR codes."""
    return check_file(request, f"{name}.{ext}")


def check_file(request: Request, name: str) -> HTTPResponse:
    files = request.app.ctx.settings.wechat_check_files
    if name not in files:
        raise Missing
    return text_answer(files[name])


@blueprint.get("/e/<code>", name="review_form")
async def review_form(request: Request, code: str) -> HTTPResponse:
    receipt = await receipt_behind(request, code)
    response = await _form(request, receipt, Typed(attempt=new_attempt()))
    return device.named(request, response)


@blueprint.post("/e/<code>", name="review_sent")
async def review_sent(request: Request, code: str) -> HTTPResponse:
    """A bad one is asked once more; the same form sent twice is the same review."""
    typed = typed_of(fields(request))
    receipt = await receipt_behind(request, code)
    if typed.step == "edit":
        return await _form(request, receipt, typed)
    try:
        verdict = service.checked(typed.verdict(), receipt)
        if rules.is_bad(verdict.level) and typed.step != "confirm":
            return await _confirmation(request, receipt, typed, verdict)
        taken = await service.submit(
            code, verdict, attempt=_attempt(code, typed, verdict), device_key=device.key_of(request)
        )
    except (Invalid, Conflict, Gone) as refusal:
        return await _form(request, receipt, typed, refusal)
    return see_other(f"/t/{taken.query_code}")


def _attempt(code: str, typed: Typed, verdict: service.Verdict) -> service.Attempt:
    return service.Attempt(
        vault().fingerprint(f"{code}\n{typed.attempt}", "idempotency"),
        idempotency.digest("POST", "/e", repr(verdict).encode(errors="replace")),
    )


async def _form(
    request: Request, receipt: Record, typed: Typed, refusal: Refusal | None = None
) -> HTTPResponse:
    return await _if_open(
        request, receipt, "review.html", status=refusal.status if refusal else 200,
        levels=levels_shown(), typed=typed, refusal=refusal, has_phone=bool(receipt["phone_key"]),
    )  # fmt: skip


async def _confirmation(
    request: Request, receipt: Record, typed: Typed, verdict: service.Verdict
) -> HTTPResponse:
    return await _if_open(
        request, receipt, "review_confirm.html", typed=typed, verdict=verdict,
        level_name=rules.LEVEL_NAMES[verdict.level],
        tag_texts=[catalogue().tag_text(code) for code in verdict.tags],
        undo_minutes=catalogue().policy(receipt["region_code"]).undo_minutes,
    )  # fmt: skip


_OVER = {"reviewed": ("reviewed.html", 409), "closed": ("closed.html", 410)}


async def _if_open(
    request: Request, receipt: Record, template: str, status: int = 200, **shown: Any
) -> HTTPResponse:
    """The page, or the one that says why there is nothing to fill in; never what was rated."""
    open_ = await service.openness_of(receipt)
    if open_.state in _OVER:
        template, refused_with = _OVER[open_.state]
        status = 200 if request.method == "GET" else refused_with
        shown = {}
    return page(
        request, template, status, receipt=receipt_shown(receipt),
        open_until=local(open_.until), **shown,
    )  # fmt: skip
