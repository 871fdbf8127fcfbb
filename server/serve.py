"""One server process. More of them, and their restarts, are an outside supervisor's work."""

import asyncio
import ipaddress
import os

from prometheus_client import start_http_server

from server import database
from server.app import create_app
from server.demo import marks
from server.kit import metrics
from server.settings import BadSetting, Settings


def check_demo(settings: Settings) -> None:
    """The demo has published secrets and a movable clock: loopback only, and nothing real in reach."""
    if not settings.demo:
        return
    if not _is_loopback(settings.host):
        raise BadSetting(f"DEMO=1 binds to loopback only, HOST is {settings.host!r}")
    marks.check_surroundings(settings, os.environ)
    asyncio.run(_check_demo_database(settings))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _check_demo_database(settings: Settings) -> None:
    await database.connect(settings)
    try:
        await marks.demo_rows_only()
    finally:
        await database.disconnect()


def serve(settings: Settings) -> None:
    check_demo(settings)
    app = create_app(settings)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host, registry=metrics.registry)
    app.run(
        host=settings.host,
        port=settings.port,
        single_process=True,
        access_log=False,
        motd=False,
        debug=False,
        auto_reload=False,
    )
