"""For operators: does the process answer, what does it stand on, how is it doing."""

import asyncio

import asyncpg
from sanic import Blueprint, HTTPResponse, Request
from sanic import json as json_answer
from tortoise.exceptions import BaseORMException

from server import database
from server.kit import metrics
from server.kit.errors import Missing
from server.kit.failures import DOWN

blueprint = Blueprint("health")


@blueprint.get("/healthz")
async def healthz(_: Request) -> HTTPResponse:
    return json_answer({"status": "ok"})


@blueprint.get("/readyz")
async def readyz(request: Request) -> HTTPResponse:
    """503 without database or migrations. Without Redis only the limits are open: still 200."""
    state = {"database": "ok", "redis": "ok", "migrations": "ok"}
    try:
        async with asyncio.timeout(2):
            if await database.pending_migrations():
                state["migrations"] = "pending"
    except (*DOWN, asyncpg.PostgresError, BaseORMException):
        state["database"] = state["migrations"] = "unreachable"
    if not await request.app.ctx.limiter.answers():
        state["redis"] = "unreachable"
    ready = state["database"] == state["migrations"] == "ok"
    whole = ready and state["redis"] == "ok"
    status = "ok" if whole else "degraded" if ready else "unavailable"
    return json_answer({"status": status} | state, 200 if ready else 503)


@blueprint.get("/metrics")
async def prometheus(request: Request) -> HTTPResponse:
    if not request.app.ctx.settings.metrics_public:
        raise Missing
    return HTTPResponse(metrics.exposition(), content_type="text/plain; version=0.0.4")
