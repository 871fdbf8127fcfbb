"""Paper forms: who prints and keys in, what a keyed-in form becomes, and that each blank counts once."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from factories import (
    COMMON_MATTER,
    DESK,
    DISTRICT,
    HOUSING,
    JOINT_MATTER,
    LABOUR,
    LABOUR_MATTER,
    MATTER,
    REGION,
    City,
)
from httpx import AsyncClient

from server.catalogue import service as catalogue
from server.catalogue.models import Hall, Window
from server.kit import privacy, sql
from server.kit import query_codes as codes
from server.kit.clock import BEIJING, clock
from server.kit.errors import Refusal
from server.people.models import AccessLog, Staff
from server.people.rules import Role
from server.people.service import Member
from server.receipts.blanks import Blank, UnknownPaperForm
from server.receipts.codes import code_of
from server.reviews import news, paper, sampling, walls
from server.reviews.paper import BadPaperForm, OwnPaperForm, PaperFormEntered
from server.reviews.paper_rules import Row
from server.settings import Settings


async def member(username: str = "desk") -> Member:
    return Member.of(await Staff.get(username=username))


async def of(role: Role, agency: str | None = None, region: str = REGION) -> Member:
    row = (await Staff.filter(username="desk").values())[0]
    changed = {"username": f"{role}-{agency}-{region}", "role": role, "agency_code": agency}
    del row["id"]
    return Member.of(await Staff.create(**(row | changed | {"region_code": region})))


async def blank(window: str | None = "A1", by: str = "supervisor") -> Blank:
    (made,) = await paper.print_blanks(walls.find("H1", window), 1, await member(by))
    return made


def row(form: Blank, level: int = 1, **changed: Any) -> Row:
    reasons = {"reasons": "115"} if level == 1 else {}
    return Row(
        **({"code": form.code, "level": str(level), "again": str(level)} | reasons | changed)
    )


async def stored() -> Any:
    return await sql.fetch(
        "SELECT r.*, t.channel AS by, t.agency_code, t.matter_code, t.window_code, t.hall_code,"
        " t.handled_at, t.open_until, t.phone_key, t.invite_at, t.applicant FROM reviews r "
        "JOIN receipts t ON t.id = r.receipt_id ORDER BY r.at"
    )


async def order() -> Any:
    return await sql.fetch_one("SELECT * FROM work_orders")


async def faults(entry: Row, by: Member) -> dict[str, str]:
    with pytest.raises(BadPaperForm) as refused:
        await paper.enter(entry, by)
    return {fault.field: fault.code for fault in refused.value.errors}


async def test_a_bad_form_becomes_visit_review_and_order_with_its_operator(
    http: AsyncClient, city: City
) -> None:
    form, desk = await blank(), await member()
    clock.advanced += timedelta(days=20)  # the box is emptied once in a while
    day = (clock.now() - timedelta(days=15)).date()
    await paper.enter(row(form, day=f"{day:%m-%d}", matter="公租房", words="排队"), desk)
    (review,), opened = await stored(), await order()
    assert (review["channel"], review["state"], review["level"]) == ("paper", "standing", 1)
    assert (review["entered_by"], review["tags"], review["comment"]) == (desk.id, ["115"], "排队")
    assert (review["by"], review["agency_code"], review["matter_code"], review["window_code"]) == (
        "wall", HOUSING, MATTER, "A1",
    )  # fmt: skip
    assert review["handled_at"].astimezone(BEIJING).date() == day
    assert review["open_until"] > clock.now()
    assert review["phone_key"] is review["invite_at"] is review["applicant"] is None
    assert (opened["origin"], opened["agency_code"], opened["matter"], opened["window"]) == (
        "paper", HOUSING, "公租房申请", "1号窗口",
    )  # fmt: skip
    assert opened["visible_from"] == review["undo_until"]
    (kept,) = await sql.fetch("SELECT * FROM paper_forms")
    assert (kept["review_id"], kept["entered_by"]) == (review["id"], desk.id)
    assert kept["entered_at"] == review["at"]


async def test_the_stub_is_the_query_code_and_says_so_before_it_is_keyed_in(
    http: AsyncClient, city: City
) -> None:
    form = await blank()
    track = f"/api/v1/track/{form.stub}"
    waiting = await http.get(track)
    assert (waiting.status_code, waiting.json()["code"]) == (404, "unknown_query_code")
    assert "还没有录入" in waiting.json()["title"]
    assert "还没有录入" not in (await http.get(f"/api/v1/track/{form.code}")).json()["title"]
    await paper.enter(row(form), await member())
    shown = (await http.get(track)).json()
    assert (shown["review"]["level"], shown["review"]["channel"]) == (1, "paper")
    assert shown["work_order"]["number"] == (await order())["number"]
    # Whoever keyed it in has read the other code, and that one opens nothing.
    assert (await http.get(f"/api/v1/track/{form.code}")).status_code == 404


async def test_the_citizen_takes_it_back_by_his_stub_and_rates_anew(
    http: AsyncClient, city: City
) -> None:
    form = await blank()
    await paper.enter(row(form), await member())
    assert (await http.post(f"/t/{form.stub}/undo")).status_code == 303
    assert (await order())["state"] == "withdrawn"
    page = (await http.get(f"/t/{form.stub}")).text
    (review,) = await stored()
    code = code_of(review["receipt_id"])
    assert f"/e/{code}" in page
    assert (await http.post(f"/api/v1/e/{code}/review", json={"level": 4})).status_code == 201
    assert [r["channel"] for r in await stored()] == ["paper", "static_qr"]
    with pytest.raises(PaperFormEntered):
        await paper.enter(row(form), await member())


async def test_a_good_one_has_no_order_and_no_reasons_are_asked(
    http: AsyncClient, city: City
) -> None:
    await paper.enter(row(await blank(), 5), await member())
    (review,) = await stored()
    assert (review["level"], review["order_number"]) == (5, None)
    assert await order() is None


async def test_a_bad_one_without_a_reason_is_kept_and_a_person_is_to_find_out(
    http: AsyncClient, city: City
) -> None:
    form, desk = await blank(), await member()
    assert await faults(row(form, reasons=""), desk) == {"reasons": "reason_required"}
    assert await stored() == []
    await paper.enter(row(form, reasons="", no_reason=True), desk)
    opened = await order()
    assert (opened["origin"], opened["words"], opened["tags"]) == ("paper", "", [])
    assert opened["answer_days"] == catalogue.catalogue().policy(REGION).callback_days


async def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_stored(
    http: AsyncClient, city: City
) -> None:
    form, desk = await blank(), await member()
    wrong = Row(
        code=form.code, level="2", again="3", reasons="999", words="字" * 501, day="13-1", window="B1",
        matter="社保卡", case_number="9" * 65, name="名" * 101, phone="123",
    )  # fmt: skip
    assert await faults(wrong, desk) == {
        "again": "level_mismatch", "reasons": "unknown_tag", "words": "too_long", "day": "bad_day",
        "window": "printed_window", "matter": "unknown_matter", "case_number": "bad_case_number",
        "name": "too_long", "phone": "invalid_phone",
    }  # fmt: skip
    assert await sql.fetch("SELECT 1 FROM receipts") == []


async def test_a_reason_of_another_level_goes_into_the_words(http: AsyncClient, city: City) -> None:
    await paper.enter(row(await blank(), reasons="115 213"), await member())
    (review,) = await stored()
    assert review["tags"] == ["115"] and review["comment"] == "（表上还勾了：原因213）"


@pytest.mark.parametrize(
    ("window", "matter", "lead"),
    [
        ("", "", DESK), ("1号窗口", "", HOUSING), ("B1", "", LABOUR), ("2号", "社保卡补办", LABOUR),
        ("", LABOUR_MATTER, LABOUR), ("", "综合咨询", DESK), ("A1", "新居", LABOUR),
    ],
)  # fmt: skip
async def test_the_order_of_a_halls_form_goes_to_who_is_responsible(
    http: AsyncClient, city: City, window: str, matter: str, lead: str
) -> None:
    form = await blank(None)
    await paper.enter(row(form, window=window, matter=matter), await member("supervisor"))
    assert (await order())["agency_code"] == lead


async def test_an_unknown_window_or_a_matter_that_is_two_is_told(
    http: AsyncClient, city: City
) -> None:
    form, desk = await blank(None), await member()
    assert await faults(row(form, window="9号"), desk) == {"window": "unknown_window"}
    assert await faults(row(form, window="窗口"), desk) == {"window": "unknown_window"}
    assert await faults(row(form, matter="申请或补办"), desk) == {"matter": "unknown_matter"}
    assert await faults(row(form, window="A1", matter=LABOUR_MATTER), desk) == {
        "matter": "unknown_matter"
    }


async def test_contact_means_real_name_and_news_and_the_agency_sees_nothing_of_it(
    http: AsyncClient, city: City
) -> None:
    words = "我是龚珑琥，电话13700460001，编号CASE-7-SECRET，等了两小时"
    entry = row(
        await blank(),
        words=words,
        name="龚珑琥",
        phone="１３７ 0046 0001",
        case_number="CASE-7-SECRET",
    )
    await paper.enter(entry, await member())
    (review,), opened = await stored(), await order()
    assert review["real_name"] and opened["real_name"]
    for secret in ("龚珑琥", "13700460001", "CASE-7-SECRET"):
        assert secret not in opened["words"] and secret.encode() not in review["contact"]
    assert "等了两小时" in opened["words"]
    assert [c["kind"] for c in await sql.fetch("SELECT kind FROM call_backs")] == ["real_name"]
    clock.advanced += timedelta(minutes=11)
    path = f"/api/v1/work-orders/{opened['number']}"
    handler = await city.staff(http, "handler")
    await http.post(f"{path}/accept", json={}, headers=handler)
    assert await news.tell(opened["number"]) == 1
    (message,) = await sql.fetch("SELECT purpose FROM sms_messages")
    assert message["purpose"] == "accepted"
    auditor = await city.staff(http, "auditor")
    seen = await http.get(f"/api/v1/audit/receipts/{review['receipt_id']}", headers=auditor)
    assert (seen.json()["verified"], seen.json()["claimed_case_number"]) == (False, "CASE-7-SECRET")
    assert seen.json()["reviews"][0]["entered_by"] == "desk"


async def test_it_is_counted_apart_nobody_is_drawn_or_asked_more(
    http: AsyncClient, city: City
) -> None:
    form = await blank(None)
    entry = row(form, 5, window="A1", matter=JOINT_MATTER, phone="13700460001")
    await paper.enter(entry, await member())
    assert (await http.get(f"/api/v1/track/{form.stub}")).json()["questionnaire"] is None
    await sql.fetch("UPDATE policies SET sample_permille = 1000")
    await catalogue.load()
    slip = await city.code(http)
    contact = {"name": "", "phone": "13700460002"}
    await http.post(f"/api/v1/e/{slip}/review", json={"level": 5, "contact": contact})
    clock.advanced += timedelta(days=1, hours=9)
    assert await sampling.Draws().draw() == 1
    (drawn,) = await sql.fetch(
        "SELECT r.channel FROM call_backs c JOIN reviews r ON r.id = c.review_id"
    )
    assert drawn["channel"] == "receipt_qr"


# Who


async def test_the_reviewed_side_neither_prints_nor_keys_in(http: AsyncClient, city: City) -> None:
    form = await blank()
    of_window = [await member(name) for name in ("handler", "lead", "other")]
    for one in of_window:
        with pytest.raises(UnknownPaperForm):
            await paper.enter(row(form), one)
        assert paper.halls_of(one) == []
        with pytest.raises(walls.UnknownPlace):
            await paper.print_blanks(walls.find("H1", "A1"), 1, one)
    for one in (await of(Role.SUPERVISOR, region=DISTRICT), await of(Role.ADMIN, region=DISTRICT)):
        with pytest.raises(UnknownPaperForm):
            await paper.enter(row(form), one)
    assert await stored() == []
    await paper.enter(row(form), await of(Role.ADMIN))


async def test_the_service_desk_keys_in_no_form_about_itself(http: AsyncClient, city: City) -> None:
    await Window.create(code="Z1", hall_code="H1", agency_code=DESK, name="综合窗口")
    await catalogue.load()
    desk, supervisor = await member(), await member("supervisor")
    of_itself = [
        (await blank("Z1"), {}), (await blank(None), {}), (await blank(None), {"window": "综合窗口"}),
        (await blank(None), {"matter": COMMON_MATTER}), (await blank("A1"), {"matter": COMMON_MATTER}),
    ]  # fmt: skip
    for form, said in of_itself:
        with pytest.raises(OwnPaperForm):
            await paper.enter(row(form, **said), desk)
        with pytest.raises(OwnPaperForm):
            await paper.enter(row(form, 5, **said), desk)
    assert await sql.fetch("SELECT 1 FROM receipts") == [], "nothing of it is left"
    for form, said in of_itself:
        await paper.enter(row(form, **said), supervisor)
    lead = await of(Role.AGENCY_LEAD, DESK)
    assert [place.path for place in paper.places_of(lead, walls.find("H1").hall)] == [
        "h/H1", "h/H1/A1", "h/H1/B1",
    ]  # fmt: skip
    assert paper.places_of(desk, walls.find("H1").hall) == []


async def test_whoever_prints_is_in_the_access_log_and_no_code_is_in_the_database(
    http: AsyncClient, city: City
) -> None:
    made = await paper.print_blanks(walls.find("H1", "A1"), 100, await member("supervisor"))
    assert len({one.code for one in made} | {one.stub for one in made}) == 200
    entry = await AccessLog.get()
    assert (entry.action, entry.subject, entry.reason) == (
        "print_paper", "H1/A1", "市民中心 1号窗口：100 张",
    )  # fmt: skip
    text = str([tuple(r) for r in await sql.fetch("SELECT * FROM paper_forms")])
    assert not any(one.code in text or one.stub in text for one in made)


@pytest.mark.parametrize(
    "code", ["", "x", "0" * 16, "0000 0000 0000 0000", "\u0007", "9" * 5000, "ＡＢ"]
)
async def test_a_code_that_is_none_is_unknown(http: AsyncClient, city: City, code: str) -> None:
    with pytest.raises(UnknownPaperForm):
        await paper.enter(Row(code=code, level="5", again="5"), await member())


async def test_a_code_is_read_as_people_type_it(http: AsyncClient, city: City) -> None:
    form = await blank()
    wide = "".join(chr(ord(c) + 0xFEE0) for c in form.code.lower())
    assert (await paper.form_behind(f" {wide[:8]}－{wide[8:]} ", await member()))[1].window
    with pytest.raises(UnknownPaperForm):
        await paper.form_behind(form.stub, await member())


async def test_a_form_of_a_window_that_has_closed_since_still_counts(
    http: AsyncClient, city: City
) -> None:
    form = await blank()
    await Window.filter(code="A1").update(active=False)
    await catalogue.load()
    await paper.enter(row(form, matter=LABOUR_MATTER), await member())
    assert (await order())["agency_code"] == LABOUR
    form = await blank(None)
    await Hall.filter(code="H1").update(active=False)
    await catalogue.load()
    with pytest.raises(UnknownPaperForm):
        await paper.enter(row(form), await member("supervisor"))


async def test_a_blank_printed_under_an_older_key_is_keyed_in_and_followed(
    http: AsyncClient, city: City
) -> None:
    form, kept = await blank(), privacy.vault()
    try:
        privacy.open_vault({"b": b"another-key-another-key-another!", "a": kept._keys["a"]})
        assert (
            codes.query_code((await sql.fetch("SELECT id FROM paper_forms"))[0]["id"]) != form.code
        )
        await paper.enter(row(form), await member())
        answer = await http.get(f"/api/v1/track/{form.stub}")
        assert answer.status_code == 200
        page = await http.get(f"/t/{form.stub}")
        assert codes.grouped(form.stub)[:9] in page.text
    finally:
        privacy.open_vault(kept._keys)


# Once


async def test_the_same_blank_twice_at_once_is_one_review(http: AsyncClient, city: City) -> None:
    clerks = [await member(), await member("supervisor"), await of(Role.ADMIN)]
    for number in range(4):
        form = await blank()
        told = await asyncio.gather(
            *(paper.enter(row(form, 1 + n % 2, reasons="", words="慢"), who)
              for n, who in enumerate(clerks * 2)), return_exceptions=True,
        )  # fmt: skip
        refused = [one for one in told if isinstance(one, Refusal)]
        assert all(isinstance(one, PaperFormEntered) for one in refused) and len(refused) == 5
        assert len([one for one in told if not isinstance(one, BaseException)]) == 1
        assert len(await stored()) == number + 1
    for table in ("receipts", "work_orders"):
        assert (await sql.fetch(f"SELECT count(*) FROM {table}"))[0][0] == 4
    assert {r["entered_by"] for r in await stored()} <= {clerk.id for clerk in clerks}


async def test_killed_in_the_middle_a_form_is_keyed_in_wholly_or_not_at_all(
    http: AsyncClient, city: City, servers: Settings
) -> None:
    clerk = await member()
    forms = [await blank() for _ in range(12)]
    killer, killed = await asyncpg.connect(servers.database_url), 0
    for wait in range(40):
        left = await sql.fetch("SELECT key FROM paper_forms WHERE entered_at IS NULL")
        todo = [form for form in forms if codes.query_key(form.code) in {r["key"] for r in left}]
        if not todo:
            break
        keying = asyncio.gather(
            *(paper.enter(row(form), clerk) for form in todo[:4]), return_exceptions=True
        )
        await asyncio.sleep(wait % 12 / 1000)
        while wait < 30 and not keying.done():
            hit = len(await killer.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND datname = current_database() AND backend_xid IS NOT NULL"
            ))  # fmt: skip
            killed += hit
            if hit:
                break
        await keying
        halves = await sql.fetch(
            "SELECT 1 FROM paper_forms f LEFT JOIN reviews r ON r.id = f.review_id "
            "LEFT JOIN work_orders o ON o.number = r.order_number AND o.origin_key = r.id "
            "WHERE (f.entered_at IS NULL) <> (r.id IS NULL) OR (r.id IS NULL) <> (o.number IS NULL)"
            " OR r.entered_by IS DISTINCT FROM f.entered_by"
        )
        assert halves == []
        lonely = "SELECT 1 FROM receipts t WHERE NOT EXISTS (SELECT 1 FROM reviews WHERE receipt_id = t.id)"
        assert await sql.fetch(lonely) == []
    await killer.close()
    assert killed > 0
    assert len(await stored()) == 12
