"""Thirty days of the invented city as rows: receipts, reviews, orders and all that hangs on them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tortoise import connections

from server.catalogue.models import Policy
from server.catalogue.service import Catalogue, catalogue
from server.demo.answered import answered
from server.demo.city import CITY, SEED
from server.demo.conversations import Told, conversations
from server.demo.days import Month
from server.demo.desks import around, call_back
from server.demo.life import Life, People
from server.demo.lives import Fate
from server.demo.opinions import Opinion, opinions
from server.demo.papers import forms, with_operators
from server.demo.samples import sampled
from server.demo.silence import defaults
from server.demo.suspected import suspected
from server.demo.visits import Visit, visits
from server.demo.walls import visit_row, without_slips
from server.kit import query_codes as codes
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Refusal
from server.kit.query_codes import CROCKFORD
from server.receipts import service as receipts
from server.reviews import paper
from server.reviews import service as reviews
from server.reviews.rules import UNVERIFIED, ReviewChannel, ReviewState, is_bad
from server.reviews.snapshot import Given, Verdict, snapshot_of
from server.workorders.deadlines import Unit, due_or_provisional
from server.workorders.rules import State

Row = dict[str, Any]
NUMBERED = (
    "receipts", "work_order_steps", "samples", "suspicions", "suspicion_looks", "voids",
)  # fmt: skip
"""Their ids are the demo's own."""


async def write() -> dict[str, int]:
    """Into the caller's transaction; gives how many rows of each table."""
    tables = until(clock.now(), await _people())
    for table, rows in tables.items():
        if rows:
            await _copy(table, rows)
    for table in NUMBERED:
        await sql.fetch(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), $1)",
            max(1, len(tables[table])),
        )
    return {table: len(rows) for table, rows in tables.items()}


def until(now: datetime, people: People) -> dict[str, list[Row]]:
    """The thirty days up to that moment, in the order in which they can be written."""
    known = catalogue()
    month = Month.until(now, known.calendar)
    rng = Random(SEED + 2)  # noqa: S311
    came = list(visits(rng, month, known))
    issued = {visit.number: _receipt(visit) for visit in came}
    policy = known.policy(CITY)
    said = without_slips(
        opinions(rng, month, came, list(known.tags.values()), policy.review_days), came
    )
    for opinion in said:
        if opinion.channel in UNVERIFIED:
            number = opinion.visit.number
            issued[number] = visit_row(issued[number], known)
    lives = _lives(rng, month, known, said, issued, people)
    drawn = sampled(Random(SEED + 5), month, said, issued, people)  # noqa: S311
    told = Told(came, issued, said, lives, month.now)
    written = conversations(Random(SEED + 3), told, drawn).tables()  # noqa: S311
    rated = [_review(o, issued[o.visit.number], lives.get(o.id), policy.undo_minutes) for o in said]
    rated += defaults(Random(SEED + 4), month.now, issued, rated, written["questions"])  # noqa: S311
    looked_at = suspected(Random(SEED + 7), month.now, policy, issued, rated, people)  # noqa: S311
    papers = forms(Random(SEED + 8), month, said, issued, people, known)  # noqa: S311
    rated = with_operators(rated, papers)
    hanging = around([*lives.values(), *drawn.lives], known, month, people, drawn)
    return {
        "receipts": list(issued.values()), "reviews": rated,
        "work_orders": [life.row for life in (*lives.values(), *drawn.lives)],
        "questionnaire_answers": list(answered(Random(SEED + 6), said, issued)),  # noqa: S311
        "paper_forms": papers, **hanging, **written, **looked_at,
    }  # fmt: skip


def _receipt(visit: Visit) -> Row:
    """By the rules of the door through which receipts come in."""
    desk = receipts.Desk.of(visit.agency_code)
    checked = desk.check(visit.form, visit.issued_at)
    if isinstance(checked, Refusal):
        raise RuntimeError(f"the demo's own receipt is refused: {checked.errors}")
    form = checked.form
    (applicant,), (phone_key,), (digest,) = receipts.under_keys([checked])
    return {
        "id": visit.number, "region_code": desk.region_code, "agency_code": visit.agency_code,
        "case_number": form.case_number, "service_number": form.service_number,
        "matter_code": form.matter_code, "window_code": form.window_code,
        "officer_number": form.officer_number, "stage": form.stage, "channel": form.channel,
        "hall_code": None, "handled_at": form.handled_at, "issued_at": visit.issued_at,
        "open_until": checked.open_until, "applicant": applicant,
        "phone_key": phone_key, "digest": digest, "default_at": None, "voided_at": None,
    }  # fmt: skip


def _lives(
    rng: Random, month: Month, known: Catalogue, said: Sequence[Opinion],
    issued: Mapping[int, Row], people: People,
) -> dict[Any, Life]:  # fmt: skip
    """Review → its order. Of a bad one without its reason there is none yet."""
    policy = known.policy(CITY)
    lives = {
        o.id: _born(rng, month, o, issued[o.visit.number], policy)
        for o in said if is_bad(o.level) and o.state is not ReviewState.AWAITING_REASON
    }  # fmt: skip
    for life in lives.values():
        life.call_back = call_back(rng, life, policy.callback_days)
    fate = Fate(rng, month, policy, people)
    fate.play([lives[o.id] for o in said if o.id in lives and o.undone_at is None])
    for opinion in said:
        if opinion.id in lives and opinion.undone_at:
            fate.withdraw(lives[opinion.id], opinion.undone_at)
    return lives


def _born(rng: Random, month: Month, opinion: Opinion, receipt: Row, policy: Policy) -> Life:
    """As the product would have opened it at that moment; only the number is the demo's own."""
    undo_until = opinion.at + timedelta(minutes=policy.undo_minutes)
    given = Given(
        id=opinion.id, query_code="", receipt=receipt, verdict=_verdict(opinion), contact=None,
        channel=opinion.channel, policy=policy, at=opinion.at, undo_until=undo_until,
    )  # fmt: skip
    on_paper = opinion.channel is ReviewChannel.PAPER
    snapshot = snapshot_of(given, paper.ORIGIN) if on_paper else snapshot_of(given)
    contact, answer = (
        due_or_provisional(undo_until, days, Unit.WORKING, month.calendar)
        for days in (policy.contact_days, policy.simple_days)
    )
    number = f"{snapshot.opened_on.year}{''.join(rng.choices(CROCKFORD, k=10))}"
    row = asdict(snapshot) | {
        "number": number, "contact_due_at": contact.at, "due_at": answer.at,
        "provisional": contact.provisional or answer.provisional,
        "answer_days": policy.simple_days,
    }  # fmt: skip
    return Life(opinion, opinion.at, row)


def _verdict(opinion: Opinion) -> Verdict:
    return Verdict(
        level=opinion.level, tags=opinion.tags, comment=opinion.comment, real_name=opinion.real_name
    )


def _review(opinion: Opinion, receipt: Row, life: Life | None, undo_minutes: int) -> Row:
    state = opinion.state
    if state is not ReviewState.AWAITING_REASON:
        reviews.checked(_verdict(opinion), receipt)
    if life and life.state is State.DISMISSED:
        state = ReviewState.EXCLUDED
    return {
        "id": opinion.id, "receipt_id": opinion.visit.number,
        "region_code": receipt["region_code"],
        "level": opinion.level, "tags": opinion.tags, "comment": opinion.comment, "state": state,
        "channel": opinion.channel, "real_name": opinion.real_name, "at": opinion.at,
        "undo_until": opinion.at + timedelta(minutes=undo_minutes), "undone_at": opinion.undone_at,
        "order_number": life.row["number"] if life else None,
        "query_key": codes.query_key(codes.query_code(opinion.id)), "replaced_at": None,
    }  # fmt: skip


async def _copy(table: str, rows: Sequence[Row]) -> None:
    columns = list(rows[0])
    client: Any = connections.get("default")
    async with client.acquire_connection() as connection:
        await connection.copy_records_to_table(
            table, columns=columns, records=[tuple(row[name] for name in columns) for row in rows]
        )


async def _people() -> People:
    """Everybody with an account, by role and agency."""
    of: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for row in await sql.fetch("SELECT id, role, agency_code FROM staff ORDER BY id"):
        of[row["role"], row["agency_code"]].append(row["id"])
    return People(of)
