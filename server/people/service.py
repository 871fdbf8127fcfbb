"""Signing in, sessions, agencies' systems, and the access log."""

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime

import argon2
import pyotp

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Invalid, Unauthenticated
from server.kit.privacy import vault
from server.kit.transaction import transaction
from server.people import tokens
from server.people.models import AccessLog, Client, Session, Staff
from server.people.rules import (
    OF_AN_AGENCY,
    SEEN_STEP,
    SESSION_IDLE,
    Role,
    locked_until,
    session_ended,
)

_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = _hasher.hash(secrets.token_hex(16))
"""Verified when the name is unknown, so that a wrong name takes as long as a wrong password."""
_TOTP_SECONDS = 30
LONGEST_NAME = 64


class WrongSignIn(Unauthenticated):
    code = "wrong_credentials"
    title = "用户名、密码或动态口令不对，或账号暂时锁定"


@dataclass(frozen=True)
class Member:
    """A member of staff as the rest of the house sees him."""

    id: int
    name: str
    role: Role
    agency_code: str | None
    region_code: str

    @property
    def scope(self) -> str:
        return f"staff:{self.id}"

    @classmethod
    def of(cls, staff: Staff) -> "Member":
        return cls(staff.id, staff.name, Role(staff.role), staff.agency_code, staff.region_code)


@dataclass(frozen=True)
class Caller:
    """An agency's system."""

    client_id: str
    agency_code: str

    @property
    def scope(self) -> str:
        return f"client:{self.client_id}"


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def _password_fits(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _totp_step(sealed: bytes, code: str, now: datetime) -> int | None:
    """The time step for which the code is right: this one or a neighbour."""
    totp = pyotp.TOTP(vault().unseal(sealed, "totp").decode(), interval=_TOTP_SECONDS)
    step = int(now.timestamp()) // _TOTP_SECONDS
    for candidate in (step, step - 1, step + 1):
        if secrets.compare_digest(totp.generate_otp(candidate).encode(), code.encode()):
            return candidate
    return None


async def sign_in(username: str, password: str, totp: str, *, reuse_totp: bool = False) -> Member:
    """Checks password and one-time code; raises WrongSignIn, the same whatever was wrong.

    `reuse_totp` is the demo's: several testers share one account within 30 seconds.
    """
    named = username if len(username) <= LONGEST_NAME else ""
    staff = await Staff.get_or_none(username=named, active=True)
    # argon2 takes tens of milliseconds of CPU: not on the event loop.
    fits = await asyncio.to_thread(_password_fits, staff.password if staff else _NOBODY, password)
    if staff is None:
        raise WrongSignIn
    now = clock.now()
    async with transaction():
        staff = await Staff.select_for_update().get(id=staff.id)
        if staff.locked_until and staff.locked_until > now:
            refused = True
        else:
            step = _totp_step(staff.totp, totp, now)
            fresh = step is not None and (reuse_totp or step > staff.totp_step)
            refused = not (fits and fresh)
            staff.failures = staff.failures + 1 if refused else 0
            staff.locked_until = locked_until(staff.failures, now)
            if refused and staff.locked_until:
                staff.failures = 0
            if not refused and step is not None:
                staff.totp_step = max(step, staff.totp_step)
            await staff.save(update_fields=["failures", "locked_until", "totp_step"])
    if refused:
        raise WrongSignIn
    return Member.of(staff)


async def open_session(member: Member) -> str:
    """The secret for the cookie."""
    secret = secrets.token_urlsafe(32)
    now = clock.now()
    await Session.create(
        key=_session_key(secret), staff_id=member.id, csrf=secrets.token_urlsafe(16),
        started_at=now, seen_at=now,
    )  # fmt: skip
    return secret


async def session_of(secret: str) -> tuple[Member, str] | None:
    """Who is signed in with this cookie, and his CSRF token; None when the session has ended."""
    session = await Session.get_or_none(key=_session_key(secret)).prefetch_related("staff")
    now = clock.now()
    if session is None or not session.staff.active:
        return None
    if session_ended(session.started_at, session.seen_at, now):
        await session.delete()
        return None
    if now - session.seen_at > SEEN_STEP:
        await Session.filter(key=session.key).update(seen_at=now)
    return Member.of(session.staff), session.csrf


async def close_session(secret: str) -> None:
    await Session.filter(key=_session_key(secret)).delete()


def _session_key(secret: str) -> str:
    return vault().fingerprint(secret, "session")


async def member_of(token: str) -> Member:
    """Rights are read from the database at each call: a revoked one ends at once."""
    subject = tokens.read(token, tokens.Audience.STAFF)
    staff = await sql.fetch_one(_SIGNED_IN, int(subject)) if subject.isdigit() else None
    if staff is None:
        raise tokens.BadToken
    role, agency_code, region_code = Role(staff["role"]), staff["agency_code"], staff["region_code"]
    return Member(staff["id"], staff["name"], role, agency_code, region_code)


_SIGNED_IN = (
    "SELECT id, name, role, agency_code, region_code FROM staff WHERE id = $1::bigint AND active"
)


async def client_token(client_id: str, secret: str) -> tuple[str, int]:
    client = await Client.get_or_none(client_id=client_id, active=True)
    expected = vault().fingerprints(f"{client_id}:{secret}", "client")
    if client is None or client.secret not in expected:
        raise WrongSignIn("client_id 或 client_secret 不对")
    return tokens.issue(f"{client_id} {client.agency_code}", tokens.Audience.AGENCY)


class _Revocation:
    """Clients that are active, read at most every few seconds: a revoked one ends within them."""

    SECONDS = 10

    def __init__(self) -> None:
        self._active: frozenset[str] = frozenset()
        self._read_at: datetime | None = None

    async def is_active(self, client_id: str) -> bool:
        now = clock.now()
        if self._read_at is None or (now - self._read_at).total_seconds() > self.SECONDS:
            ids: Awaitable[list[str]] = Client.filter(active=True).values_list(
                "client_id", flat=True
            )  # type: ignore[assignment]
            self._active, self._read_at = frozenset(await ids), now
        return client_id in self._active

    def forget(self) -> None:
        self._read_at = None


clients = _Revocation()


async def caller_of(token: str) -> Caller:
    client_id, _, agency_code = tokens.read(token, tokens.Audience.AGENCY).partition(" ")
    if not await clients.is_active(client_id):
        raise tokens.BadToken
    return Caller(client_id, agency_code)


class BadAccount(Invalid):
    code = "invalid_account"
    title = "账号资料有误"


def role_named(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise BadAccount(f"没有角色 {name}，须是 {'、'.join(Role)} 之一") from None


def region_for(agency_code: str | None, region_code: str | None) -> str:
    """The agency's region, or the one that was named."""
    agency = catalogue().agencies.get(agency_code or "")
    code = region_code or (agency.region_code if agency else None)
    if code not in catalogue().regions:
        raise BadAccount("请给出目录中已有的区划（--region）或部门（--agency）")
    return code


async def hire(
    *,
    username: str,
    name: str,
    role: Role,
    password: str,
    totp_secret: str,
    agency_code: str | None,
    region_code: str,
) -> Staff:
    """A new account. Handlers and leads belong to an agency of the catalogue."""
    if agency_code not in catalogue().agencies and (agency_code or role in OF_AN_AGENCY):
        raise BadAccount("这个角色须属于目录中已有的部门")
    if await Staff.exists(username=username):
        raise BadAccount(f"用户名 {username} 已有人使用")
    return await Staff.create(
        username=username,
        name=name,
        role=role,
        agency_code=agency_code,
        region_code=region_code,
        password=await asyncio.to_thread(hash_password, password),
        totp=vault().seal(totp_secret.encode(), "totp"),
    )


async def enrol_client(client_id: str, agency_code: str, name: str) -> str:
    """A new system of an agency; gives its secret, which is shown once."""
    if agency_code not in catalogue().agencies:
        raise BadAccount(f"目录中没有部门 {agency_code}")
    if await Client.exists(client_id=client_id):
        raise BadAccount(f"client_id {client_id} 已有系统使用")
    secret = secrets.token_urlsafe(32)
    await Client.create(
        client_id=client_id,
        agency_code=agency_code,
        name=name,
        secret=vault().fingerprint(f"{client_id}:{secret}", "client"),
    )
    clients.forget()
    return secret


async def note_access(member: Member, action: str, subject: str, reason: str = "") -> None:
    """Before a citizen's data is shown."""
    await AccessLog.create(
        at=clock.now(), staff_id=member.id, action=action, subject=subject, reason=reason
    )


async def forget_sessions() -> int:
    """Sessions that ended by themselves."""
    return await Session.filter(seen_at__lt=clock.now() - SESSION_IDLE).delete()
