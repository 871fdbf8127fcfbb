"""The only place where pools, doors and refusals meet."""

import logging
import secrets
import time
from typing import Any

from sanic import HTTPResponse, Request, Sanic

from server import database
from server.appeals.api import door as appeals_door
from server.appeals.audit import door as audit_door
from server.appeals.evidence_api import door as evidence_door
from server.appeals.exclusions_api import door as exclusions_door
from server.appeals.hearing_api import door as hearing_door
from server.catalogue import service as catalogue
from server.grievances.api import door as grievances_door
from server.grievances.intake_api import door as intake_door
from server.integrity.audit import door as checks_door
from server.integrity.objections_api import door as objections_door
from server.integrity.pressures_api import door as pressures_door
from server.integrity.suspicions_api import door as suspicions_door
from server.kit import limits, log, metrics, openapi
from server.kit.beacon import Beacons
from server.kit.errors import Unavailable
from server.kit.failures import refusal_of
from server.kit.privacy import open_vault
from server.kit.web import BATCH_LIMIT, problem, request_id
from server.kit.wechat import wechat_of
from server.messages.api import door as messages_door
from server.messages.grants_api import door as grants_door
from server.people.api import door as people_door
from server.people.wechat_api import door as wechat_door
from server.receipts.api import door as receipts_door
from server.reviews.api import door as reviews_door
from server.reviews.kiosk_api import door as kiosk_door
from server.reviews.mine_api import door as me_door
from server.reviews.questionnaire_api import door as questionnaire_door
from server.reviews.tracking import door as track_door
from server.reviews.verification_api import door as verification_door
from server.reviews.walls_api import door as walls_door
from server.settings import Settings
from server.web import pages
from server.workorders.api import door as orders_door
from server.workorders.handling_api import door as handling_door
from server.workorders.ruling_api import door as ruling_door
from server.workorders.supervision_api import door as supervision_door

logger = logging.getLogger(__name__)
DOORS = (
    people_door, wechat_door, receipts_door, reviews_door, track_door, walls_door, me_door,
    grants_door, questionnaire_door, orders_door, handling_door, ruling_door, supervision_door,
    verification_door, audit_door, messages_door, kiosk_door, suspicions_door, checks_door,
    appeals_door, hearing_door, exclusions_door, evidence_door, grievances_door, intake_door,
    objections_door, pressures_door,
)  # fmt: skip
_ALWAYS = {"X-Content-Type-Options": "nosniff"}
_PAGES = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NEVER_SHOWN = frozenset({"application/json", "application/problem+json", "text/event-stream"})
"""Content that no browser renders: the headers of a page cost more than the answer."""
_ONLY_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


def create_app(settings: Settings, name: str = "haochaping") -> Sanic:
    app: Any = Sanic(name, configure_logging=False)
    app.config.update(
        REQUEST_MAX_SIZE=BATCH_LIMIT, REQUEST_TIMEOUT=10, RESPONSE_TIMEOUT=12, KEEP_ALIVE_TIMEOUT=30,
        GRACEFUL_SHUTDOWN_TIMEOUT=3.0, ACCESS_LOG=False, MOTD=False, AUTO_EXTEND=False,
        FALLBACK_ERROR_FORMAT="json", PROXIES_COUNT=settings.trusted_proxies or None, OAS=False,
        INSPECTOR=False, USE_UVLOOP=True,
    )  # fmt: skip
    open_vault(settings.keys)
    app.ctx.settings = settings
    app.ctx.limiter = limits.Limiter(limits.client(settings.redis_url))
    app.ctx.wechat = wechat_of(settings)
    for door in DOORS:
        app.blueprint(door.blueprint)
    app.ctx.openapi = openapi.describe(DOORS, base_url=settings.base_url)
    pages.set_up(app)
    _set_up_pools(app, settings)
    _set_up_refusals(app)
    _set_up_watching(app, secure=settings.base_url.startswith("https:"))
    return app


def _set_up_pools(app: Any, settings: Settings) -> None:
    beacons = Beacons({catalogue.BEACON: catalogue.watch} | pages.watchers(settings))

    async def start(app: Any) -> None:
        await database.connect(settings)
        await beacons.first_look()
        for setting in await database.careless_settings():
            logger.error("the database may lose what it acknowledged", extra={"reason": setting})
        app.add_task(beacons.watch(), name="beacons")

    async def stop(app: Any) -> None:
        await app.cancel_task("beacons", raise_exception=False)
        await database.disconnect()
        await app.ctx.limiter.close()
        if app.ctx.wechat:
            await app.ctx.wechat.close()

    app.before_server_start(start)
    app.before_server_stop(stop)


def _set_up_refusals(app: Any) -> None:
    async def refuse(request: Request, error: Exception) -> HTTPResponse:
        refusal = refusal_of(error)
        if refusal.status >= 500 and not isinstance(refusal, Unavailable):
            logger.error("unexpected error", exc_info=error)
        if pages.wants_page(request):
            return pages.refused(request, refusal)
        return problem(refusal, request_id(request))

    app.error_handler.add(Exception, refuse)


def _set_up_watching(app: Any, *, secure: bool) -> None:
    always = _ALWAYS | (_ONLY_HTTPS if secure else {})

    async def begin(request: Request) -> None:
        request.ctx.started = time.perf_counter()
        request.ctx.id = secrets.token_hex(8)
        log.request_id.set(request.ctx.id)

    async def end(request: Request, response: HTTPResponse) -> None:
        response.headers.update(always)
        if response.content_type not in _NEVER_SHOWN:
            for name, value in _PAGES.items():
                response.headers.setdefault(name, value)  # a stricter one stands
        response.headers["X-Request-ID"] = request_id(request)
        if "cache-control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        # The route as it was declared: the path itself may hold a citizen's code.
        route = f"/{request.route.path}" if request.route else "(none)"
        taken = time.perf_counter() - getattr(request.ctx, "started", time.perf_counter())
        method = request.method if request.route else "-"
        metrics.requests.labels(method, route, response.status).inc()
        metrics.seconds.labels(route).observe(taken)
        logger.info(
            "request",
            extra={"method": method, "route": route, "status": response.status, "ms": round(taken * 1000, 1)},
        )  # fmt: skip

    app.on_request(begin)
    app.on_response(end)
