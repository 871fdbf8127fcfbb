"""All pages of the house, hung into the application."""

from typing import Any

from server.kit.beacon import Watcher
from server.settings import Settings
from server.web import (
    appeal_form,
    appeals_room,
    audit,
    citizen,
    console,
    demo,
    desk,
    docs,
    doors,
    evidence,
    exclusions_room,
    health,
    intake,
    kiosk,
    kiosk_keys,
    messages,
    objection,
    paper,
    paper_entry,
    pocket,
    pressure,
    questionnaire,
    questionnaire_room,
    suspicions,
    track,
    track_appeal,
    voids,
    wall,
    wall_posters,
)
from server.web.page import HERE, refused, wants_page


def set_up(app: Any) -> None:
    app.static("/static", HERE / "static", name="static")
    for room in (citizen, wall, wall_posters, track, console, desk, audit, messages, docs, health):
        app.blueprint(room.blueprint)
    for room in (questionnaire, questionnaire_room, paper, paper_entry, doors, objection, pressure):
        app.blueprint(room.blueprint)
    for room in (track_appeal, appeal_form, appeals_room, exclusions_room):
        app.blueprint(room.blueprint)
    for room in (kiosk_keys, evidence, suspicions, voids):
        app.blueprint(room.blueprint)
    app.blueprint(intake.blueprint)
    kiosk.set_up(app)
    if app.ctx.settings.demo:
        app.blueprint(demo.blueprint)
        pocket.set_up(app)


def watchers(settings: Settings) -> dict[str, Watcher]:
    return {demo.CLOCK: demo.follow_clock} if settings.demo else {}


__all__ = ["refused", "set_up", "wants_page", "watchers"]
