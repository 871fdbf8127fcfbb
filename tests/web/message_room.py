"""What stands in the message tables, in the words of the room that shows it."""

import itertools
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from factories import DISTRICT, HOUSING, PASSWORD, REGION, TOTP

from server.kit.clock import clock
from server.kit.ids import new_id
from server.kit.privacy import vault
from server.messages.models import Incoming, Message, Phone, Push, SetAside
from server.messages.rules import MessageState, Outcome, Purpose
from server.people import service as people
from server.people.rules import Role
from sms.phone import mask
from sms.templates import count_messages

PHONE = "13800138000"
NOTICE = "【云汀政务】您在市民中心办理的公租房申请已办结。请回复数字评价服务：5非常满意 1非常不满意"
_keys = itertools.count(1)


async def hire(username: str, role: Role, region: str = REGION) -> None:
    await people.hire(
        username=username, name=username, role=role, password=PASSWORD, totp_secret=TOTP,
        agency_code=None, region_code=region,
    )  # fmt: skip


async def a_message(
    *, text: str | None = NOTICE, phone: str = PHONE, state: MessageState = MessageState.SENT,
    at: datetime | None = None, variables: dict[str, str] | None = None, **changed: Any,
) -> UUID:  # fmt: skip
    """Forgotten if it has no text."""
    at = at or clock.now()
    content = {
        "phone": phone, "sign": "云汀政务", "template": "", "variables": variables or {}, "text": text,
    }  # fmt: skip
    sealed = vault().seal(json.dumps(content).encode(), "message") if text else None
    waits = state in (MessageState.QUEUED, MessageState.SENDING, MessageState.LOST)
    gone = state in (MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED)
    row = {
        "id": new_id(), "region_code": REGION, "agency_code": HOUSING, "purpose": Purpose.NOTICE,
        "about": None, "phone_key": vault().fingerprint(phone, "phone"), "content": sealed,
        "parts": count_messages(text or ""), "state": state, "created_at": at,
        "next_at": at if waits else None, "sent_at": at if gone else None,
    } | changed  # fmt: skip
    return (await Message.create(**row)).id


async def a_stray_reply(
    text: str = "什么意思",
    *,
    phone: str = PHONE,
    outcome: Outcome = Outcome.UNKNOWN,
    **changed: Any,
) -> int:
    now, number = clock.now(), next(_keys)
    sealed = vault().seal(json.dumps({"phone": phone, "text": text}).encode(), "reply")
    row = {
        "identity_key": f"i{number}", "origin_key": f"o{number}", "content": sealed, "at": now,
        "phone_key": vault().fingerprint(phone, "phone"), "received_at": now, "outcome": outcome,
    } | changed  # fmt: skip
    return (await Incoming.create(**row)).id


async def an_unreadable_item(item: object, reason: str = "not an object", place: int = 0) -> int:
    push = await Push.create(kind="up", received_at=clock.now(), read_at=clock.now())
    sealed = vault().seal(json.dumps(item).encode(), "push")
    row = await SetAside.create(push=push, place=place, reason=reason, item=sealed)
    return row.id


async def an_opt_out(phone: str = PHONE) -> str:
    row = await Phone.create(
        phone_key=vault().fingerprint(phone, "phone"), masked=mask(phone),
        opted_out_at=clock.now() - timedelta(hours=1),
    )  # fmt: skip
    return row.phone_key


async def some_of_each() -> None:
    """In the region of the city and in its district."""
    long = NOTICE + "二" * 40
    for back, state in enumerate(MessageState):
        await a_message(state=state, at=clock.now() - timedelta(seconds=back), text=long)
    for purpose in Purpose:
        await a_message(purpose=purpose, region_code=DISTRICT)
    await a_message(state=MessageState.DEAD, code="isv.SMS_SIGNATURE_ILLEGAL", tries=1)
    await a_message(state=MessageState.DEAD, code="isv.AMOUNT_NOT_ENOUGH", region_code=DISTRICT)
    for outcome in Outcome:
        await a_stray_reply(f"文字{outcome}", outcome=outcome)
    for place in range(2):
        await an_unreadable_item({"phone_number": PHONE, "content": "1"}, place=place)
    await an_opt_out()
