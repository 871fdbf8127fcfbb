"""Citizens who signed in with WeChat: known again by a keyed hash, and forgotten when they say so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.kit import sql
from server.kit.clock import clock
from server.kit.ids import new_id
from server.kit.privacy import BrokenSeal, vault
from server.kit.wechat import InvalidCode, NoMiniProgram, WeChat
from server.people import tokens

_PURPOSE = "openid"
DEMO_CODE = "demo:"


@dataclass(frozen=True)
class Rater:
    """A citizen as the rest of the house sees him."""

    id: UUID

    @property
    def scope(self) -> str:
        return f"citizen:{self.id.hex}"


async def sign_in(code: str, wechat: WeChat | None, *, demo: bool = False) -> tuple[str, int]:
    """A token for whoever `wx.login` gave this code, and its life in seconds."""
    openid = await _openid_of(code, wechat, demo=demo)
    citizen = await _known(openid)
    return tokens.issue(citizen.hex, tokens.Audience.CITIZEN)


async def _openid_of(code: str, wechat: WeChat | None, *, demo: bool) -> str:
    if demo and code.startswith(DEMO_CODE):
        if code == DEMO_CODE:
            raise InvalidCode
        return code
    if wechat is None:
        raise InvalidCode if demo else NoMiniProgram
    if not code.strip():
        raise InvalidCode
    return await wechat.openid_of(code)


async def _known(openid: str) -> UUID:
    """The one who came before, from now on under the newest key; else a new one."""
    key, sealed, now = _key(openid), vault().seal(openid.encode(), _PURPOSE), clock.now()
    rows = await sql.fetch(
        "UPDATE citizens SET openid_key = $2, openid = $3, last_seen = $4 "
        "WHERE openid_key = ANY($1) RETURNING id",
        vault().fingerprints(openid, _PURPOSE), key, sealed, now,
    )  # fmt: skip
    if not rows:
        rows = await sql.fetch(
            "INSERT INTO citizens (id, openid_key, openid, first_seen, last_seen) "
            "VALUES ($1, $2, $3, $4, $4) ON CONFLICT (openid_key) DO "
            "UPDATE SET last_seen = excluded.last_seen RETURNING id",
            new_id(), key, sealed, now,
        )  # fmt: skip
    return rows[0]["id"]


def _key(openid: str) -> str:
    return vault().fingerprint(openid, _PURPOSE)


async def rater_of(token: str, *, erased_too: bool = False) -> Rater:
    """Read from the database at each call: who was forgotten is nobody at once."""
    subject = tokens.read(token, tokens.Audience.CITIZEN)
    row = await sql.fetch_one("SELECT erased_at FROM citizens WHERE id = $1", UUID(hex=subject))
    if row is None or (row["erased_at"] is not None and not erased_too):
        raise tokens.BadToken
    return Rater(UUID(hex=subject))


async def row_of(rater: Rater) -> Any:
    return await sql.fetch_one("SELECT * FROM citizens WHERE id = $1", rater.id)


def openid_in(sealed: bytes | None) -> str | None:
    """None if he was forgotten, or its key was withdrawn."""
    try:
        return vault().unseal(sealed, _PURPOSE).decode() if sealed else None
    except BrokenSeal:
        return None


async def forget(rater: Rater, now: datetime) -> bool:
    """In the caller's transaction. From here on nothing new can be his: whoever adds something locks
    his row first. False if it was done before."""
    rows = await sql.fetch(
        "UPDATE citizens SET openid = NULL, openid_key = NULL, erased_at = $2 "
        "WHERE id = $1 AND erased_at IS NULL RETURNING 1",
        rater.id, now,
    )  # fmt: skip
    return bool(rows)
