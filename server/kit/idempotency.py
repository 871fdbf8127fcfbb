"""Idempotency-Key: the same key and body get the first answer again, for 24 hours."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Invalid
from server.kit.privacy import vault
from server.kit.transaction import transaction

KEPT = timedelta(hours=24)
_PURPOSE = "idempotency"
Answer = tuple[int, bytes]


@dataclass(frozen=True)
class Attempt:
    """An Idempotency-Key and what was asked under it."""

    key: str
    digest: str


class IdempotencyConflict(Conflict):
    code = "idempotency_conflict"
    title = "同一个 Idempotency-Key 已用于另一份内容"


class BadKey(Invalid):
    code = "invalid_idempotency_key"
    title = "Idempotency-Key 须是 1–255 个可见的 ASCII 字符"


def check_key(key: str) -> str:
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise BadKey
    return key


def digest(method: str, path: str, body: bytes) -> str:
    """Of what was asked; keyed, since a body may hold a phone number."""
    return vault().fingerprint(f"{method} {path} {hashlib.sha256(body).hexdigest()}", _PURPOSE)


async def once(scope: str, key: str, asked: str, act: Callable[[], Awaitable[Answer]]) -> Answer:
    """Runs `act` and keeps its answer in the same transaction; a refusal is not kept.

    Opens the transaction here, around the service's own, so that neither can be without the
    other. A second request with the same key waits for the first one's commit.
    """
    claim = vault().fingerprint(f"{scope}\n{check_key(key)}", _PURPOSE)
    now = clock.now()
    async with transaction():
        claimed = await sql.fetch(
            "INSERT INTO answered (claim, digest, at) VALUES ($1, $2, $3) ON CONFLICT (claim) DO "
            "UPDATE SET digest = excluded.digest, at = excluded.at, answer = NULL, status = NULL "
            "WHERE answered.at < $4 RETURNING 1",
            claim, asked, now, now - KEPT,
        )  # fmt: skip
        if claimed:
            status, answer = await act()
            await sql.fetch(
                "UPDATE answered SET status = $2, answer = $3 WHERE claim = $1",
                claim, status, vault().seal(answer, _PURPOSE),
            )  # fmt: skip
            return status, answer
        first = await sql.fetch_one("SELECT * FROM answered WHERE claim = $1", claim)
    if first is None or first["digest"] != asked:
        raise IdempotencyConflict
    return first["status"], vault().unseal(first["answer"], _PURPOSE)


async def forget_old() -> int:
    rows = await sql.fetch("DELETE FROM answered WHERE at < $1 RETURNING 1", clock.now() - KEPT)
    return len(rows)
