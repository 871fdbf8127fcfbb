"""A grievance is taken in whole, in one commit, or not at all."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from factories import (
    COMMON_MATTER,
    DESK,
    DISTRICT,
    HOUSING,
    JOINT_MATTER,
    LABOUR,
    MATTER,
    REGION,
    City,
)

from server.catalogue import service as catalogue
from server.catalogue.models import Hall
from server.grievances import about, rules, service
from server.grievances.rules import Function, Kind, Source, TicketKnown
from server.grievances.service import Entry, Taken
from server.kit import query_codes as codes
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Invalid
from server.kit.idempotency import Attempt, IdempotencyConflict
from server.kit.transaction import transaction

WORDS = "办事指南里的材料清单和窗口要的不一样，我是王小明，电话13800138000"


def an_entry(**changed: Any) -> Entry:
    place = changed.pop("at", ("H1", "A1", MATTER))
    given = {
        "source": Source.FAULTS,
        "kind": Kind.CORRECTION,
        "words": WORDS,
        "about": about.find(*place),
    }
    return Entry(**{**given, **changed})  # type: ignore[arg-type]


async def stored(taken: Taken) -> tuple[Any, Any, Any]:
    grievance = await sql.fetch_one("SELECT * FROM grievances WHERE id = $1", taken.id)
    assert grievance
    return (
        grievance,
        await sql.fetch_one("SELECT * FROM receipts WHERE id = $1", grievance["receipt_id"]),
        await sql.fetch_one("SELECT * FROM work_orders WHERE number = $1", grievance["order_number"]),
    )  # fmt: skip


async def counted(table: str) -> int:
    return int((await sql.fetch(f"SELECT count(*) FROM {table}"))[0]["count"])


async def nothing_is_stored() -> bool:
    tables = ("grievances", "receipts", "work_orders", "work_order_steps", "call_backs")
    return [await counted(table) for table in tables] == [0] * 5


async def test_receipt_grievance_order_and_first_step_stand_together(city: City) -> None:
    taken = await service.take(an_entry(function=Function.GUIDE))
    grievance, receipt, order = await stored(taken)
    assert (grievance["words"], grievance["source"], grievance["kind"], grievance["function"]) == (
        WORDS, "faults", "correction", "guide",
    )  # fmt: skip
    assert (receipt["channel"], receipt["hall_code"], receipt["window_code"], receipt["matter_code"]) == (
        "grievance", "H1", "A1", MATTER,
    )  # fmt: skip
    assert receipt["phone_key"] is receipt["invite_at"] is receipt["default_at"] is None
    assert (order["number"], order["due_at"]) == (taken.order.number, taken.order.due_at)
    assert (order["origin"], order["origin_key"], order["level"], order["state"]) == (
        "faults", taken.id, None, "assigned",
    )  # fmt: skip
    assert order["tags"] == ["correction", "guide"]
    assert order["visible_from"] <= clock.now() and order["owner_id"] is not None
    assert await counted("work_order_steps") == 1 and await counted("call_backs") == 0
    found = await service.grievance_of(codes.grouped(taken.query_code).lower())
    assert found is not None and found.id == taken.id


async def test_the_agency_gets_the_words_without_what_leads_to_the_citizen(city: City) -> None:
    contact = {"contact_name": "欧阳某甲", "contact_phone": "+852 5123 4567"}
    words = f"{WORDS}，欧阳某甲，85251234567，单号HOT-2026-77"
    taken = await service.take(an_entry(words=words, external_number="HOT-2026-77", **contact))
    grievance, _, order = await stored(taken)
    assert grievance["words"] == words
    for secret in ("王小明", "13800138000", "欧阳某甲", "85251234567", "HOT-2026-77"):
        assert secret not in order["words"]
    assert b"5123" not in grievance["contact"] and grievance["contact_key"]
    assert not order["real_name"]


@pytest.mark.parametrize(
    ("at", "lead"),
    [
        (("H1", "A1", JOINT_MATTER), LABOUR), (("H1", "A1", COMMON_MATTER), DESK),
        (("H1", "B1"), LABOUR), (("H1",), DESK), ((None, None, MATTER), HOUSING), ((), DESK),
        ((None, None, COMMON_MATTER), DESK), (("H1", None, None, LABOUR), LABOUR),
        (("H1", "A1", None, LABOUR), LABOUR), ((None, None, MATTER, LABOUR), HOUSING),
        ((None, None, None, LABOUR), LABOUR), ((None, None, COMMON_MATTER, LABOUR), LABOUR),
    ],
)  # fmt: skip
async def test_somebody_always_answers(city: City, at: tuple[str | None, ...], lead: str) -> None:
    _, _, order = await stored(await service.take(an_entry(at=at)))
    assert order["agency_code"] == lead
    assert order["region_code"] == (DISTRICT if lead == LABOUR else REGION)
    assert order["matter"]
    others = [HOUSING] if JOINT_MATTER in at else []
    assert order["co_agency_codes"] == others and await counted("order_parts") == len(others)


async def test_of_several_halls_the_highest_answers_for_what_has_no_place(city: City) -> None:
    await Hall.create(code="A0", name="街道", region_code=DISTRICT, desk_agency_code=LABOUR)
    await catalogue.load()
    assert about.find().lead == DESK
    await sql.fetch("DELETE FROM halls")
    await catalogue.load()
    assert about.find().lead == HOUSING, "the agency of the city with the first code"
    await sql.fetch("DELETE FROM agencies")
    await catalogue.load()
    with pytest.raises(about.NoDesk):
        about.find()


@pytest.mark.parametrize(
    ("kind", "days"), [(Kind.REFUSED, 1), (Kind.CANNOT, 3), (Kind.HARD, 5), (Kind.SUGGESTION, 7)]
)
async def test_the_limit_is_that_of_the_kind(city: City, kind: Kind, days: int) -> None:
    await sql.fetch("UPDATE policies SET simple_days = 7")
    await catalogue.load()
    source = Source.FAULTS if kind is Kind.SUGGESTION else Source.STUCK
    _, _, order = await stored(await service.take(an_entry(source=source, kind=kind)))
    assert order["answer_days"] == days


async def test_a_real_name_is_called_back(city: City) -> None:
    taken = await service.take(an_entry(real_name=True, contact_phone="13900139000"))
    (row,) = await sql.fetch("SELECT * FROM call_backs")
    assert (row["review_id"], row["order_number"], row["kind"], row["state"]) == (
        taken.id, taken.order.number, "real_name", "waiting",
    )  # fmt: skip
    _, _, order = await stored(taken)
    assert order["real_name"]


async def test_what_a_clerk_enters_has_its_operator_its_day_and_its_first_asked(city: City) -> None:
    day = (clock.now() - timedelta(days=3)).date()
    entry = an_entry(
        source=Source.LETTER, kind=None, channel=rules.Channel.PAPER, entered_by=7, first_asked_id=7,
        came_on=day,
    )  # fmt: skip
    grievance, receipt, order = await stored(await service.take(entry))
    assert (grievance["entered_by"], grievance["came_on"], grievance["channel"]) == (
        7,
        day,
        "paper",
    )
    assert order["first_asked_id"] == 7 and order["tags"] == []
    assert receipt["handled_at"].date() == day
    with pytest.raises(Exception, match="clerks_entry_has_its_operator"):
        await service.take(replace(entry, entered_by=None))
    assert await counted("receipts") == 1, "nothing of the second stays behind"


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"words": " \u200b\n"}, "blank_text", "text"),
        ({"words": "字" * 1001}, "comment_too_long", "text"),
        ({"kind": None}, "kind_required", "kind"),
        ({"kind": Kind.CANNOT}, "wrong_kind", "kind"),
        ({"source": Source.STUCK, "kind": Kind.CORRECTION}, "wrong_kind", "kind"),
        ({"source": Source.STUCK, "kind": Kind.HARD, "function": Function.GUIDE}, "wrong_kind", "function"),
        ({"contact_phone": "12345"}, "invalid_phone", "contact.phone"),
        ({"real_name": True}, "contact_required", "contact.phone"),
    ],
)  # fmt: skip
async def test_what_is_missing_is_named(
    city: City, changed: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await service.take(an_entry(**changed))
    assert (refused.value.code, refused.value.errors[0].field) == (code, field)
    assert await nothing_is_stored()


@pytest.mark.parametrize(
    ("at", "field"),
    [(("H9",), "hall_code"), (("H1", "Z"), "window_code"), ((None, "A1"), "window_code"),
     ((None, None, "x"), "matter_code"), ((None, None, None, "x"), "agency_code")],
)  # fmt: skip
async def test_what_is_unknown_is_named(city: City, at: tuple[str | None, ...], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        about.find(*at)
    assert refused.value.errors[0].field == field


async def test_the_same_request_is_one_grievance_also_at_once(city: City) -> None:
    entry = an_entry(attempt=Attempt("k" * 22, "d"))
    first, *others = await asyncio.gather(*(service.take(entry) for _ in range(8)))
    assert all(other == first for other in others)
    assert (
        await counted("grievances")
        == await counted("receipts")
        == await counted("work_orders")
        == 1
    )
    with pytest.raises(IdempotencyConflict):
        await service.take(an_entry(words="另一件事", attempt=Attempt("k" * 22, "e")))
    assert await service.earlier(Attempt("k" * 22, "d")) == first
    assert await service.earlier(Attempt("m" * 22, "d")) is None


async def test_one_ticket_of_another_system_is_one_grievance_also_at_once(city: City) -> None:
    entry = an_entry(source=Source.HOTLINE, kind=None, entered_by=7, external_number=" 12345-1 ")
    told = await asyncio.gather(*(service.take(entry) for _ in range(5)), return_exceptions=True)
    (taken,) = [one for one in told if isinstance(one, Taken)]
    refused = [one for one in told if isinstance(one, TicketKnown)]
    assert len(refused) == 4 and all(taken.order.number in str(one) for one in refused)
    assert await counted("receipts") == 1
    # Another door numbers its own.
    await service.take(replace(entry, source=Source.NATIONAL))
    assert await counted("grievances") == 2


async def test_a_refused_row_spoils_no_transaction_around_it(city: City) -> None:
    entry = an_entry(source=Source.NATIONAL, kind=None, entered_by=7, external_number="N1")
    async with transaction():
        await service.take(entry)
        with pytest.raises(TicketKnown):
            await service.take(entry)
        await service.take(replace(entry, external_number="N2"))
    assert await counted("grievances") == 2
