"""Who may sign in to the demo, and with which secrets."""

import asyncio
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pyotp

from server.demo.city import BUREAUS, CITY, SEED, person
from server.kit import sql
from server.kit.privacy import BrokenSeal, vault
from server.people.rules import ROLE_NAMES, Role
from server.people.service import hash_password

FILE = "demo.json"
_FULLY_STAFFED, _WITH_A_SYSTEM = 3, 4
_OF_THE_CITY = (
    ("duban", Role.SUPERVISOR), ("fuhe1", Role.ADJUDICATOR), ("fuhe2", Role.ADJUDICATOR),
    ("shenji", Role.AUDITOR), ("guanli", Role.ADMIN),
    # Who ruled first does not rule on the citizen's objection.
    ("fuhe3", Role.ADJUDICATOR), ("fuhe4", Role.ADJUDICATOR),
)  # fmt: skip


@dataclass(frozen=True)
class Account:
    username: str
    name: str
    role: Role
    agency_code: str | None
    region_code: str


def staff() -> list[Account]:
    """Handlers and leads of every bureau, two handlers in the first three; the city's own roles."""
    rng = Random(SEED + 1)  # noqa: S311
    found = []
    for place, bureau in enumerate(BUREAUS):
        posts = [("jingban1", Role.HANDLER), ("fuze", Role.AGENCY_LEAD)]
        if place < _FULLY_STAFFED:
            posts.insert(1, ("jingban2", Role.HANDLER))
        for post, role in posts:
            username = f"{bureau.key}-{post}"
            found.append(Account(username, person(rng), role, bureau.code, bureau.region))
    for username, role in _OF_THE_CITY:
        found.append(Account(username, f"{person(rng)}（{ROLE_NAMES[role]}）", role, None, CITY))
    return found


def systems() -> dict[str, str]:
    """Client id → agency."""
    return {f"{bureau.key}-system": bureau.code for bureau in BUREAUS[:_WITH_A_SYSTEM]}


@dataclass(frozen=True)
class Secrets:
    passwords: dict[str, str]
    totps: dict[str, str]
    clients: dict[str, str]

    @classmethod
    def fresh(cls) -> "Secrets":
        names = [account.username for account in staff()]
        return cls(
            {name: secrets.token_hex(8) for name in names},
            {name: pyotp.random_base32() for name in names},
            {client_id: secrets.token_urlsafe(32) for client_id in systems()},
        )

    @classmethod
    def kept(cls, path: Path) -> "Secrets | None":
        """From an earlier start; None if the file is gone or is not ours any more."""
        try:
            document = json.loads(path.read_text())
            return cls(
                {member["username"]: member["password"] for member in document["staff"]},
                {member["username"]: member["totp_secret"] for member in document["staff"]},
                {client["client_id"]: client["client_secret"] for client in document["clients"]},
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    async def fit(self) -> bool:
        """They are this database's. Passwords come with their TOTP secrets, never alone."""
        rows = await sql.fetch("SELECT username, totp FROM staff WHERE active")
        try:
            totps = {r["username"]: vault().unseal(r["totp"], "totp").decode() for r in rows}
        except BrokenSeal:
            return False
        stored = {r["client_id"]: r["secret"] for r in await sql.fetch("SELECT * FROM clients")}
        return all(
            totps.get(a.username) == self.totps.get(a.username, "") for a in staff()
        ) and all(
            stored.get(client_id) in _fingerprints(client_id, self.clients.get(client_id, ""))
            for client_id in systems()
        )


def _fingerprints(client_id: str, secret: str) -> list[str]:
    return vault().fingerprints(f"{client_id}:{secret}", "client")


async def hashed(given: Secrets) -> dict[str, str]:
    """On all cores, and before any transaction: argon2 takes its time."""
    names = list(given.passwords)
    done = await asyncio.gather(
        *(asyncio.to_thread(hash_password, given.passwords[n]) for n in names)
    )
    return dict(zip(names, done, strict=True))


_STAFF = """
INSERT INTO staff (username, name, role, agency_code, region_code, password, totp,
                   totp_step, failures, active)
SELECT *, 0, 0, TRUE FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
                                 $6::text[], $7::bytea[])
ON CONFLICT (username) DO UPDATE SET password = excluded.password, totp = excluded.totp,
  totp_step = 0, failures = 0, locked_until = NULL, active = TRUE
"""
_CLIENTS = """
INSERT INTO clients (client_id, secret, agency_code, name, active)
SELECT *, '窗口业务系统', TRUE FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (client_id) DO UPDATE SET secret = excluded.secret, active = TRUE
"""


async def store(given: Secrets, passwords: dict[str, str]) -> None:
    """New accounts, or new secrets for those that are there."""
    members = staff()
    await sql.fetch(
        _STAFF, [a.username for a in members], [a.name for a in members],
        [str(a.role) for a in members], [a.agency_code for a in members],
        [a.region_code for a in members], [passwords[a.username] for a in members],
        [vault().seal(given.totps[a.username].encode(), "totp") for a in members],
    )  # fmt: skip
    clients = systems()
    await sql.fetch(
        _CLIENTS, list(clients),
        [vault().fingerprint(f"{name}:{given.clients[name]}", "client") for name in clients],
        list(clients.values()),
    )  # fmt: skip
