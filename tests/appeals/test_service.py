"""An appeal from its first word to what follows from it."""

from datetime import timedelta

import pytest
from appeals.court import AGAINST, CLAIM, FOR, Court, alerts, hire, order_state, review_of, told
from factories import HOUSING, LABOUR, REGION

from server.appeals import cases, service, watch
from server.appeals.models import Appeal
from server.catalogue.models import Agency
from server.catalogue.service import load
from server.kit import sql
from server.people.models import Staff
from server.people.rules import Role
from server.people.service import Member

DAY = timedelta(days=1)


async def member(username: str) -> Member:
    return Member.of(await Staff.get(username=username))


# Filing


async def test_an_appeal_stops_no_clock_and_counts_nothing_out(court: Court) -> None:
    taken = await court.appealed("accept", stated=False)
    (before,) = await sql.fetch("SELECT due_at, next_due_at, state FROM work_orders")
    assert before["state"] == "accepted"
    assert (await review_of(taken))["state"] == "standing"
    assert await alerts("appeal") == ["first", "fourth", "second", "third"]
    again = await court.post("lead", f"work-orders/{taken['number']}/appeal", **CLAIM)
    assert told(again) == (409, "already_appealed")
    (after,) = await sql.fetch("SELECT due_at, next_due_at, state FROM work_orders")
    assert before == after


async def test_only_the_lead_agency_appeals_and_only_against_a_bad_review_of_a_citizen(
    court: Court,
) -> None:
    taken = await court.scene.order()
    path = f"work-orders/{taken['number']}/appeal"
    for who, expected in (
        ("other", (404, "unknown_work_order")), ("supervisor", (403, "wrong_role")),
        ("first", (403, "forbidden")), ("auditor", (403, "forbidden")),
    ):  # fmt: skip
        assert told(await court.post(who, path, **CLAIM)) == expected
    joint = await court.scene.joint()
    as_co = await court.post("handler", f"work-orders/{joint['number']}/appeal", **CLAIM)
    assert told(as_co) == (403, "wrong_role")
    await sql.fetch("UPDATE work_orders SET origin = 'sample' WHERE number = $1", taken["number"])
    assert told(await court.post("lead", path, **CLAIM)) == (409, "not_appealable")


async def test_the_days_run_from_when_the_agency_saw_it_also_if_the_order_has_ended(
    court: Court,
) -> None:
    late = await court.scene.order()
    taken = await court.scene.order("accept", "answer", "confirm")
    (row,) = await sql.fetch(
        "SELECT visible_from FROM work_orders WHERE number = $1", late["number"]
    )
    until = cases.last_day(REGION, row["visible_from"]).at
    case = await court.appeals(taken)
    court.passes(until + timedelta(seconds=1) - row["visible_from"])
    path = f"work-orders/{late['number']}/appeal"
    assert told(await court.post("handler", path, **CLAIM)) == (410, "appeal_closed")
    await court.rule(case, FOR, FOR)
    assert (await review_of(taken))["state"] == "excluded"
    assert await order_state(taken["number"]) == "closed"


async def test_a_claim_says_who_and_why_or_is_refused_by_field(court: Court) -> None:
    taken = await court.scene.order()
    path = f"work-orders/{taken['number']}/appeal"
    for changed, expected in (
        ({"text": " 　"}, (422, "blank_text")), ({"text": "长" * 2001}, (422, "invalid_body")),
        ({"ground": "gamed"}, (422, "invalid_body")), ({"text": "a\0b"}, (422, "invalid_body")),
        ({"officer_number": "101"}, (422, "unknown_officer")),
    ):  # fmt: skip
        assert told(await court.post("handler", path, **(CLAIM | changed))) == expected
    await court.appeals(taken, officer_number=" 001 ")
    (row,) = await sql.fetch("SELECT officer_number FROM appeals")
    assert row["officer_number"] == "001"


async def test_the_appellant_or_his_lead_takes_it_back_and_may_think_again(court: Court) -> None:
    taken = await court.appealed(stated=False)
    path = f"work-orders/{taken['number']}/appeal"
    other = await hire("colleague", Role.HANDLER, agency_code=HOUSING)
    assert other
    assert told(await court.post("colleague", f"{path}/withdraw")) == (403, "wrong_role")
    assert (await court.post("lead", f"{path}/withdraw")).json()["state"] == "withdrawn"
    assert told(await court.post("handler", f"{path}/withdraw")) == (409, "no_open_appeal")
    assert told(await court.vote("first", taken["case"], **AGAINST)) == (409, "appeal_ended")
    assert await court.appeals(taken) != taken["case"]


# Who may rule


async def test_nobody_bound_to_the_case_rules_it_or_reads_it(court: Court) -> None:
    taken = await court.appealed("accept")
    parent = "11990100MB0000008H"
    await Agency.create(code=parent, name="建设委", region_code=REGION)
    await Agency.filter(code=HOUSING).update(parent_code=parent)
    await load()
    number = taken["number"]
    for name, agency in (("ours", HOUSING), ("above", parent), ("apart", LABOUR)):
        await hire(name, Role.ADJUDICATOR, agency_code=agency)
    acted = await hire("acted", Role.ADJUDICATOR)
    await sql.fetch(
        "INSERT INTO work_order_steps (order_id, at, move, state, actor, actor_id, words) "
        "SELECT order_id, at, 'urge', state, 'supervisor', $2, '' FROM work_order_steps "
        "WHERE order_id = $1 LIMIT 1",
        number, acted,
    )  # fmt: skip
    listed = await hire("listed", Role.ADJUDICATOR)
    await sql.fetch(
        "INSERT INTO accountability (region_code, agency_code, order_number, staff_id, why, at) "
        "SELECT region_code, agency_code, number, $2, 'overdue', visible_from FROM work_orders "
        "WHERE number = $1",
        number, listed,
    )  # fmt: skip
    appeal = await Appeal.get(id=taken["case"])
    words = {}
    for name in ("ours", "above", "acted", "listed"):
        vote = await court.vote(name, taken["case"], **FOR)
        assert told(vote) == (403, "not_impartial"), name
        words[name] = vote.json()["detail"]
        assert told(await court.get(name, f"appeals/{taken['case']}")) == (403, "not_impartial")
        assert not await service.sees_evidence(await member(name), appeal)
    assert len(set(words.values())) == 4
    assert await service.sees_evidence(await member("apart"), appeal)
    assert (await court.vote("apart", taken["case"], **AGAINST)).status_code == 200


async def test_evidence_is_for_who_may_rule_and_for_the_supervisor_who_confirms(
    court: Court,
) -> None:
    taken = await court.appealed()
    appeal = await Appeal.get(id=taken["case"])
    sees = {
        name: await service.sees_evidence(await member(name), appeal)
        for name in ("first", "handler", "lead", "supervisor", "auditor", "admin", "other")
    }
    assert [name for name, may in sees.items() if may] == ["first"]
    appeal.state = "confirming"
    assert await service.sees_evidence(await member("supervisor"), appeal)
    await hire("far", Role.ADJUDICATOR, region_code="990102000000")
    assert not await service.sees_evidence(await member("far"), appeal)


async def test_each_votes_without_having_read_the_other(court: Court) -> None:
    taken = await court.appealed()
    path = f"appeals/{taken['case']}"
    mine = (await court.vote("first", taken["case"], **FOR)).json()
    assert [vote["text"] for vote in mine["votes"]] == [FOR["text"]]
    before = (await court.get("second", path)).json()
    assert before["votes"] == [] and before["votes_given"] == 1 and FOR["text"] not in str(before)
    assert told(await court.vote("first", taken["case"], **FOR)) == (409, "already_voted")
    after = (await court.vote("second", taken["case"], **AGAINST)).json()
    assert len(after["votes"]) == 2 and after["state"] == "refused"
    assert told(await court.vote("third", taken["case"], **FOR)) == (409, "appeal_ended")


async def test_a_name_that_the_agency_guesses_reaches_nobody_and_is_not_confirmed_to_it(
    court: Court,
) -> None:
    _, taken = await court.scene.rated(undo_is_over=True)
    taken["number"] = taken["work_order"]["number"]
    text = "是王小明评的，电话13800138000"
    case = await court.appeals(taken, text=text)
    mine = (await court.get("lead", f"work-orders/{taken['number']}/appeal")).json()
    assert mine["items"][0]["text"] == text, "masked here it would say that the guess is right"
    seen = (await court.get("first", f"appeals/{case}")).json()
    assert seen["text"] == "是▇▇评的，电话▇▇"


async def test_who_stands_back_says_why_and_votes_no_more(court: Court) -> None:
    taken = await court.appealed()
    path = f"appeals/{taken['case']}/recusal"
    assert told(await court.post("first", path, reason=" ")) == (422, "blank_text")
    assert (await court.post("first", path, reason="与当事人有亲属关系")).status_code == 200
    assert told(await court.vote("first", taken["case"], **FOR)) == (403, "not_impartial")
    await court.rule(taken["case"], FOR, FOR, by=("second", "third"))
    assert (await review_of(taken))["state"] == "excluded"


async def test_supervisors_hear_when_too_few_are_left_to_rule(court: Court) -> None:
    taken = await court.appealed()
    for name in ("first", "second"):
        await court.post(name, f"appeals/{taken['case']}/recusal", reason="回避")
    assert await alerts("appeal_late") == []
    await court.post("third", f"appeals/{taken['case']}/recusal", reason="回避")
    assert await alerts("appeal_late") == ["supervisor"]


# What follows


async def test_two_with_one_reason_exclude_it_and_everybody_hears(court: Court) -> None:
    taken = await court.excluded()
    review = await review_of(taken)
    assert review["state"] == "excluded" and review["comment"] == "排队两小时"
    assert await order_state(taken["number"]) == "dismissed"
    assert await alerts("excluded") == ["admin", "supervisor"]
    assert await alerts("appeal_ruled") == ["handler", "lead"]
    (row,) = await sql.fetch("SELECT * FROM exclusions")
    assert row["reason"] == "mistaken" and str(row["case_id"]) == taken["case"]
    assert row["first_id"] != row["second_id"] and row["person_key"] is None
    heard = await court.hears(taken)
    assert heard["exclusion"]["reason_name"] == "误评" and heard["object_until"]
    (receipt,) = await sql.fetch("SELECT receipt_id FROM reviews")
    audited = (await court.get("auditor", f"audit/receipts/{receipt['receipt_id']}")).json()
    (shown,) = audited["reviews"]
    assert shown["state"] == "excluded" and shown["words"] == "排队两小时"
    assert shown["excluded"][0]["by"] == ["first", "second"]


@pytest.mark.parametrize(
    "ballots",
    [(FOR, AGAINST), (AGAINST, AGAINST), (FOR, FOR | {"reason": "not_ours"})],
)
async def test_in_doubt_the_review_stands(court: Court, ballots: tuple[dict, dict]) -> None:
    taken = await court.appealed("accept")
    await court.rule(taken["case"], *ballots)
    assert (await review_of(taken))["state"] == "standing"
    assert await order_state(taken["number"]) == "accepted"
    shown = (await court.get("lead", f"work-orders/{taken['number']}/appeal")).json()
    assert (
        shown["items"][0]["state"] == "refused"
        and ballots[0]["text"] in shown["items"][0]["ruling"]
    )
    assert not shown["may_appeal"] and await sql.fetch("SELECT 1 FROM exclusions") == []


async def test_the_second_malicious_finding_about_a_person_waits_for_a_supervisor(
    court: Court,
) -> None:
    malicious = FOR | {"reason": "malicious"}
    first = await court.appealed()
    await court.rule(first["case"], malicious, malicious)
    assert (await review_of(first))["state"] == "excluded"
    for upheld in (False, True):
        again = await court.appealed()
        await court.rule(again["case"], malicious, malicious)
        assert (await review_of(again))["state"] == "standing"
        path = f"appeals/{again['case']}"
        seen = (await court.get("supervisor", path)).json()
        assert (seen["state"], seen["earlier_findings"]) == ("confirming", 1)
        assert (await court.get("first", path)).json()["earlier_findings"] is None
        shown = (await court.get("lead", f"work-orders/{again['number']}/appeal")).json()
        assert shown["items"][0]["state"] == "open", "nothing about the citizen"
        body = {"upheld": upheld, "text": "已核对"}
        assert told(await court.post("first", f"{path}/confirmation", **body))[0] == 403
        done = await court.post("supervisor", f"{path}/confirmation", **body)
        assert done.json()["state"] == ("upheld" if upheld else "refused"), done.text
        assert told(await court.post("supervisor", f"{path}/confirmation", **body))[0] == 409
        assert (await review_of(again))["state"] == ("excluded" if upheld else "standing")


async def test_nobody_is_ever_blocked_from_rating(court: Court) -> None:
    malicious = FOR | {"reason": "malicious"}
    taken = await court.appealed()
    await court.rule(taken["case"], malicious, malicious)
    _, again = await court.scene.rated(level=1)
    assert again["work_order"]["number"]


async def test_the_same_person_is_known_by_the_phone_he_gave(court: Court) -> None:
    malicious = FOR | {"reason": "malicious"}
    contact = {"name": "王", "phone": "13911112222"}
    await sql.fetch("UPDATE policies SET sms = FALSE")
    for expected in ("upheld", "confirming"):
        code = await court.city.code(court.http, applicant={"kind": 1, "name": "某"})
        body = {"level": 1, "tags": ["115"], "contact": contact}
        taken = (await court.http.post(f"/api/v1/e/{code}/review", json=body)).json()
        taken["number"] = taken["work_order"]["number"]
        court.passes(timedelta(minutes=11))
        case = await court.appeals(taken)
        await court.says(taken, "statement", text="属实")
        await court.rule(case, malicious, malicious)
        assert (await Appeal.get(id=case)).state == expected
    (row,) = await sql.fetch("SELECT person_key FROM exclusions")
    assert row["person_key"] and "139" not in row["person_key"]


# Time


async def test_it_is_warned_of_before_and_told_after_its_time_each_once_and_never_decided(
    court: Court,
) -> None:
    taken = await court.appealed(stated=False)
    appeal = await Appeal.get(id=taken["case"])
    assert await watch.watch() == 0
    court.passes(appeal.due_at - timedelta(hours=2) - appeal.at)
    assert [await watch.watch(), await watch.watch()] == [1, 0]
    assert await alerts("appeal_due") == ["first", "fourth", "second", "third"]
    court.passes(DAY)
    assert [await watch.watch(), await watch.watch()] == [1, 0]
    assert await alerts("appeal_late") == ["supervisor"]
    court.passes(30 * DAY)
    assert await watch.watch() == 0
    assert (await Appeal.get(id=taken["case"])).state == "open"
    late = (await court.get("first", "appeals?overdue=true")).json()["items"]
    assert [one["id"] for one in late] == [taken["case"]] and late[0]["overdue"]


async def test_a_calendar_that_comes_moves_the_days_of_open_cases(court: Court) -> None:
    await court.appealed(stated=False)
    assert await cases.redate() == 0
    await sql.fetch("UPDATE appeals SET due_at = due_at + interval '3 days', provisional = TRUE")
    assert await cases.redate() == 1
    assert await cases.redate() == 0
