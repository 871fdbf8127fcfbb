"""评价器: a window's tablet, who may be one, and which receipt it shows.

The tablet's row is the whole truth, one statement changes it, and the next receipt takes the place of
the last. What the window's system is told is the same whatever became of the receipt; what the tablet
shows of a rating is thanks, and the query code only to the one who gave it there, for `THANKS`.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from server.catalogue.service import catalogue
from server.kit import idempotency, sql
from server.kit import query_codes as codes
from server.kit.clock import clock
from server.kit.errors import Conflict, Denied, Fault, Invalid, Missing
from server.kit.ids import new_id
from server.kit.privacy import vault
from server.kit.transaction import transaction
from server.receipts import service as receipts
from server.receipts.rules import is_open
from server.reviews.snapshot import Attempt, Verdict

ASK_LIFE = timedelta(minutes=5)
"""Whoever has not begun by then has left the window."""
THANKS = timedelta(seconds=20)
SEEN_STEP = timedelta(minutes=5)
"""A tablet's last sight is written at most this often: there are thousands of them."""
ONLINE = timedelta(minutes=10)
_PURPOSE = "kiosk"


class KioskOff(Denied):
    code = "kiosk_off"
    title = "这台评价器没有启用"

    def __init__(self) -> None:
        super().__init__("地址不对，或者密钥已经停用。请联系大厅管理人员，用新的地址重新打开")


class UnknownWindow(Missing):
    code = "unknown_window"
    title = "没有这个窗口，或不属于本部门"


class NoKiosk(Conflict):
    code = "no_kiosk"
    title = "这个窗口没有启用评价器"


class ReceiptOfAnotherWindow(Invalid):
    code = "receipt_of_another_window"
    title = "这张回执是另一个窗口出具的"


class KioskChanged(Conflict):
    code = "kiosk_changed"
    title = "这个窗口的评价器刚才有改动，请看清后再操作"


class Screen(StrEnum):
    WELCOME = "welcome"
    ASKED = "asked"
    THANKS = "thanks"
    OFF = "off"


@dataclass(frozen=True)
class Shown:
    """What a tablet shows, and until when if nothing happens."""

    screen: Screen
    ask: UUID | None = None
    until: datetime | None = None

    @property
    def name(self) -> str:
        """Tells this from every other content of the screen."""
        return f"{self.screen}-{self.ask.hex}" if self.ask else str(self.screen)


# The review since the receipt was asked for, also one undone since; else the one that stood before.
_LOOK = """
SELECT k.*, r.open_until, r.voided_at, v.id AS review_id, v.at AS rated_at, v.query_key, v.request_key
FROM kiosks k LEFT JOIN receipts r ON r.id = k.receipt_id LEFT JOIN LATERAL (
  SELECT id, at, query_key, request_key FROM reviews WHERE receipt_id = k.receipt_id
   AND (at >= k.asked_at OR state IN ('standing', 'awaiting_reason')) ORDER BY at DESC LIMIT 1
) v ON TRUE WHERE """


def shown(kiosk: Any, now: datetime) -> Shown:
    """Of a row as `_LOOK` gives it."""
    if kiosk["revoked_at"]:
        return Shown(Screen.OFF)
    ask, asked_at, rated_at = kiosk["ask"], kiosk["asked_at"], kiosk["rated_at"]
    if ask is None:
        return Shown(Screen.WELCOME)
    if rated_at:
        over = max(asked_at, rated_at) + THANKS
        return Shown(Screen.THANKS, ask, over) if now < over else Shown(Screen.WELCOME)
    over = asked_at + ASK_LIFE
    if now < over and is_open(kiosk["open_until"], kiosk["voided_at"] is not None, now):
        return Shown(Screen.ASKED, ask, over)
    return Shown(Screen.WELCOME)


def query_code(kiosk: Any, now: datetime) -> str | None:
    """For the one who has just rated on this tablet. Nobody gets it back by asking once more."""
    if not kiosk["rated_at"] or now >= kiosk["rated_at"] + THANKS:
        return None
    if kiosk["request_key"] not in vault().fingerprints(_attempt(kiosk["ask"]), "idempotency"):
        return None
    return codes.code_of_key(kiosk["review_id"], kiosk["query_key"])


def attempt_of(ask: UUID, verdict: Verdict) -> Attempt:
    """One review for each showing, however often the form is sent."""
    return Attempt(
        vault().fingerprint(_attempt(ask), "idempotency"),
        idempotency.digest("POST", "/kiosk", repr(verdict).encode(errors="replace")),
    )


def _attempt(ask: UUID) -> str:
    return f"{_PURPOSE}\n{ask.hex}"


async def of_key(key: str) -> Any:
    """The tablet that holds this key, which is then seen; KioskOff for a wrong or revoked one."""
    found = vault().fingerprints(key, _PURPOSE)
    row = await sql.fetch_one(_LOOK + "k.key = ANY($1::text[])", found)
    if row is None or row["revoked_at"]:
        raise KioskOff
    now = clock.now()
    if row["key"] != found[0] or row["seen_at"] is None or now - row["seen_at"] > SEEN_STEP:
        await sql.fetch(
            "UPDATE kiosks SET key = $2, seen_at = $3 WHERE id = $1", row["id"], found[0], now
        )
    return row


async def all_shown(kiosks: Collection[UUID]) -> dict[UUID, str]:
    """What each of them shows, by the name of its content."""
    rows = await sql.fetch_alone(_LOOK + "k.id = ANY($1::uuid[])", list(kiosks))
    now = clock.now()
    return {row["id"]: shown(row, now).name for row in rows}


# The same receipt once more does not take the form from under the hands of the one who fills it in.
_ASK = """
UPDATE kiosks SET receipt_id = $3, asked_at = $4, ask = CASE
  WHEN receipt_id = $3 AND asked_at > $6 AND NOT EXISTS (
    SELECT 1 FROM reviews WHERE reviews.receipt_id = $3 AND reviews.at >= kiosks.asked_at) THEN ask
  ELSE $5 END
WHERE agency_code = $1 AND window_code = $2 AND revoked_at IS NULL RETURNING id
"""


async def ask(agency_code: str, window_code: str, receipt_id: str) -> None:
    """Shows an agency's receipt on its window's tablet, whether or not it can still be rated."""
    if (agency_code, window_code) not in catalogue().windows:
        raise UnknownWindow
    receipt = await receipts.of_agency(agency_code, receipt_id)
    if receipt.window_code not in (None, window_code):
        fault = Fault("receipt_id", ReceiptOfAnotherWindow.code, ReceiptOfAnotherWindow.title)
        raise ReceiptOfAnotherWindow(errors=[fault])
    now = clock.now()
    asked = await sql.fetch(
        _ASK, agency_code, window_code, receipt.id, now, uuid4(), now - ASK_LIFE
    )
    if not asked:
        raise NoKiosk


async def begin(kiosk_id: UUID, ask: UUID) -> None:
    """Somebody fills in the form: his time starts anew."""
    await sql.fetch(
        "UPDATE kiosks SET asked_at = $3 WHERE id = $1 AND ask = $2", kiosk_id, ask, clock.now()
    )


async def end(kiosk_id: UUID, ask: UUID) -> None:
    """That showing is over; a newer one goes on."""
    await sql.fetch(
        "UPDATE kiosks SET ask = NULL, receipt_id = NULL, asked_at = NULL WHERE id = $1 AND ask = $2",
        kiosk_id, ask,
    )  # fmt: skip


async def standing(agencies: Collection[str]) -> dict[tuple[str, str], Any]:
    """Agency and window → its tablet."""
    rows = await sql.fetch(
        "SELECT * FROM kiosks WHERE agency_code = ANY($1::text[]) AND revoked_at IS NULL",
        list(agencies),
    )
    return {(row["agency_code"], row["window_code"]): row for row in rows}


async def issue(
    agency_code: str, window_code: str, *, instead_of: UUID | None, by: int | None
) -> str:
    """A new key, which is shown once; that of the tablet before ends. KioskChanged if another one
    stands there than the caller saw."""
    if (agency_code, window_code) not in catalogue().windows:
        raise UnknownWindow
    agency = catalogue().agencies.get(agency_code)
    key = secrets.token_urlsafe(32)
    try:
        async with transaction():
            if instead_of:
                await revoke(instead_of, by)
            await sql.fetch(
                "INSERT INTO kiosks (id, region_code, agency_code, window_code, key, issued_at, issued_by) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                new_id(), agency.region_code if agency else "", agency_code, window_code,
                vault().fingerprint(key, _PURPOSE), clock.now(), by,
            )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise KioskChanged from None
    return key


async def revoke(kiosk_id: UUID, by: int | None) -> None:
    """Its tablet says so within a second; the receipt that it showed is gone. KioskChanged if it was
    revoked before."""
    rows = await sql.fetch(
        "UPDATE kiosks SET revoked_at = $2, revoked_by = $3, ask = NULL, receipt_id = NULL, asked_at = NULL "
        "WHERE id = $1 AND revoked_at IS NULL RETURNING 1",
        kiosk_id, clock.now(), by,
    )  # fmt: skip
    if not rows:
        raise KioskChanged


def address(base_url: str, key: str) -> str:
    return f"{base_url}/kiosk/open/{key}"
