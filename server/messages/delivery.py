"""Sending what stands in the outbox: at most once, and never forgotten.

A message is marked as being sent, with the time, before the provider is called. Whoever finds it so
later does not know whether it left: the provider is asked, and only its no lets it be sent again."""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit import jobs, sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Missing
from server.kit.privacy import BrokenSeal, vault
from server.kit.transaction import transaction
from server.messages import wording
from server.messages.gateways import own_code
from server.messages.outbox import put, record_sent, take_until
from server.messages.reports import apply_reports
from server.messages.rules import ASK_AFTER, TRIES, MessageState, Purpose, start_of_day
from server.messages.service import SEAL, content_of
from server.messages.steps import (
    Step,
    after_refusal,
    after_silence,
    days_around,
    is_of_an_earlier_try,
    obstacle,
)
from server.people.models import AccessLog
from sms.gateway import Gateway, Lost, Message, Refused, Report, Sent
from sms.templates import placeholders

log = logging.getLogger(__name__)
Wanted = Callable[[Purpose, UUID], Awaitable[bool]]
LEASE = ASK_AFTER[0]
FRESH_SECONDS = 3.0
"""From taking a message to the provider's door; with its time-outs well under the lease."""
NO_GATEWAY_WAIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Letter:
    phone: str = field(repr=False)
    sign: str
    template: str
    variables: dict[str, str] = field(repr=False)


async def deliver(message_id: UUID, *, wanted: Wanted, gateway: Gateway | None) -> int:
    """The job `send`; gives 1 if the provider was given the message. `wanted` is asked in the last
    moment whether what it is about still wants an answer, or is still true."""
    now = clock.now()
    row = await sql.fetch_one(
        "SELECT * FROM sms_messages WHERE id = $1 AND next_at <= $2 "
        "AND state IN ('queued', 'sending', 'lost')",
        message_id, now,
    )  # fmt: skip
    if row is None:
        return 0
    if gateway is None:
        await take_until(row, now + NO_GATEWAY_WAIT)
        return 0
    letter = _opened(row["content"])
    if letter is None:
        await put(row, Step(MessageState.DEAD, "unreadable", perhaps_sent=bool(row["sent_at"])))
        return 0
    if row["state"] != MessageState.QUEUED and not await _surely_unsent(row, letter, gateway):
        return 0
    return await _send(message_id, letter, wanted, gateway)


def _opened(content: bytes | None) -> _Letter | None:
    try:
        said = json.loads(vault().unseal(content, SEAL)) if content else None
    except BrokenSeal:
        return None
    return said and _Letter(said["phone"], said["sign"], said["template"], said["variables"])


# Sending


async def _send(message_id: UUID, letter: _Letter, wanted: Wanted, gateway: Gateway) -> int:
    started = time.monotonic()
    row = await _claim(message_id, letter.phone, wanted)
    if row is None:
        return 0
    message = Message(
        letter.phone, letter.sign, letter.template or own_code(row["region_code"], row["purpose"]),
        letter.variables, message_id.hex, until=started + FRESH_SECONDS,
    )  # fmt: skip
    try:
        sent = await gateway.send(message)
    except Refused as refused:
        policy = catalogue().policy(row["region_code"])
        await put(row, after_refusal(refused, row["tries"], clock.now(), policy))
        return 0
    except Lost:
        await put(row, after_silence(row["sent_at"], clock.now(), "lost"))
        return 0
    except Exception:
        log.exception("a gateway failed in a way of its own")
        await put(row, after_silence(row["sent_at"], clock.now(), "lost"))
        return 0
    await record_sent(row, sent.provider_id)
    return 1


_CLAIMABLE = """
SELECT m.*,
  (SELECT count(*) FROM sms_messages o WHERE o.phone_key = ANY($3) AND o.sent_at >= $4) AS sent_today,
  EXISTS (SELECT 1 FROM sms_phones WHERE phone_key = ANY($3) AND opted_out_at IS NOT NULL) AS opted_out
FROM sms_messages m WHERE m.id = $1 AND m.state = 'queued' AND m.next_at <= $2 FOR UPDATE OF m
"""


async def _claim(message_id: UUID, phone: str, wanted: Wanted) -> Record | None:
    """The message, now ours to send and marked so; None if it does not go out now."""
    now = clock.now()
    keys = vault().fingerprints(phone, "phone")
    async with transaction():
        await sql.fetch(
            "SELECT 1 FROM sms_phones WHERE phone_key = ANY($1) ORDER BY phone_key FOR UPDATE", keys
        )
        row = await sql.fetch_one(_CLAIMABLE, message_id, now, keys, start_of_day(now))
        if row is None:
            return None
        step = obstacle(
            Purpose(row["purpose"]), row["not_after"], now, catalogue().policy(row["region_code"]),
            opted_out=row["opted_out"], sent_today=row["sent_today"],
        )  # fmt: skip
        if step is None and not await _is_wanted(row, wanted):
            step = Step(MessageState.CANCELLED, "needless")
        if step:
            await put(row, step)
            return None
        return await sql.fetch_one(
            "UPDATE sms_messages SET state = 'sending', tries = tries + 1, sent_at = $2, "
            "next_at = $3 WHERE id = $1 RETURNING *",
            message_id, now, now + LEASE,
        )  # fmt: skip


async def _is_wanted(row: Record, wanted: Wanted) -> bool:
    asks = row["about"] is not None and row["purpose"] != Purpose.THANKS
    return not asks or await wanted(Purpose(row["purpose"]), row["about"])


# Asking


async def _surely_unsent(row: Record, letter: _Letter, gateway: Gateway) -> bool:
    """Asks the provider and records what it says. Only a plain no lets the message be sent."""
    taken = await take_until(row, clock.now() + LEASE)
    if taken is None:
        return False
    try:
        found = await _ask(taken, letter.phone, gateway)
    except (Refused, Lost) as unknown:
        code = unknown.code if isinstance(unknown, Refused) else "lost"
        await put(taken, after_silence(taken["sent_at"], clock.now(), code))
        return False
    except Exception:
        log.exception("a gateway failed in a way of its own")
        await put(taken, after_silence(taken["sent_at"], clock.now(), "lost"))
        return False
    if isinstance(found, Report):
        await apply_reports([found])
        return False
    if isinstance(found, Sent):
        await record_sent(taken, found.provider_id)
        return False
    if taken["tries"] >= TRIES:
        await put(taken, Step(MessageState.DEAD, "lost"))
        return False
    return await put(taken, Step(MessageState.QUEUED, taken["code"], clock.now()))


async def _ask(row: Record, phone: str, gateway: Gateway) -> Sent | Report | None:
    for day in days_around(row["sent_at"]):
        found = await gateway.ask(phone, row["id"].hex, day)
        old = isinstance(found, Report) and is_of_an_earlier_try(found.at, row["sent_at"])
        if found and not old:
            return found
    return None


# A person


class IllegalResend(Conflict):
    code = "illegal_resend"
    title = "这条短信现在不能重新发送"


async def resend(message_id: UUID, member_id: int, now: datetime) -> None:
    """By hand, after what was wrong has been put right: with today's sign and wording."""
    async with transaction():
        row = await sql.fetch_one("SELECT * FROM sms_messages WHERE id = $1 FOR UPDATE", message_id)
        if row is None:
            raise Missing
        if row["state"] not in (MessageState.DEAD, MessageState.FAILED):
            raise IllegalResend
        if row["not_after"] and row["not_after"] < now:
            raise IllegalResend("已经过了这条短信的有效时间")
        content, parts = _composed_anew(row)
        # It keeps its OutId: a dead letter that was perhaps sent is asked about first.
        perhaps_sent = row["state"] == MessageState.DEAD and row["sent_at"] is not None
        await sql.fetch(
            "UPDATE sms_messages SET state = CASE WHEN $2 THEN 'lost' ELSE 'queued' END, "
            "sent_at = CASE WHEN $2 THEN sent_at END, tries = 0, next_at = $3, code = NULL, "
            "settled_at = NULL, content = $4, parts = $5 WHERE id = $1",
            message_id, perhaps_sent, now, content, parts,
        )  # fmt: skip
        await AccessLog.create(
            at=now, staff_id=member_id, action="resend_message", subject=message_id.hex
        )
        name = message_id.hex
        await jobs.enqueue("send", once_as=f"send:{name}", message=name)


def _composed_anew(row: Record) -> tuple[bytes, int]:
    letter = _opened(row["content"])
    if letter is None:
        raise IllegalResend("号码和内容已按期清除，或者密钥已更换")
    content, parts = row["content"], row["parts"]
    purpose, known = Purpose(row["purpose"]), catalogue()
    variant = known.policy(row["region_code"]).wording
    text = known.wording(row["region_code"], purpose, variant).text
    if set(placeholders(text)) <= letter.variables.keys():
        composed = wording.compose(row["region_code"], purpose, letter.variables)
        content = vault().seal(content_of(letter.phone, composed), SEAL)
        parts = composed.parts
    return content, parts
