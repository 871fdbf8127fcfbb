"""回访: who rated is asked again. Real-name bad reviews by a person, every one; drawn satisfied ones by
SMS or on their own page."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from asyncpg import Record as Row

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.errors import Conflict, Fault, Invalid
from server.kit.transaction import transaction
from server.people.rules import Role
from server.people.service import Member
from server.reviews import rules, service, voices
from server.reviews.models import Review
from server.reviews.rules import ReviewChannel
from server.reviews.snapshot import Given, Verdict, snapshot_of
from server.reviews.voices import Voice
from server.workorders import moves, opening, to_call
from server.workorders import service as orders
from server.workorders.models import WorkOrder
from server.workorders.opening import Opening, Snapshot, open_order, working
from server.workorders.rules import (
    BlankText,
    IllegalMove,
    Record,
    State,
    Told,
    WrongRole,
    is_blank,
)

SAMPLE, REAL_NAME = "sample", "real_name"
TRIES = 3
"""Days on which nobody answered, after which a person has done what he could."""


class Anonymous(Conflict):
    code = "anonymous"
    title = "这是匿名评价，只能通过中转留言联系群众"


class AlreadyCalled(Conflict):
    code = "already_called_back"
    title = "已经登记过回访"


class SatisfiedRequired(Invalid):
    code = "satisfied_required"
    title = "联系上了群众，请登记他是否满意"


@dataclass(frozen=True, kw_only=True)
class Talk:
    """What a person writes down after he has called."""

    reached: bool
    satisfied: bool | None = None
    told_answer: bool = False
    """He told the citizen what the agency answered."""
    text: str = ""


def check(talk: Talk) -> None:
    if talk.reached and talk.satisfied is None:
        raise SatisfiedRequired(
            errors=[Fault("satisfied", SatisfiedRequired.code, SatisfiedRequired.title)]
        )
    if not (talk.reached and talk.satisfied) and is_blank(talk.text):
        why = "请写下群众不满意的原因" if talk.reached else "请写下怎样联系、为何没有联系上"
        raise BlankText(errors=[Fault("text", "blank_text", why)])


async def record(member: Member, number: str, talk: Talk) -> WorkOrder:
    """The form of the person who called. Also after the order has closed: none is left out."""
    check(talk)
    async with transaction():
        order = await moves.find(member, number, lock=True)
        check_caller(member, order)
        if not order.real_name:
            raise Anonymous
        if order.state == State.ASSIGNED:
            raise IllegalMove("请先受理，再回访群众")
        if talk.told_answer and (await orders.followed(order)).state != State.ANSWERED:
            raise IllegalMove("现在没有可以告知群众的答复")
        return await _written(member, order, talk, clock.now())


def check_caller(member: Member, order: WorkOrder) -> None:
    """The named verifier, or the lead of his agency."""
    ours = member.agency_code == order.agency_code
    named = member.id == order.verifier_id
    if not ours or not (named or member.role is Role.AGENCY_LEAD):
        raise WrongRole("由这张工单的核实人或部门负责人回访")


async def _written(member: Member, order: WorkOrder, talk: Talk, now: datetime) -> WorkOrder:
    voice = await voices.of_id(order.origin_key)
    words = await service.redacted(voice, rules.check_comment(talk.text))
    done = await sql.fetch(
        "UPDATE call_backs SET state = $3, satisfied = $4, words = $5, staff_id = $6, "
        "channel = 'phone', done_at = $7 WHERE review_id = $1 AND kind = $2 AND state <> 'done' "
        "RETURNING id",
        voice.id, REAL_NAME, "done" if talk.reached else "unreachable", talk.satisfied, words,
        member.id, now if talk.reached else None,
    )  # fmt: skip
    if not done:
        raise AlreadyCalled
    told: dict[str, Any] = {}
    if talk.told_answer and order.told_at is None:
        told = {"told_at": now, "told_how": Told.CALL}
    order = await moves.record(
        order, Record.CALL_BACK, words or "已联系上群众，群众表示满意", now=now, actor=member.role,
        actor_id=member.id, **told,
    )  # fmt: skip
    if await done_for(order.number):
        order.called_back_at = now
        await order.save(update_fields=["called_back_at"])
    return order


async def done_for(number: str) -> bool:
    """Whether all was done to speak with the rater: he was reached, or on TRIES days he was not.

    True where there is nobody to call."""
    row = await sql.fetch_one(
        "SELECT b.state, (SELECT count(DISTINCT (s.at AT TIME ZONE 'UTC' + interval '8 hours')::date)"
        "  FROM work_order_steps s WHERE s.order_id = o.number AND s.move = 'call_back') AS days "
        "FROM work_orders o JOIN call_backs b ON b.review_id = o.origin_key AND b.kind = $2 "
        "WHERE o.number = $1",
        number, REAL_NAME,
    )  # fmt: skip
    return row is None or row["state"] == "done" or row["days"] >= TRIES


# Of the drawn ones


async def waiting(voice: Voice) -> Row | None:
    """The question that this rater is asked now, if he was drawn and has not answered."""
    if not isinstance(voice, Review) or rules.is_bad(voice.level):
        return None
    return await sql.fetch_one(
        "SELECT * FROM call_backs WHERE review_id = $1 AND kind = 'sample' "
        "AND state IN ('waiting', 'asked') AND due_at >= $2",
        voice.id, clock.now(),
    )  # fmt: skip


_NO = """answered AS (
  UPDATE call_backs SET state = 'done', satisfied = {satisfied}, words = {said}, channel = {channel},
    done_at = {now}, order_number = {number_of_no}
  WHERE review_id = {review} AND kind = 'sample' AND state <> 'done' RETURNING review_id AS id
)"""


async def answer(
    voice: Voice, *, satisfied: bool, comment: str, channel: ReviewChannel
) -> Opening | None:
    """One statement: what he says, and the order that a "no" opens. The review stays as it is."""
    if not isinstance(voice, Review):
        raise rules.NoCallBack  # only ratings are drawn
    review, said, now = voice, rules.check_comment(comment), clock.now()
    words = await service.redacted(review, said)
    opened = None if satisfied else open_order(
        await _snapshot(review, said, now), catalogue().policy(review.region_code),
        answer_days=catalogue().policy(review.region_code).callback_days,
    )  # fmt: skip
    values = {
        "satisfied": satisfied, "said": words, "channel": str(channel), "now": now,
        "number_of_no": opened.number if opened else None, "review": review.id,
    }  # fmt: skip
    openings = [opened] if opened else []
    parts = [
        sql.Part(_NO, values), *opening.stored(openings, after="answered"),
        *to_call.stored(openings, after="answered"),
    ]  # fmt: skip
    if not await sql.together(parts, "SELECT id FROM answered"):
        raise rules.NoCallBack
    return opened


async def _snapshot(review: Review, said: str, now: datetime) -> Snapshot:
    receipt = await _receipt(review)
    given = Given(
        id=review.id, query_code="", receipt=receipt, contact=review.contact,
        verdict=Verdict(
            level=review.level, tags=review.tags, comment=said or review.comment,
            real_name=review.real_name,
        ),
        channel=ReviewChannel(review.channel), policy=catalogue().policy(review.region_code),
        at=review.at, undo_until=review.undo_until,
    )  # fmt: skip
    seen = snapshot_of(given, SAMPLE)
    return replace(seen, opened_on=now.astimezone(BEIJING).date(), visible_from=now)


async def _receipt(review: Review) -> Any:
    (row,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", review.receipt_id)
    return row


async def give_up() -> int:
    """The tick: of whom no answer came in time."""
    rows = await sql.fetch(
        "UPDATE call_backs SET state = 'unreachable', done_at = $1 WHERE done_at IS NULL "
        "AND kind = 'sample' AND due_at < $1 RETURNING 1",
        clock.now(),
    )
    return len(rows)


async def redate() -> int:
    """A calendar came or changed: until when the waiting ones are to be done."""
    rows = await sql.fetch(
        "SELECT id, region_code, made_at, due_at FROM call_backs WHERE done_at IS NULL"
    )
    moved = [
        (row["id"], due) for row in rows
        if (due := due_of(row["region_code"], row["made_at"])) != row["due_at"]
    ]  # fmt: skip
    await sql.fetch(
        "UPDATE call_backs SET due_at = d.at FROM unnest($1::uuid[], $2::timestamptz[]) AS d(id, at) "
        "WHERE call_backs.id = d.id",
        [one for one, _ in moved], [due for _, due in moved],
    )  # fmt: skip
    return len(moved)


def due_of(region_code: str, made_at: datetime) -> datetime:
    return working(made_at, catalogue().policy(region_code).callback_days).at


# Counted


@dataclass(frozen=True)
class Rate:
    """百分百回访: of all real-name bad reviews those whose rater was spoken with."""

    done: int
    all: int
    overdue: int


# A review that was undone had no order that anybody saw.
_OF = """
FROM call_backs b JOIN (SELECT * FROM work_orders WHERE {where}) o ON o.number = b.order_number
JOIN voices r ON r.id = b.review_id AND r.state <> 'undone'
WHERE b.kind = 'real_name'
"""


async def rate(member: Member) -> Rate:
    """Of what this member may see."""
    of, values = _of(member)
    (row,) = await sql.fetch(
        "SELECT count(*) FILTER (WHERE b.state = 'done') AS done, count(*) AS all, "
        f"count(*) FILTER (WHERE b.state <> 'done' AND b.due_at < $1) AS overdue {of}",
        *values,
    )
    return Rate(row["done"], row["all"], row["overdue"])


async def to_do(member: Member, *, after: tuple[datetime, str] | None, limit: int) -> list[Row]:
    """Who is still to be called, the most urgent first; one more than `limit` if there are more."""
    of, values = _of(member)
    if after:
        of += f" AND (b.due_at, b.order_number) > (${len(values) + 1}, ${len(values) + 2})"
        values += after
    return await sql.fetch(
        "SELECT b.order_number, b.state, b.due_at, o.matter, o.agency_code, o.verifier_id "
        f"{of} AND b.state <> 'done' ORDER BY b.due_at, b.order_number LIMIT {int(limit) + 1}",
        *values,
    )


def _of(member: Member) -> tuple[str, list[Any]]:
    where, values = moves.visible_to(member, clock.now())
    return _OF.format(where=where), values
