"""Cookies out of reach of scripts and other sites."""

from sanic import HTTPResponse, Request


def is_secure(request: Request) -> bool:
    return bool(request.app.ctx.settings.base_url.startswith("https"))


def _named(request: Request, name: str) -> str:
    """With the prefix no neighbouring host can plant it; browsers keep that only over TLS."""
    return f"__Host-{name}" if is_secure(request) else name


def cookie(request: Request, name: str) -> str:
    return str(request.cookies.get(_named(request, name)) or "")


def set_cookie(
    request: Request, response: HTTPResponse, name: str, value: str, seconds: int | None = None, *,
    from_links: bool = False,
) -> None:  # fmt: skip
    """Until the browser is closed, or for so long; an empty value takes it away. `from_links`: also
    sent when a link on another site leads here."""
    response.add_cookie(
        _named(request, name), value, path="/", httponly=True,
        samesite="Lax" if from_links else "Strict",
        secure=is_secure(request), max_age=seconds if value else 0,
    )  # fmt: skip
