"""What all pages share: templates, large type, and the tone of a refusal."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sanic import HTTPResponse, Request

from server.kit.errors import Refusal
from server.kit.web import local, request_id

HERE = Path(__file__).parent
LARGE_COOKIE = "large"
"""关怀模式: kept a year on this device, says nothing about the person."""


def _moment(moment: datetime) -> str:
    return f"{local(moment):%Y-%m-%d %H:%M}"


def _day(day: date | datetime) -> str:
    shown = local(day) if isinstance(day, datetime) else day
    return f"{shown.year}年{shown.month}月{shown.day}日"


_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True,
    lstrip_blocks=True, undefined=StrictUndefined,
)  # fmt: skip
_templates.filters["moment"] = _moment
_templates.filters["day"] = _day


def page(request: Request, template: str, status: int = 200, **shown: Any) -> HTTPResponse:
    """Renders a template; every one knows `large`, `path` and `demo`."""
    text = _templates.get_template(template).render(
        large=is_large(request), path=request.path, demo=request.app.ctx.settings.demo, **shown
    )
    response = HTTPResponse(text, status, content_type="text/html; charset=utf-8")
    if request.args.get("large") in ("0", "1"):
        response.add_cookie(
            LARGE_COOKIE, request.args.get("large"), max_age=31_536_000, httponly=True,
            samesite="Lax", secure=request.app.ctx.settings.base_url.startswith("https"),
        )  # fmt: skip
    return response


def is_large(request: Request) -> bool:
    return (request.args.get("large") or request.cookies.get(LARGE_COOKIE)) == "1"


def see_other(address: str) -> HTTPResponse:
    """POST → 303 → GET."""
    return HTTPResponse(status=303, headers={"Location": address}, content_type="text/plain")


def wants_page(request: Request) -> bool:
    """Whoever is not a program: outside /api, and with a browser's Accept or a form."""
    if request.path.startswith(
        ("/api/", "/callbacks/", "/healthz", "/readyz", "/metrics", "/openapi")
    ):
        return False
    accept = request.headers.get("accept", "")
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return "text/html" in accept or form


def refused(request: Request, refusal: Refusal) -> HTTPResponse:
    """A refusal as a page: what happened, in kind words, and where to go from here."""
    response = page(
        request, "refused.html", refusal.status, refusal=refusal, request_id=request_id(request)
    )
    if refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
