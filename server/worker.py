"""The table of jobs: what is done without being asked, and when."""

import asyncio
import json
import logging
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from pgqueuer import PgQueuer
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job, Schedule
from tortoise import connections

from server import database
from server.catalogue import service as catalogue
from server.kit import idempotency, jobs, metrics
from server.kit.beacon import Beacons
from server.kit.failures import DOWN
from server.kit.privacy import open_vault
from server.people import service as people
from server.settings import Settings
from server.web import pages
from server.workorders import service as workorders

log = logging.getLogger(__name__)
POLL = timedelta(seconds=0.2)
ABANDONED = timedelta(seconds=8)
"""A job whose worker gave no sign for so long is taken by another."""
ATTEMPTS = 10
LOOK_SECONDS = 5.0
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=10)
COMMAND_SECONDS = 30.0
"""A job may take longer than a request."""


async def forget() -> int:
    """What was kept for a time: answers to Idempotency-Keys, sessions that have ended."""
    return await idempotency.forget_old() + await people.forget_sessions()


async def redate(year: int) -> int:
    """A calendar came or changed: the due times of open orders are computed anew."""
    await catalogue.load()
    return await workorders.redate({year})


CRON: dict[str, tuple[str, Callable[[], Awaitable[int]]]] = {"forget": ("17 * * * *", forget)}
JOBS: dict[str, Callable[..., Awaitable[int]]] = {"redate": redate}


async def _run(name: str, work: Awaitable[int], attempts: int = ATTEMPTS) -> None:
    """One more try after a growing wait, whatever went wrong; then the job is held for a person."""
    try:
        done = await work
    except Exception as error:
        metrics.jobs.labels(name, "failed").inc()
        log.exception("job failed", extra={"job": name, "count": attempts})
        if attempts < ATTEMPTS:
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2**attempts)
            raise RetryRequested(wait, reason=type(error).__name__) from error
        raise
    metrics.jobs.labels(name, "done").inc()
    log.info("job done", extra={"job": name, "count": done})


async def _find_lost_jobs() -> None:
    while True:
        try:
            if found := await jobs.find_lost(ATTEMPTS):
                log.warning("lost jobs found again", extra={"count": found})
        except DOWN:
            log.warning("the database does not answer; lost jobs are looked for later")
        await asyncio.sleep(LOOK_SECONDS)


def _table(pool: Any) -> PgQueuer:
    queue = PgQueuer.from_asyncpg_pool(pool)
    for name, (when, work) in CRON.items():

        async def scheduled(_: Schedule, name: str = name, work: Any = work) -> None:
            await _run(name, work())

        queue.schedule(name, when)(scheduled)
    for name, job_work in JOBS.items():

        async def queued(job: Job, name: str = name, work: Any = job_work) -> None:
            await _run(name, work(**json.loads(job.payload or b"{}")), job.attempts)

        queue.entrypoint(name, concurrency_limit=1, on_failure="hold")(queued)
    return queue


async def work(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT; ends with an error, to be started again, if the database goes."""
    open_vault(settings.keys)
    await database.connect(settings, command_seconds=COMMAND_SECONDS)
    beacons = Beacons({catalogue.BEACON: catalogue.watch} | pages.watchers(settings))
    await beacons.first_look()
    client: Any = connections.get("default")
    queue = _table(client._pool)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, queue.shutdown.set)
    watching = [asyncio.create_task(beacons.watch()), asyncio.create_task(_find_lost_jobs())]
    log.info("worker started")
    try:
        await queue.run(dequeue_timeout=POLL, batch_size=50, heartbeat_timeout=ABANDONED)
    finally:
        for task in watching:
            task.cancel()
        await database.disconnect()
