"""All pages of the house, hung into the application."""

from typing import Any

from server.kit.beacon import Watcher
from server.settings import Settings
from server.web import (
    audit,
    citizen,
    console,
    demo,
    desk,
    docs,
    health,
    kiosk,
    kiosk_keys,
    messages,
    objection,
    pocket,
    pressure,
    questionnaire,
    questionnaire_room,
    track,
    wall,
    wall_posters,
)
from server.web.page import HERE, refused, wants_page


def set_up(app: Any) -> None:
    app.static("/static", HERE / "static", name="static")
    for room in (citizen, wall, wall_posters, track, console, desk, audit, messages, docs, health):
        app.blueprint(room.blueprint)
    for room in (questionnaire, questionnaire_room, objection, pressure):
        app.blueprint(room.blueprint)
    app.blueprint(kiosk_keys.blueprint)
    kiosk.set_up(app)
    if app.ctx.settings.demo:
        app.blueprint(demo.blueprint)
        pocket.set_up(app)


def watchers(settings: Settings) -> dict[str, Watcher]:
    return {demo.CLOCK: demo.follow_clock} if settings.demo else {}


__all__ = ["refused", "set_up", "wants_page", "watchers"]
