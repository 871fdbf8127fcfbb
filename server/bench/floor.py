"""The floor: the least that a good engineer could write by hand and still store the same rows.

What it does: one Sanic process with the application's settings, asyncpg's pool of the same size
with the same session settings and without reset, on the same database; JSON decoded by msgspec;
every operation in as few statements as it can be: one for a receipt, for a hundred receipts, for a
good review, for a bad one with its order and first step, for a callback with its job; lock, update
and step in one transaction for an answer. It writes every column that the application writes, with
values of the same size, into the same tables with the same indexes, foreign keys and checks, and it
commits durably. For what the worker does see channel_floor.py.

What it leaves out: every check of what came (types, lengths, catalogue, time limits, tags, reasons),
tokens and rights, codes (the receipt's number stands in the path), encryption and keyed hashes
(constants or random text of the same length), redaction, routing and due times (constants), repeated
requests, headers of our own, logs, metrics, and anything in the answer but the new row's key. It
reads the receipt for the page and then sends the bytes of one page that the application drew.
"""

import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from sanic import HTTPResponse, Request, Sanic

POOL = 16
SEAL = b" " * 30
"""What sealing adds to a text."""
_DAY = timedelta(days=1)
_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode


class Constants(msgspec.Struct):
    """Values of the right size for what the floor does not work out."""

    port: int
    dsn: str
    page: bytes
    region: str
    agency: str
    owner: int
    sealed: bytes
    key: str
    matter: str
    hall: str
    window: str


_COLUMNS = """INSERT INTO receipts (region_code, agency_code, case_number, service_number,
  matter_code, window_code, officer_number, stage, channel, handled_at, issued_at, open_until,
  applicant, phone_key, digest, invite_at)"""
RECEIPT = f"""{_COLUMNS}
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15) RETURNING id"""
BATCH = f"""{_COLUMNS}
SELECT $1, $2, c, n, m, w, o, s, l, h, $11, $12, $13, $14, $14, $15
FROM unnest($3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::timestamptz[]) AS p(c, n, m, w, o, s, l, h) RETURNING id"""  # noqa: S608
PAGE = "SELECT * FROM receipts WHERE id = $1"
GOOD = """INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel,
  real_name, at, undo_until, query_key)
SELECT uuidv7(), id, region_code, $2, $3, $4, 'standing', 'receipt_qr', false, $5, $6, $7
FROM receipts WHERE id = $1 RETURNING id"""
BAD = """WITH reviewed AS (
  INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel, real_name,
    at, undo_until, query_key, order_number)
  SELECT uuidv7(), id, region_code, $2, $3, $4, 'standing', 'receipt_qr', false, $5, $6, $7, $8
  FROM receipts WHERE id = $1 RETURNING id, receipt_id
), ordered AS (
  INSERT INTO work_orders (number, region_code, origin, origin_key, state, agency_code,
    co_agency_codes, owner_id, matter_code, matter, hall, "window", level, tags, words, real_name,
    opened_on, visible_from, contact_due_at, due_at, provisional, next_due_at, contests,
    answer_days)
  SELECT $8, t.region_code, 'review', r.id, 'assigned', t.agency_code, '{}', $9, t.matter_code, $10,
    $11, $12, $2, $3, $4, false, $13, $6, $14, $15, false, $14, 0, 5
  FROM reviewed r JOIN receipts t ON t.id = r.receipt_id
)
INSERT INTO work_order_steps (order_id, at, move, state, actor, words)
VALUES ($8, $6, 'open', 'assigned', 'system', '')"""
LOCK = "SELECT state, due_at FROM work_orders WHERE number = $1 FOR UPDATE"
ANSWER = "UPDATE work_orders SET state = 'answered', next_due_at = $2 WHERE number = $1"
STEP = """INSERT INTO work_order_steps (order_id, at, move, state, actor, actor_id, words, disposition,
  legal_basis) VALUES ($1, $2, 'answer', 'answered', 'handler', $3, $4, $5, $6)"""


UP = """WITH pushed AS (INSERT INTO sms_pushes (kind, body, received_at) VALUES ('up', $1, $2))
INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key)
VALUES (0, 'queued', 'read_push', '{}', $3) ON CONFLICT DO NOTHING"""


class Floor:
    pool: asyncpg.Pool

    def __init__(self, constants: Constants) -> None:
        self.of = constants

    async def open(self, _: Any) -> None:
        async def keep(_: asyncpg.Connection) -> None:
            return None

        self.pool = await asyncpg.create_pool(
            self.of.dsn, min_size=POOL, max_size=POOL, reset=keep,
            server_settings={"application_name": "floor", "jit": "off"},
        )  # fmt: skip

    async def receipt(self, request: Request) -> HTTPResponse:
        row, now, of = _decode(request.body), datetime.now(UTC), self.of
        number = await self.pool.fetchval(
            RECEIPT, of.region, of.agency, row["case_number"], row["service_number"],
            row["matter_code"], row["window_code"], row["officer_number"], row["stage"],
            row["channel"], datetime.fromisoformat(row["handled_at"]), now, now + 7 * _DAY,
            of.sealed, of.key, now + _DAY,
        )  # fmt: skip
        return _json({"receipt_id": str(number)}, 201)

    async def batch(self, request: Request) -> HTTPResponse:
        rows, now, of = _decode(request.body)["receipts"], datetime.now(UTC), self.of
        columns = (
            "case_number", "service_number", "matter_code", "window_code", "officer_number",
            "stage", "channel",
        )  # fmt: skip
        numbers = await self.pool.fetch(
            BATCH, of.region, of.agency, *([row[name] for row in rows] for name in columns),
            [datetime.fromisoformat(row["handled_at"]) for row in rows], now, now + 7 * _DAY,
            of.sealed, of.key, now + _DAY,
        )  # fmt: skip
        results = [
            {"index": place, "status": 201, "receipt_id": str(row["id"])}
            for place, row in enumerate(numbers)
        ]
        return _json({"results": results}, 200)

    async def page(self, _: Request, number: int) -> HTTPResponse:
        await self.pool.fetchrow(PAGE, number)
        return HTTPResponse(self.of.page, 200, content_type="text/html; charset=utf-8")

    async def good(self, request: Request, number: int) -> HTTPResponse:
        said, now = _decode(request.body), datetime.now(UTC)
        key = await self.pool.fetchval(
            GOOD, number, said["level"], said["tags"], said["comment"], now, now + _DAY / 144,
            secrets.token_urlsafe(16),
        )  # fmt: skip
        return _json({"review": str(key)}, 201)

    async def bad(self, request: Request, number: int) -> HTTPResponse:
        said, now, of = _decode(request.body), datetime.now(UTC), self.of
        order = f"{now.year}{secrets.token_hex(5)}"
        await self.pool.execute(
            BAD, number, said["level"], said["tags"], said["comment"], now, now + _DAY / 144,
            secrets.token_urlsafe(16), order, of.owner, of.matter, of.hall, of.window, now.date(),
            now + _DAY, now + 5 * _DAY,
        )  # fmt: skip
        return _json({"work_order": order}, 201)

    async def answer(self, request: Request, number: str) -> HTTPResponse:
        said, now = _decode(request.body), datetime.now(UTC)
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.fetchrow(LOCK, number)
            await connection.execute(ANSWER, number, now + 7 * _DAY)
            await connection.execute(
                STEP, number, now, self.of.owner, said["text"], said["disposition"],
                said["legal_basis"],
            )  # fmt: skip
        return _json({"number": number, "state": "answered"}, 200)

    async def up(self, request: Request) -> HTTPResponse:
        now = datetime.now(UTC)
        job = f"READ_PUSH:{int(now.timestamp() * 10)}"
        await self.pool.execute(UP, request.body + SEAL, now, job)
        return _json({"code": 0, "msg": "接收成功"}, 200)


def _json(body: Any, status: int) -> HTTPResponse:
    return HTTPResponse(_encode(body), status, content_type="application/json")


def serve(constants: Constants) -> None:
    app: Any = Sanic("floor", configure_logging=False)
    app.config.update(
        ACCESS_LOG=False, MOTD=False, AUTO_EXTEND=False, OAS=False, INSPECTOR=False,
        KEEP_ALIVE_TIMEOUT=30, USE_UVLOOP=True,
    )  # fmt: skip
    floor = Floor(constants)
    app.before_server_start(floor.open)
    app.add_route(floor.receipt, "/receipts", methods=["POST"], name="receipt")
    app.add_route(floor.batch, "/batch", methods=["POST"], name="batch")
    app.add_route(floor.page, "/page/<number:int>", name="page")
    app.add_route(floor.good, "/good/<number:int>", methods=["POST"], name="good")
    app.add_route(floor.bad, "/bad/<number:int>", methods=["POST"], name="bad")
    app.add_route(floor.answer, "/answer/<number>", methods=["POST"], name="answer")
    app.add_route(floor.up, "/up", methods=["POST"], name="up")
    app.run(
        host="127.0.0.1", port=constants.port, single_process=True, access_log=False, motd=False,
        debug=False, auto_reload=False,
    )  # fmt: skip


if __name__ == "__main__":
    serve(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Constants))
