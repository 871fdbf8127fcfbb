"""What the worker does every second goes on whatever happens, and what it does is wired."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import asyncpg
import pytest
from factories import REGION, City
from messages.conftest import MORNING, set_clock
from messages.letters_out import posted, row_of, wanted

from server import worker
from server.catalogue.service import catalogue
from server.kit import jobs, sql
from server.kit.clock import clock
from server.messages.delivery import deliver
from server.messages.gateways import Approved, PocketReports, gateway_of, own_code
from server.messages.inbox import keep, read
from server.messages.rules import Purpose
from server.settings import Settings
from sms.aliyun import Aliyun
from sms.pocket import Pocket

SECRET = "callback-secret-of-24-chars"


# Ticks


@pytest.mark.parametrize(
    "error", [asyncpg.CannotConnectNowError("no"), TimeoutError(), OSError(), ValueError("bug")]
)
async def test_a_tick_goes_on_whatever_went_wrong(error: Exception) -> None:
    times: list[int] = []

    async def work() -> int:
        times.append(1)
        if len(times) == 1:
            raise error
        return 0

    ticking = asyncio.create_task(worker.tick("a tick", 0.01, work))
    async with asyncio.timeout(2):
        while len(times) < 3:
            await asyncio.sleep(0.01)
    ticking.cancel()


async def test_every_tick_has_nothing_to_do_in_an_empty_city(city: City) -> None:
    for name, (seconds, work) in worker.TICKS.items():
        assert await work() == 0, name
        assert seconds <= 5, "what falls due is done within five seconds"


async def test_a_job_that_was_parked_beside_its_twin_is_not_queued_twice(city: City) -> None:
    for _ in range(3):
        await jobs.enqueue("send", once_as="send:1")
        await sql.fetch("UPDATE pgqueuer SET status = 'failed'")
    assert await jobs.find_lost(worker.ATTEMPTS) == 1
    await sql.fetch("UPDATE pgqueuer SET status = 'failed'")
    await jobs.enqueue("send", once_as="send:1")
    assert await jobs.find_lost(worker.ATTEMPTS) == 0
    rows = await sql.fetch("SELECT status FROM pgqueuer")
    assert [row["status"] for row in rows] == ["queued"]


# Gateways


def test_the_gateway_is_what_the_settings_say(servers: Settings) -> None:
    assert gateway_of(servers) is None
    assert isinstance(gateway_of(replace(servers, sms_gateway="pocket")), Pocket)
    aliyun = replace(servers, sms_gateway="aliyun", aliyun_key_id="id", aliyun_secret="secret")
    assert isinstance(gateway_of(aliyun), Aliyun)


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_the_pocket_takes_every_wording_that_we_ship(
    city: City, servers: Settings, purpose: Purpose
) -> None:
    set_clock(MORNING)
    message_id = await posted(purpose)
    gateway = gateway_of(replace(servers, sms_gateway="pocket"))
    assert await deliver(message_id, wanted=wanted, gateway=gateway) == 1
    assert (await row_of(message_id))["state"] == "sent"


async def test_the_pocket_knows_wordings_and_no_other_codes(city: City) -> None:
    approved = Approved()
    text = catalogue().wording(REGION, "notice", 1).text
    assert approved.get(own_code(REGION, "notice")) == text
    assert approved.get("SMS_NONE") is approved.get("") is approved.get("990100000000.") is None


class Callback(BaseHTTPRequestHandler):
    answers: list[int]
    bodies: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append((self.path, body))
        self.send_response(self.answers.pop(0) if self.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def callback() -> Iterator[HTTPServer]:
    handler = type("_Callback", (Callback,), {"answers": [], "bodies": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def test_what_the_pocket_shows_is_reported_over_the_callback_until_it_is_taken(
    city: City, servers: Settings, callback: HTTPServer
) -> None:
    set_clock(MORNING)
    heard: type[Callback] = callback.RequestHandlerClass  # type: ignore[assignment]
    heard.answers[:] = [503]
    settings = replace(
        servers, base_url=f"http://127.0.0.1:{callback.server_port}", sms_gateway="pocket",
        sms_callback_secret=SECRET,
    )  # fmt: skip
    pocket = gateway_of(settings)
    assert isinstance(pocket, Pocket)
    reports = PocketReports(pocket, settings)
    message_id = await posted()
    await deliver(message_id, wanted=wanted, gateway=pocket)
    assert [await reports.tell() for _ in range(3)] == [0, 1, 0]

    (path, refused), (_, body) = heard.bodies
    assert path == f"/callbacks/sms/{SECRET}/report" and refused == body
    assert json.loads(body)[0]["out_id"] == message_id.hex
    await keep("report", body)
    assert await read() == 1
    row = await row_of(message_id)
    assert (row["state"], row["settled_at"] <= clock.now()) == ("delivered", True)
