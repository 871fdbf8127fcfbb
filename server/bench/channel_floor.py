"""The floor of the SMS channel's rows: as in floor.py, the least that stores the same rows.

What it does: one statement for a hundred invitations (receipt, question, phone, message, job), one
before and one after a message is handed over, one read and one statement for all replies that wait.

What it leaves out, beyond what floor.py says: the waiting question (it is asked at once), locks on
phones, opt-out, daily limit, hours, other questions of the phone, composing the message, the
provider, reading what a citizen wrote (a first character that is no 1 is a 5), repeated and belated
replies.
"""

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from server.bench import ground
from server.bench.floor import SEAL

_DAY = timedelta(days=1)
_LETTER = b"\x5a" * 404
"""As long as a sealed notice."""
_PHONE = b"\x5a" * 41
_decode = msgspec.json.Decoder().decode

INVITE = """WITH due AS (
  UPDATE receipts SET invite_at = NULL WHERE id IN (
    SELECT id FROM receipts WHERE invite_at <= $1 ORDER BY invite_at LIMIT 100 FOR UPDATE SKIP LOCKED)
  RETURNING id, region_code, agency_code, phone_key, open_until
), phones AS (
  INSERT INTO sms_phones (phone_key, masked) SELECT phone_key, '139****0000' FROM due
), asked AS (
  INSERT INTO questions (id, region_code, agency_code, receipt_id, phone_key, phone, asking, state,
    reminder, options, due_at, give_up_at, asked_at, open_until)
  SELECT uuidv7(), region_code, agency_code, id, phone_key, $3, 'level', 'open', false, '{}', $1,
    open_until, $1, $2 FROM due RETURNING id, region_code, agency_code, phone_key
), posted AS (
  INSERT INTO sms_messages (id, region_code, agency_code, purpose, about, phone_key, content, parts,
    state, tries, created_at, next_at, not_after)
  SELECT uuidv7(), region_code, agency_code, 'notice', id, phone_key, $4, 1, 'queued', 0, $1, $1, $2
  FROM asked RETURNING replace(id::text, '-', '') AS name
), queued AS (
  INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key)
  SELECT 0, 'queued', 'send', convert_to('{"message": "' || name || '"}', 'UTF8'), 'send:' || name
  FROM posted
)
SELECT count(*) FROM posted"""
SENDING = """UPDATE sms_messages SET state = 'sending', tries = tries + 1, sent_at = $2, next_at = $3
WHERE id = $1"""
SENT = "UPDATE sms_messages SET state = 'sent', provider_id = $2, next_at = NULL WHERE id = $1"
KEEP = "INSERT INTO sms_pushes (kind, body, received_at) VALUES ('up', $1, $2)"
PUSHES = "SELECT body FROM sms_pushes WHERE id = ANY($1)"
READ = """WITH said AS (
  SELECT uuidv7() AS review_id, s.* FROM unnest($5::text[], $6::text[], $7::text[], $8::bytea[],
    $9::timestamptz[], $10::smallint[], $11::text[], $12::text[], $13::text[])
    AS s(phone_key, identity_key, origin_key, content, at, level, words, query_key, order_number)
), asked AS (
  UPDATE questions q SET state = 'answered', ended_at = s.at, held_until = $3, review_id = s.review_id
  FROM said s WHERE q.phone_key = s.phone_key AND q.state = 'open' RETURNING q.id, q.receipt_id, s.*
), replied AS (
  INSERT INTO sms_replies (identity_key, origin_key, phone_key, content, at, received_at, outcome,
    about, note)
  SELECT identity_key, origin_key, phone_key, content, at, $2, 'rated', id, '' FROM asked
), reviewed AS (
  INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel, real_name,
    at, undo_until, query_key, order_number)
  SELECT review_id, receipt_id, $4, level, '{}', words, 'standing', 'sms', false, at, $3, query_key,
    order_number FROM asked
), ordered AS (
  INSERT INTO work_orders (number, region_code, origin, origin_key, state, agency_code,
    co_agency_codes, owner_id, matter_code, matter, hall, "window", level, tags, words, real_name,
    opened_on, visible_from, contact_due_at, due_at, provisional, next_due_at, contests,
    answer_days)
  SELECT order_number, $4, 'review', review_id, 'assigned', t.agency_code, '{}', $14, t.matter_code,
    $15, $16, $17, level, '{}', words, false, at::date, $3, $3 + interval '1 day',
    $3 + interval '5 days', false, $3 + interval '1 day', 0, 5
  FROM asked JOIN receipts t ON t.id = receipt_id WHERE order_number IS NOT NULL
), stepped AS (
  INSERT INTO work_order_steps (order_id, at, move, state, actor, words)
  SELECT order_number, $3, 'open', 'assigned', 'system', '' FROM asked
  WHERE order_number IS NOT NULL
)
UPDATE sms_pushes SET read_at = $2 WHERE id = ANY($1)"""


def key_of(phone: str) -> str:
    """Stands for the keyed hash."""
    return phone.rjust(22, "0")


class Floor:
    """One connection, and the statements in turn."""

    def __init__(self, connection: asyncpg.Connection, owner: int) -> None:
        self._to, self._owner = connection, owner

    @classmethod
    async def open(cls, dsn: str, owner: int) -> "Floor":
        return cls(await asyncpg.connect(dsn, server_settings={"jit": "off"}), owner)

    async def close(self) -> None:
        await self._to.close()

    async def invite(self, receipts: int) -> None:
        done = 0
        while done < receipts:
            now = datetime.now(UTC)
            done += await self._to.fetchval(INVITE, now, now + _DAY, _PHONE, _LETTER)

    async def send(self, message: UUID) -> None:
        now = datetime.now(UTC)
        await self._to.execute(SENDING, message, now, now + timedelta(seconds=20))
        await self._to.execute(SENT, message, f"{time.time_ns()}^0")

    async def keep(self, body: bytes) -> None:
        await self._to.execute(KEEP, body + SEAL, datetime.now(UTC))

    async def read(self, pushes: Sequence[int]) -> None:
        rows = await self._to.fetch(PUSHES, pushes)
        items = [item for row in rows for item in _decode(row["body"])]
        now = datetime.now(UTC)
        bad = [item["content"][0] == "1" for item in items]
        await self._to.execute(
            READ, pushes, now, now + _DAY / 144, ground.REGION,
            [key_of(item["phone_number"]) for item in items],
            [f"i{item['sequence_id']:021d}" for item in items],
            [f"o{item['sequence_id']:021d}" for item in items],
            [_sealed(item) for item in items],
            [datetime.fromisoformat(item["send_time"] + "+08:00") for item in items],
            [1 if b else 5 for b in bad], [item["content"][2:] for item in items],
            [secrets.token_urlsafe(16) for _ in items],
            [f"{now.year}{secrets.token_hex(5)}" if b else None for b in bad], self._owner,
            ground.MATTER_NAME.format(7), ground.HALL, ground.WINDOW_NAME.format(7),
        )  # fmt: skip


def _sealed(item: dict[str, Any]) -> bytes:
    """As long as the sealed phone and text."""
    return b'{"phone": "", "text": ""}' + f"{item['phone_number']}{item['content']}".encode() + SEAL
