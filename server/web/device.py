"""A random name that the browser keeps, so that many receipts rated from one device can be noticed.

It says nothing about the person, is sent to nobody else, and is stored only as a keyed hash, for the
policy's `trace_days`. Opening the page again does not prolong it; who keeps no cookies rates without.
"""

import re
import secrets

from sanic import HTTPResponse, Request

from server.kit.privacy import vault
from server.web.cookies import cookie, set_cookie

NAME, SECONDS = "device", 30 * 86_400
_OURS = re.compile(r"[\w-]{22}", re.ASCII)


def named(request: Request, response: HTTPResponse) -> HTTPResponse:
    """The response, with a name for a browser that has none yet."""
    if not _OURS.fullmatch(cookie(request, NAME)):
        set_cookie(
            request, response, NAME, secrets.token_urlsafe(16), SECONDS, from_links=True
        )  # fmt: skip
    return response


def key_of(request: Request) -> str | None:
    name = cookie(request, NAME)
    return vault().fingerprint(name, NAME) if _OURS.fullmatch(name) else None
