"""Builders for the outbox, in the words of the domain."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record
from factories import HOUSING, REGION

from server.kit import sql
from server.kit.clock import clock
from server.kit.transaction import transaction
from server.messages.rules import Purpose
from server.messages.service import Post, lock, post

PHONE = "13800138000"
VALUES = {
    "date": "12月1日", "hall": "市民中心", "item": "公租房申请", "agency": "住房保障局",
    "answer": "已加开窗口", "code": "ABCD", **{letter: f"原因{letter}" for letter in "abcdefgh"},
}  # fmt: skip


async def posted(purpose: Purpose = Purpose.NOTICE, phone: str = PHONE, **changed: Any) -> UUID:
    """A message in the outbox, due now."""
    now = clock.now()
    given: dict[str, Any] = {
        "region_code": REGION, "agency_code": HOUSING, "purpose": purpose, "phone": phone,
        "values": VALUES, "not_before": now, "not_after": None, "about": None, **changed,
    }  # fmt: skip
    async with transaction():
        await lock([phone], now)
        (message_id,) = await post([Post(**given)], now)
    return message_id


async def row_of(message_id: UUID) -> Record:
    (row,) = await sql.fetch("SELECT * FROM sms_messages WHERE id = $1", message_id)
    return row


async def state_of(message_id: UUID) -> tuple[str, str | None]:
    row = await row_of(message_id)
    return row["state"], row["code"]


async def wait_of(message_id: UUID) -> timedelta:
    """Until something is to be done, in whole seconds."""
    next_at: datetime = (await row_of(message_id))["next_at"]
    return timedelta(seconds=round((next_at - clock.now()).total_seconds()))


async def wanted(purpose: Purpose, about: UUID) -> bool:
    return True


async def unwanted(purpose: Purpose, about: UUID) -> bool:
    return False
