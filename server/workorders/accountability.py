"""问责: who is to answer for what, and what followed. Written once for an order and a reason."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from server.catalogue.service import catalogue
from server.kit import metrics, sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Missing
from server.kit.transaction import transaction
from server.people.rules import Role
from server.people.service import Member
from server.workorders.models import Accountability, WorkOrder
from server.workorders.rules import WrongRole, check_text


class Why(StrEnum):
    OVERDUE = "overdue"
    RULED = "ruled"
    SUPERVISION_LATE = "supervision_late"
    REPEATED = "repeated"
    RETALIATION = "retaliation"
    TOLD_NOBODY = "told_nobody"
    FORCED = "forced"
    """强迫评价 (N40, N47): a citizen was pressed for praise."""
    FALSIFIED = "falsified"
    """弄虚作假 (N40): a receipt was voided or issued anew to be rid of a bad review."""


WHY_NAMES = {
    Why.OVERDUE: "逾期不办",
    Why.RULED: "督办裁定",
    Why.SUPERVISION_LATE: "督办逾期",
    Why.REPEATED: "反复被差评",
    Why.RETALIATION: "打击报复",
    Why.TOLD_NOBODY: "答复未告知群众",
    Why.FORCED: "强迫评价",
    Why.FALSIFIED: "弄虚作假",
}


class UnknownRecord(Missing):
    code = "unknown_accountability"
    title = "没有这条问责记录"


class AlreadyFollowed(Conflict):
    code = "already_followed"
    title = "这条问责记录已经写明处理结果"


class AlreadyListed(Conflict):
    code = "already_listed"
    title = "这张工单已经因为同样的原因列入问责"


async def add(
    order: WorkOrder, why: Why, now: datetime, *, words: str = "", by_id: int | None = None
) -> bool:
    """In the caller's transaction; False if the order is on the list for this reason already."""
    rows = await sql.fetch(
        "INSERT INTO accountability (region_code, agency_code, order_number, staff_id, why, words, "
        "at, by_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id",
        order.region_code, order.agency_code, order.number, order.owner_id, why, words, now, by_id,
    )  # fmt: skip
    if rows:
        metrics.accountable.labels(why).inc()
    return bool(rows)


async def add_officer(
    agency_code: str, officer_number: str, before: int, words: str, now: datetime
) -> bool:
    """G15, N40: an officer who is rated badly again and again; `before` is how many records of the
    kind there were when it was counted, so that two who count at once write one."""
    agency = catalogue().agencies.get(agency_code)
    rows = await sql.fetch(
        "INSERT INTO accountability (region_code, agency_code, officer_number, ordinal, why, words, "
        "at) VALUES ($1, $2, $3, $4, 'repeated', $5, $6) ON CONFLICT DO NOTHING RETURNING id",
        agency.region_code if agency else "", agency_code, officer_number, before + 1, words, now,
    )  # fmt: skip
    if rows:
        metrics.accountable.labels(Why.REPEATED).inc()
    return bool(rows)


async def add_place(
    region_code: str, agency_code: str, officer_number: str | None, why: Why, now: datetime, *,
    words: str, by_id: int,
) -> None:  # fmt: skip
    """Without an order: an agency, and the officer who handled the case if he is known. Whoever
    decides does it once; the words hold nothing of the citizen. In the caller's transaction."""
    await Accountability.create(
        region_code=region_code, agency_code=agency_code, officer_number=officer_number, why=why,
        words=words, at=now, by_id=by_id,
    )  # fmt: skip
    metrics.accountable.labels(why).inc()


def readable_by(member: Member) -> tuple[str, list[Any]]:
    """Condition on the records and its values: supervisors and auditors, of their regions."""
    if member.role not in (Role.SUPERVISOR, Role.AUDITOR):
        return "FALSE AND $1::text[] IS NULL", [None]
    return "region_code = ANY($1::text[])", [sorted(catalogue().within(member.region_code))]


async def records(
    member: Member, *, unfollowed: bool | None = None, before: int | None = None, limit: int = 50
) -> list[Accountability]:
    """Newest first; `before` is the id behind which a page goes on."""
    where, values = readable_by(member)
    if unfollowed is not None:
        where += f" AND followed_at IS {'' if unfollowed else 'NOT '}NULL"
    if before is not None:
        values.append(before)
        where += f" AND id < ${len(values)}"
    rows = await sql.fetch(
        f"SELECT * FROM accountability WHERE {where} ORDER BY id DESC LIMIT {int(limit)}",  # noqa: S608
        *values,
    )
    return [Accountability._init_from_db(**dict(row)) for row in rows]


async def count_unfollowed(member: Member) -> int:
    where, values = readable_by(member)
    rows = await sql.fetch(
        f"SELECT count(*) FROM accountability WHERE {where} AND followed_at IS NULL",  # noqa: S608
        *values,
    )
    return int(rows[0]["count"])


async def follow(member: Member, record_id: int, text: str) -> Accountability:
    """What followed: written once, by a supervisor of the region."""
    if member.role is not Role.SUPERVISOR:
        raise WrongRole
    words = check_text(text)
    async with transaction():
        record = await Accountability.select_for_update().get_or_none(id=record_id)
        if record is None or record.region_code not in catalogue().within(member.region_code):
            raise UnknownRecord
        if record.followed_at is not None:
            raise AlreadyFollowed
        record.followed, record.followed_at, record.followed_by_id = words, clock.now(), member.id
        await record.save(update_fields=["followed", "followed_at", "followed_by_id"])
    return record
