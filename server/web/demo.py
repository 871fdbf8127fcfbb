"""Only in the demo: its hall, and its clock."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request
from sanic import json as json_answer

from server.kit import beacon, forms
from server.kit.clock import clock
from server.kit.forms import Form

CLOCK = "demo_clock"
LONGEST_STEP = 10 * 366 * 86400
blueprint = Blueprint("demo")


class ClockForm(Form):
    advance_seconds: Annotated[int, Meta(ge=0, le=LONGEST_STEP)]


_clock_form = forms.decoder(ClockForm)


async def follow_clock(seconds: int) -> None:
    """The watcher of the clock's beacon in every process. Never backwards."""
    clock.advanced = max(clock.advanced, timedelta(seconds=seconds))


@blueprint.post("/demo/clock")
async def advance(request: Request) -> HTTPResponse:
    form = forms.decode(_clock_form, request.body, request.headers.get("content-type", ""))
    await follow_clock(await beacon.raise_by(CLOCK, form.advance_seconds))
    return json_answer({"now": clock.now().isoformat(timespec="seconds")})
