"""The table of jobs: what is done without being asked, and when."""

import asyncio
import json
import logging
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from pgqueuer import PgQueuer
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job, Schedule
from tortoise import connections

from server import database
from server.appeals import cases, telling, watch
from server.catalogue import service as catalogue
from server.integrity import fading, proofs, repeated, suspicions
from server.integrity import watch as integrity_watch
from server.kit import idempotency, jobs, metrics
from server.kit.beacon import Beacons
from server.kit.clock import clock
from server.kit.errors import Unavailable
from server.kit.failures import refusal_of
from server.kit.privacy import open_vault
from server.kit.wechat import WeChat, wechat_of
from server.messages import forgetting, inbox, notices, outbox
from server.messages.delivery import deliver
from server.messages.gateways import PocketReports, gateway_of
from server.people import service as people
from server.receipts import voiding
from server.reviews import (
    callbacks,
    closing,
    defaults,
    invitations,
    news,
    questions,
    replies,
    sampling,
    sms_reviews,
    word_checks,
)
from server.settings import Settings
from server.web import pages
from server.workorders import calendar_alarm, escalation
from server.workorders import service as workorders
from sms.gateway import Gateway
from sms.pocket import Pocket

log = logging.getLogger(__name__)
POLL = timedelta(seconds=0.2)
ABANDONED = timedelta(seconds=8)
"""A job whose worker gave no sign for so long is taken by another."""
ATTEMPTS = 10
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=10)
COMMAND_SECONDS = 30.0
"""A job may take longer than a request."""
SENDING = 32
"""Messages at the provider at one time, over all workers: it thinks for up to seconds, and those of a
worker that died count until they are ABANDONED."""
Work = Callable[..., Awaitable[int]]


async def forget() -> int:
    """What was kept for a time: answers to Idempotency-Keys, sessions that have ended, messages."""
    now = clock.now()
    messages = sum((await forgetting.forget(now)).values())
    asked = await questions.forget(now - timedelta(days=forgetting.longest_days()))
    asked += await proofs.forget()
    return await idempotency.forget_old() + await people.forget_sessions() + messages + asked


async def redate(year: int) -> int:
    """A calendar came or changed: the due times of open orders are computed anew."""
    await catalogue.load()
    redated = await workorders.redate({year}) + await callbacks.redate() + await cases.redate()
    await escalation.forget()
    return redated


async def send(gateway: Gateway | None, message: str) -> int:
    return await deliver(UUID(hex=message), wanted=telling.still_wanted, gateway=gateway)


async def notify(wechat: WeChat | None, settings: Settings, notice: str) -> int:
    return await notices.deliver(
        UUID(hex=notice), wechat=wechat, templates=settings.wechat_templates,
        otherwise=news.by_phone,
    )  # fmt: skip


async def read_push() -> int:
    """What came in, and at once what it means."""
    return await inbox.read() + await replies.converse()


async def find_lost_jobs() -> int:
    if found := await jobs.find_lost(ATTEMPTS):
        log.warning("lost jobs found again", extra={"count": found})
    return found


CRON: dict[str, tuple[str, Work]] = {
    "forget": ("17 * * * *", forget),
    "watch_calendar": ("27 * * * *", calendar_alarm.watch),
    "list_officers": ("37 * * * *", repeated.list_officers),
    "watch_late": ("47 * * * *", integrity_watch.watch_late),
    "forget_traces": ("57 * * * *", fading.forget),
}
JOBS: dict[str, Work] = {
    "redate": redate, "read_push": read_push, workorders.NEWS: news.tell, telling.JOB: telling.tell,
    voiding.JOB: invitations.end_of_voided,
}  # fmt: skip
AT_ONCE = {"send": SENDING, "read_push": 4, notices.JOB: 8}
"""Of other jobs one at a time."""
TICKS: dict[str, tuple[float, Work]] = {
    "find_lost_jobs": (5, find_lost_jobs),
    "find_due_messages": (1, outbox.find_due),
    "find_due_notices": (1, notices.find_due),
    "find_unread_pushes": (1, inbox.find_unread),
    "invite": (1, invitations.invite),
    "ask": (1, invitations.ask),
    "converse": (2, replies.converse),
    "end_questions": (1, invitations.end_questions),
    "end_unsent": (5, invitations.end_unsent),
    "call_back": (2, sms_reviews.call_back),
    "rate_by_default": (2, defaults.rate),
    "escalate": (1, escalation.escalate),
    "close_silent": (2, closing.close_silent),
    "draw_samples": (5, sampling.Draws().draw),
    "end_call_backs": (5, callbacks.give_up),
    "warn_of_suspicions": (5, suspicions.warn),
    "watch_appeals": (2, watch.watch),
    "watch_ratings": (5, integrity_watch.watch),
}
"""Every so many seconds, in every worker. What falls due by the application's clock is done here:
pgqueuer's schedules have minutes and the database's clock."""


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


async def tick(name: str, seconds: float, work: Work) -> None:
    """For ever, whatever goes wrong."""
    while True:
        try:
            await work()
        except Exception as error:
            if isinstance(refusal_of(error), Unavailable):
                log.warning("the database does not answer; later", extra={"job": name})
            else:
                metrics.jobs.labels(name, "failed").inc()
                log.exception("job failed", extra={"job": name})
        await asyncio.sleep(seconds)


def _table(pool: Any, table: dict[str, Work]) -> PgQueuer:
    queue = PgQueuer.from_asyncpg_pool(pool)
    for name, (when, work) in CRON.items():

        async def scheduled(_: Schedule, name: str = name, work: Any = work) -> None:
            await _run(name, work())

        queue.schedule(name, when)(scheduled)
    for name, job_work in table.items():

        async def queued(job: Job, name: str = name, work: Any = job_work) -> None:
            await _run(name, work(**json.loads(job.payload or b"{}")), job.attempts)

        at_once = AT_ONCE.get(name, 1)
        queue.entrypoint(name, concurrency_limit=at_once, on_failure="hold")(queued)
    return queue


def _ticks(
    settings: Settings, gateway: Gateway | None, wechat: WeChat | None
) -> dict[str, tuple[float, Work]]:
    ticks = dict(TICKS)
    if isinstance(gateway, Pocket):
        ticks["report_of_pocket"] = (1, PocketReports(gateway, settings).tell)
    if wechat:
        ticks["check_words"] = (2, partial(word_checks.check, wechat))
    return ticks


async def work(settings: Settings, gateway: Gateway | None = None) -> None:
    """Runs until SIGTERM or SIGINT; ends with an error, to be started again, if the database goes.
    Sends over the gateway of the settings, or over one that is given."""
    open_vault(settings.keys)
    await database.connect(settings, command_seconds=COMMAND_SECONDS)
    beacons = Beacons({catalogue.BEACON: catalogue.watch} | pages.watchers(settings))
    await beacons.first_look()
    client: Any = connections.get("default")
    gateway = gateway or gateway_of(settings)
    wechat = wechat_of(settings)
    table = JOBS | {
        "send": partial(send, gateway), notices.JOB: partial(notify, wechat, settings),
        workorders.NEWS: partial(news.tell, by_wechat=settings.wechat_templates if wechat else ()),
    }  # fmt: skip
    queue = _table(client._pool, table)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(SENDING))
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, queue.shutdown.set)
    watching = [asyncio.create_task(beacons.watch())]
    for name, (seconds, ticked) in _ticks(settings, gateway, wechat).items():
        watching.append(asyncio.create_task(tick(name, seconds, ticked)))
    log.info("worker started")
    try:
        await queue.run(dequeue_timeout=POLL, batch_size=50, heartbeat_timeout=ABANDONED)
    finally:
        for task in watching:
            task.cancel()
        if wechat:
            await wechat.close()
        await database.disconnect()
