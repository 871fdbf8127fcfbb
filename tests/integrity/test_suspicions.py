"""可疑评价的核查: two people before a rating is excluded, one to clear it, and nobody at the agency."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from factories import DISTRICT, HOUSING, LABOUR
from integrity.looking import (
    ROOM,
    a_review,
    confirmed,
    do,
    in_figures,
    ranked,
    see,
    state_of,
    states,
    suspected,
)
from kit.calls import Scene
from workorders.deeds import told
from workorders.standing import alerted

from server.appeals.models import Exclusion
from server.integrity import findings, suspicions
from server.integrity.models import Look, Pressure, Suspicion
from server.integrity.rules import (
    NEXT,
    OF_THE_OFFICE,
    RULE_NAMES,
    Act,
    Rule,
    SuspicionState,
    excludes,
    may,
    restored,
)
from server.kit import sql
from server.kit.clock import clock
from server.kit.ids import new_id
from server.people.rules import Role
from server.reviews.rules import ReviewState
from server.workorders.models import Accountability, WorkOrder

# What is in the rankings


async def test_a_flagged_rating_is_in_every_plain_count_and_in_no_ranking_until_looked_at(
    scene: Scene,
) -> None:
    review = await a_review(scene)
    await a_review(scene)
    number = await suspected(review)
    assert (await in_figures(), await ranked()) == (2, 1)
    await do(scene, number, "proposal", text="三秒评不完")
    assert (await in_figures(), await ranked()) == (2, 1), "one has looked: not yet decided"
    await do(scene, number, "decision", "second", agree=False, text="是窗口代读的")
    assert await ranked() == 1
    answer = await do(scene, number, "clearance", "adjudicator", text="录像里本人操作")
    assert answer.json()["state"] == "cleared"
    assert (await in_figures(), await ranked()) == (2, 2), "at once"
    assert await state_of(review) == "standing"


async def test_a_bad_review_that_waits_for_its_reason_counts_as_one(scene: Scene) -> None:
    review = await a_review(scene, 1)
    await sql.fetch("UPDATE reviews SET state = 'awaiting_reason' WHERE id = $1", review["id"])
    assert (await in_figures(), await ranked()) == (1, 1)
    for state in ("undone", "suspended", "excluded"):
        await sql.fetch("UPDATE reviews SET state = $1", state)
        assert (await in_figures(), await ranked()) == (0, 0)


# Two people


async def test_two_people_exclude_it_with_both_their_names_and_its_order_is_dismissed(
    scene: Scene,
) -> None:
    review = await a_review(scene, 1)
    number = await suspected(review, Rule.SAME_DEVICE)
    shown = await confirmed(scene, number)
    assert (shown["state"], shown["review"]["state"]) == ("confirmed", "excluded")
    assert [(look["act"], look["words"]) for look in shown["looks"]] == [
        ("proposed", "三秒评不完"), ("agreed", "属实"),
    ]  # fmt: skip
    (row,) = await Exclusion.all()
    assert (row.review_id, row.reason, row.agency_code) == (review["id"], "gamed", HOUSING)
    assert row.first_id != row.second_id and row.case_id is None
    assert row.words == "三秒评不完\n属实"
    order = await WorkOrder.get(number=review["order_number"])
    assert order.state == "dismissed"
    assert (await in_figures(), await ranked()) == (0, 0)


@pytest.mark.parametrize("who", ["supervisor", "second", "adjudicator"])
async def test_who_proposed_does_not_decide_and_any_other_of_the_region_does(
    scene: Scene, who: str
) -> None:
    number = await suspected(await a_review(scene))
    await do(scene, number, "proposal", text="三秒评不完")
    answer = await do(scene, number, "decision", who, agree=True)
    if who == "supervisor":
        assert told(answer) == (403, "not_a_second_person")
        assert await states() == ["proposed"] and await Exclusion.all().count() == 0
    else:
        assert answer.status_code == 200 and await states() == ["confirmed"]


async def test_the_database_itself_refuses_one_person(scene: Scene) -> None:
    number = await suspected(await a_review(scene))
    for first, second in ((1, 1), (None, 1), (1, None)):
        with pytest.raises(asyncpg.CheckViolationError, match="confirmed_by_a_second_person"):
            await sql.fetch(
                "UPDATE suspicions SET state = 'confirmed', proposed_by = $2, decided_by = $3, "
                "decided_at = at WHERE id = $1", number, first, second,
            )  # fmt: skip


async def test_who_disagrees_says_why_and_it_is_looked_at_again_with_all_words_kept(
    scene: Scene,
) -> None:
    number = await suspected(await a_review(scene))
    await do(scene, number, "proposal", text="三秒评不完")
    assert told(await do(scene, number, "decision", "second", agree=False)) == (422, "blank_text")
    await do(scene, number, "decision", "second", agree=False, text="是窗口代读的")
    assert told(await do(scene, number, "decision", "second", agree=True)) == (
        409,
        "already_looked",
    )
    await do(scene, number, "proposal", "second", text="又看了录像，确实没有人在")
    shown = (await do(scene, number, "decision", agree=True)).json()
    assert [look["what"] for look in shown["looks"]] == [
        "核查后提出认定", "不同意认定，退回核查", "核查后提出认定", "同意认定",
    ]  # fmt: skip
    assert [look["by"] for look in shown["looks"]][:2] == ["督办员 supervisor", "督办员 second"]


async def test_twenty_decisions_at_once_are_one(scene: Scene) -> None:
    number = await suspected(await a_review(scene, 1))
    await do(scene, number, "proposal", text="三秒评不完")
    whos = ["second", "adjudicator"] * 10
    for who in set(whos):
        await scene.staff(who)
    answers = await asyncio.gather(
        *(
            do(scene, number, "decision", who, agree=i % 4 < 2, text="看过")
            for i, who in enumerate(whos)
        )
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] + [409] * 19
    assert await Look.all().count() == 2
    assert await Exclusion.all().count() == (await states()).count("confirmed")


async def test_decisions_on_two_suspicions_of_one_review_at_once_do_not_wait_in_a_circle(
    scene: Scene,
) -> None:
    for _ in range(5):
        review = await a_review(scene)
        both = [await suspected(review, rule) for rule in (Rule.QUICK, Rule.SAME_DEVICE)]
        for number in both:
            await do(scene, number, "proposal", text="三秒评不完")
        answers = await asyncio.gather(*(
            do(scene, number, "decision", who, agree=True)
            for number, who in zip(both, ("second", "adjudicator"), strict=True)
        ))  # fmt: skip
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert await Exclusion.filter(review_id=review["id"]).count() == 1
    assert set(await states()) == {"confirmed"}


async def test_excluding_a_review_decides_all_its_suspicions_and_clearing_decides_one(
    scene: Scene,
) -> None:
    review = await a_review(scene)
    numbers = [
        await suspected(review, rule)
        for rule in (Rule.QUICK, Rule.BURST, Rule.INSIDER, Rule.PRESSED)
    ]
    await do(scene, numbers[0], "clearance", text="看错了")
    assert await states() == ["cleared", "open", "open", "open"]
    assert await ranked() == 0
    await confirmed(scene, numbers[1])
    assert await states() == ["cleared", "confirmed", "confirmed", "open"], (
        "what the office did is looked at for itself"
    )
    settled = await Look.get(suspicion_id=numbers[2])
    assert settled.act == "settled"
    shown = (await see(scene, f"/{numbers[1]}")).json()
    assert [other["id"] for other in shown["others"]] == [numbers[0], numbers[2], numbers[3]]
    assert (await confirmed(scene, numbers[3]))["state"] == "confirmed"
    assert await Exclusion.all().count() == 1, "it was excluded already"


@pytest.mark.parametrize("state", ["undone", "excluded"])
async def test_of_what_counts_no_more_the_finding_is_only_recorded(
    scene: Scene, state: str
) -> None:
    review = await a_review(scene)
    number = await suspected(review, Rule.UNDONE)
    await sql.fetch("UPDATE reviews SET state = $1", state)
    assert (await confirmed(scene, number))["state"] == "confirmed"
    assert await Exclusion.all().count() == 0 and await state_of(review) == state


# “不是我评的”


async def test_of_an_objected_review_confirming_excludes_it_as_not_the_applicants(
    scene: Scene,
) -> None:
    review = await a_review(scene, 1)
    number = await suspected(review, Rule.OBJECTED, evidence={})
    await sql.fetch("UPDATE reviews SET state = 'suspended'")
    await confirmed(scene, number)
    assert await state_of(review) == "excluded"
    assert (await Exclusion.get()).reason == "not_the_applicant"


async def test_of_an_objected_review_clearing_lets_it_stand_again(scene: Scene) -> None:
    review = await a_review(scene, 1)
    number = await suspected(review, Rule.OBJECTED, evidence={})
    await sql.fetch("UPDATE reviews SET state = 'suspended'")
    other = await suspected(review, Rule.QUICK)
    await do(scene, other, "clearance", text="看错了")
    assert await state_of(review) == "suspended", "that was about something else"
    await do(scene, number, "clearance", text="本人后来承认是他评的")
    assert await state_of(review) == "standing" and await ranked() == 1


async def test_a_cleared_objection_leaves_both_reviews_where_the_phones_owner_has_rated(
    scene: Scene,
) -> None:
    review = await a_review(scene, 1)
    number = await suspected(review, Rule.OBJECTED, evidence={})
    await sql.fetch("UPDATE reviews SET state = 'suspended'")
    answer = await scene.http.post(f"/api/v1/e/{review['code']}/review", json={"level": 5})
    assert answer.status_code == 201
    await do(scene, number, "clearance", text="两次都是家里人评的")
    assert await state_of(review) == "suspended"
    assert (await in_figures(), await states()) == (1, ["cleared"])


async def test_clearing_while_the_owner_rates_ends_with_one_standing_review(scene: Scene) -> None:
    for _ in range(6):
        review = await a_review(scene)
        number = await suspected(review, Rule.OBJECTED, evidence={})
        await sql.fetch("UPDATE reviews SET state = 'suspended' WHERE id = $1", review["id"])
        cleared, rated = await asyncio.gather(
            do(scene, number, "clearance", text="是本人"),
            scene.http.post(f"/api/v1/e/{review['code']}/review", json={"level": 4}),
        )
        assert cleared.status_code == 200 and rated.status_code in (201, 409)
        rows = await sql.fetch(
            "SELECT count(*) FROM reviews r WHERE receipt_id = $1 AND state = 'standing'",
            review["receipt_id"],
        )
        assert rows[0]["count"] == 1


# What the office did


@pytest.mark.parametrize(
    ("rule", "why"), [("pressed", "forced"), ("voided", "falsified"), ("reissued", "falsified")]
)
async def test_what_was_done_to_a_bad_review_puts_the_office_on_the_list_and_excludes_nothing(
    scene: Scene, rule: str, why: str
) -> None:
    review = await a_review(scene, 1)
    number = await suspected(review, Rule(rule))
    assert await ranked() == 1, "it stays where it was until somebody has looked, too"
    await confirmed(scene, number)
    assert await state_of(review) == "standing", "its eraser does not get what he wanted"
    assert (await ranked(), await Exclusion.all().count()) == (1, 0)
    (record,) = await Accountability.all()
    assert (record.why, record.agency_code, record.officer_number) == (why, HOUSING, "001")
    assert record.order_number is None and f"见核查第 {number} 号" in record.words
    assert "1号窗口" in record.words


async def test_praise_that_was_pressed_for_is_excluded_and_the_office_listed(scene: Scene) -> None:
    review = await a_review(scene, 5)
    await confirmed(scene, await suspected(review, Rule.PRESSED))
    assert await state_of(review) == "excluded"
    assert (await Accountability.get()).why == "forced"


async def test_a_report_of_pressing_without_a_rating_is_recorded_and_the_office_listed(
    scene: Scene,
) -> None:
    receipt = int((await scene.city.receipt(scene.http))["receipt_id"])
    none = {"region_code": "990100000000", "window_code": "A1", "receipt_id": receipt, "id": None}
    number = await suspected(none, Rule.PRESSED, evidence={"how": []})
    shown = (await see(scene, f"/{number}")).json()
    assert shown["review"] is None and shown["level"] is None
    await confirmed(scene, number)
    listed = await scene.http.get("/api/v1/accountability", headers=await scene.staff("supervisor"))
    (item,) = listed.json()["items"]
    assert (item["why_name"], item["order_number"], item["by_rule"]) == ("强迫评价", None, False)
    assert item["words"] == f"经两人核查认定要求群众给好评（1号窗口），见核查第 {number} 号"


async def test_what_the_citizen_wrote_is_for_those_who_decide_and_redacted(scene: Scene) -> None:
    review = await a_review(scene)
    number = await suspected(review, Rule.PRESSED, evidence={"how": ["asked", "watched"]})
    await Pressure.create(
        id=new_id(), region_code=review["region_code"], agency_code=HOUSING,
        receipt_id=review["receipt_id"], query_key="x", how=["asked"], at=clock.now(),
        words="我是王小明13800138000，窗口的人拿我手机点的", suspicion_id=number,
    )  # fmt: skip
    shown = (await see(scene, f"/{number}", "adjudicator")).json()
    assert shown["evidence"] == "群众反映：当面要求我给好评、在旁边看着我评。"
    assert "窗口的人拿我手机点的" in shown["report"]
    assert "王小明" not in shown["report"] and "13800138000" not in shown["report"]
    assert (await see(scene, f"/{number}", "auditor")).json()["report"] == ""


async def test_a_cleared_report_of_pressing_lists_nobody(scene: Scene) -> None:
    number = await suspected(await a_review(scene), Rule.PRESSED)
    await do(scene, number, "clearance", text="查了录像没有")
    assert await Accountability.all().count() == 0 and await states() == ["cleared"]


# Who


@pytest.mark.parametrize("who", ["handler", "lead", "other"])
async def test_the_agency_learns_nothing_whether_there_is_something_or_not(
    scene: Scene, who: str
) -> None:
    review = await a_review(scene, 1)
    number = await suspected(review)
    before = await scene.http.get(
        f"/api/v1/work-orders/{review['order_number']}", headers=await scene.staff("handler")
    )
    answers = [await see(scene, path, who) for path in ("", f"/{number}", "/999", "/x")]
    answers += [
        await do(scene, one, door, who, text="x", agree=True)
        for one in (number, 999) for door in ("proposal", "decision", "clearance")
    ]  # fmt: skip
    assert {told(answer) for answer in answers} == {(403, "forbidden")}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    await do(scene, number, "proposal", text="三秒评不完")
    after = await scene.http.get(
        f"/api/v1/work-orders/{review['order_number']}", headers=await scene.staff("handler")
    )
    assert before.json() == after.json(), "not even that it was flagged"


async def test_adjudicators_decide_and_auditors_only_read(scene: Scene) -> None:
    number = await suspected(await a_review(scene))
    assert told(await do(scene, number, "proposal", "adjudicator", text="x")) == (403, "forbidden")
    for door in ("proposal", "decision", "clearance"):
        answer = await do(scene, number, door, "auditor", text="x", agree=True)
        assert told(answer) == (403, "forbidden")
    assert (await see(scene, f"/{number}", "auditor")).json()["may"] == []
    assert (await see(scene, f"/{number}", "adjudicator")).json()["may"] == ["clearance"]
    assert (await see(scene, f"/{number}")).json()["may"] == ["proposal", "clearance"]
    await do(scene, number, "proposal", text="x")
    assert (await see(scene, f"/{number}")).json()["may"] == []
    assert (await see(scene, f"/{number}", "second")).json()["may"] == ["decision"]


async def test_another_regions_suspicion_does_not_exist(scene: Scene) -> None:
    number = await suspected(await a_review(scene))
    below = await suspected(await a_review(scene), region_code=DISTRICT, agency_code=LABOUR)
    assert told(await see(scene, f"/{number}", "elsewhere")) == (404, "unknown_suspicion")
    for door in ("proposal", "decision", "clearance"):
        answer = await do(scene, number, door, "elsewhere", text="x", agree=True)
        assert told(answer) == (404, "unknown_suspicion")
    page = (await see(scene, "", "elsewhere")).json()
    assert [item["id"] for item in page["items"]] == [below]
    assert len((await see(scene)).json()["items"]) == 2, "the city sees its districts"


# The list


async def test_the_list_has_the_overdue_on_top_turns_its_pages_and_is_filtered(
    scene: Scene,
) -> None:
    review = await a_review(scene)
    numbers = [await suspected(review, rule) for rule in list(Rule)[:5]]
    await sql.fetch(
        "UPDATE suspicions SET due_at = $2 WHERE id = $1",
        numbers[3],
        clock.now() - timedelta(days=1),
    )
    seen: list[int] = []
    cursor: Any = ""
    while cursor is not None:
        page = (await see(scene, f"?limit=2&cursor={cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [numbers[3], *numbers[:3], numbers[4]]
    first = (await see(scene, "?limit=1")).json()["items"][0]
    assert first["overdue"] and first["rule_name"] == RULE_NAMES[list(Rule)[3]]
    one = (await see(scene, f"?rule={list(Rule)[1]}&agency={HOUSING}")).json()["items"]
    assert [item["id"] for item in one] == [numbers[1]]
    assert (await see(scene, f"?agency={LABOUR}")).json()["items"] == []
    for number in numbers[:3]:
        await do(scene, number, "clearance", text="看过")
    cleared = (await see(scene, "?state=cleared&limit=2")).json()
    assert [item["id"] for item in cleared["items"]] == [numbers[2], numbers[1]]
    rest = (await see(scene, f"?state=cleared&limit=2&cursor={cleared['next_cursor']}")).json()
    assert [item["id"] for item in rest["items"]] == [numbers[0]]


@pytest.mark.parametrize(
    "query", ["state=shut", "rule=x", "limit=0", "cursor=x", "cursor=IHg", "agency=%00", "rule=%00",
              f"agency={'9' * 19}", "state=%F0%9F%92%A9"],
)  # fmt: skip
async def test_a_query_that_makes_no_sense_is_said_to_be_one(scene: Scene, query: str) -> None:
    assert told(await see(scene, f"?{query}")) == (422, "invalid_query")


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "1%00", "１", "%F0%9F%92%A9"])
async def test_an_unknown_number_is_unknown(scene: Scene, number: str) -> None:
    assert told(await see(scene, f"/{number}")) == (404, "unknown_suspicion")
    answer = await scene.http.post(
        f"{ROOM}/{number}/clearance", json={"text": "x"}, headers=await scene.staff("supervisor")
    )
    assert told(answer) == (404, "unknown_suspicion")


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": " \u3000\u200b"}, {"text": "x" * 2001}, {"text": "a\0b"},
             {"text": 1}, {"text": ["x"]}],
)  # fmt: skip
async def test_words_are_required_and_have_an_end(scene: Scene, body: Any) -> None:
    number = await suspected(await a_review(scene))
    for door in ("proposal", "clearance"):
        answer = await scene.http.post(
            f"{ROOM}/{number}/{door}", json=body, headers=await scene.staff("supervisor")
        )
        assert answer.status_code == 422
    assert await states() == ["open"] and await Look.all().count() == 0


# Writing them


async def test_one_rule_says_a_thing_once_even_after_it_was_cleared(scene: Scene) -> None:
    review = await a_review(scene)
    number = await suspected(review)
    finding = suspicions.Finding(
        rule=Rule.QUICK, region_code=review["region_code"], agency_code=HOUSING, window_code=None,
        receipt_id=review["receipt_id"], review_id=review["id"], evidence={},
    )  # fmt: skip
    written = await asyncio.gather(*(suspicions.suspect([finding], clock.now()) for _ in range(5)))
    assert written == [[]] * 5
    await do(scene, number, "clearance", text="看过")
    assert await suspicions.suspect([finding], clock.now()) == []
    assert await suspicions.suspect([], clock.now()) == []


async def test_the_group_is_the_same_rule_at_the_same_window_in_those_days(scene: Scene) -> None:
    numbers = [await suspected(await a_review(scene), Rule.BURST) for _ in range(3)]
    await suspected(await a_review(scene), Rule.QUICK)
    await suspected(await a_review(scene), Rule.BURST, window_code=None)
    old = await suspected(await a_review(scene), Rule.BURST)
    await sql.fetch("UPDATE suspicions SET at = at - interval '40 days' WHERE id = $1", old)
    shown = (await see(scene, f"/{numbers[1]}")).json()
    assert {one["id"] for one in shown["group"]} == {numbers[0], numbers[2]}
    assert shown["group_count"] == 2


async def test_supervisors_hear_once_of_what_nobody_has_looked_at_in_time(scene: Scene) -> None:
    first, second, done = [await suspected(await a_review(scene)) for _ in range(3)]
    assert await suspicions.warn() == 0
    await do(scene, done, "clearance", text="看过")
    await do(scene, second, "proposal", text="三秒评不完")
    (row,) = await Suspicion.filter(id=first)
    clock.advanced += row.due_at - clock.now() + timedelta(seconds=1)
    assert sum(await asyncio.gather(*(suspicions.warn() for _ in range(3)))) == 2
    assert await suspicions.warn() == 0
    heard = [who for who, kind in await alerted() if kind == "suspicion"]
    assert set(heard) == {"supervisor", "second"}
    assert (await Suspicion.get(id=done)).overdue_at is None


# The rules alone


def test_every_state_and_act_is_in_the_table_or_refused() -> None:
    ends = {SuspicionState.CONFIRMED, SuspicionState.CLEARED}
    for state in SuspicionState:
        for act in Act:
            assert ((state, act) in NEXT) is (
                state not in ends
                and not (state is SuspicionState.PROPOSED and act in (Act.PROPOSED, Act.CLEARED))
                and not (state is SuspicionState.OPEN and act in (Act.AGREED, Act.DISAGREED))
            )
        if state in ends:
            assert all(may(state, role, False) == [] for role in Role)


def test_only_a_review_that_counts_is_excluded_and_never_a_bad_one_for_what_the_office_did() -> (
    None
):
    for rule in Rule:
        for level in range(1, 6):
            counting = {s for s in ReviewState if excludes(rule, level, s)}
            spared = rule in OF_THE_OFFICE and level < 3
            assert counting == (
                set() if spared
                else {ReviewState.STANDING, ReviewState.AWAITING_REASON, ReviewState.SUSPENDED}
            )  # fmt: skip
    assert restored(1, None) is ReviewState.AWAITING_REASON
    assert restored(1, "2026") is restored(5, None) is ReviewState.STANDING


def test_evidence_tells_small_numbers_and_known_words_and_nothing_else() -> None:
    for rule in Rule:
        bare = findings.sentence(rule, "{}")
        assert bare.endswith("。") and "{" not in bare
        for broken in ("", "[]", "{", "null", '"x"', '{"seconds": "13800138000"}'):
            assert findings.sentence(rule, broken) == bare
        names = re.findall(r"{(\w+)}", "".join(findings.SENTENCES[rule]))
        secret = dict.fromkeys(names, 13800138000) | {"how": ["13800138000", 13800138000, {}]}
        assert findings.sentence(rule, json.dumps(secret)) == bare, "too large for a count"
        full = findings.sentence(
            rule, json.dumps(dict.fromkeys(names, 7) | {"how": ["asked", "x"]})
        )
        assert full != bare and "{" not in full, rule
    told = findings.sentence(Rule.QUICK, '{"seconds": 3, "threshold": 8, "device_key": "abc"}')
    assert told == "出回执 3 秒后就评了（不到 8 秒的要核查）。"
