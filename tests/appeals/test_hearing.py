"""The citizen's one statement and one objection, and what they may bring back."""

from datetime import timedelta
from typing import Any

from appeals.court import AGAINST, CLAIM, FOR, Court, alerts, order_state, review_of, told
from factories import HOUSING, REGION

from server.appeals import cases
from server.kit import sql
from server.workorders.opening import working

KEEP, BACK = {"upheld": False, "text": "剔除得对"}, {"upheld": True, "text": "确有其事"}
OTHERS = ("third", "fourth")


async def test_he_states_once_redacted_while_his_days_run(court: Court) -> None:
    taken = await court.appealed(stated=False)
    for body, expected in (
        ({"text": " 　"}, (422, "blank_text")), ({"text": "长" * 501}, (422, "comment_too_long")),
        ({"text": "a\0b"}, (422, "invalid_body")),
    ):  # fmt: skip
        assert told(await court.tries(taken, "statement", **body)) == expected
    heard = await court.says(taken, "statement", text="我是王小明，电话13900139000，没有按错")
    assert heard["appeal"]["statement"] == "我是▇▇，电话▇▇，没有按错" and not heard["may_state"]
    assert told(await court.tries(taken, "statement", text="再说")) == (409, "already_stated")


async def test_after_his_days_he_is_not_heard_and_they_may_rule(court: Court) -> None:
    taken = await court.appealed(stated=False)
    early = await court.vote("first", taken["case"], **FOR)
    assert told(early) == (409, "statement_pending")
    heard = await court.hears(taken)
    assert heard["may_state"] and heard["appeal"]["text"] == CLAIM["text"]
    (row,) = await sql.fetch("SELECT at, statement_until FROM appeals")
    assert row["statement_until"] == working(row["at"], 3).at
    court.passes(row["statement_until"] + timedelta(seconds=1) - row["at"])
    assert told(await court.tries(taken, "statement", text="晚了")) == (409, "nothing_to_state")
    await court.rule(taken["case"], FOR, FOR)
    assert (await review_of(taken))["state"] == "excluded"


async def test_without_an_appeal_there_is_nothing_to_hear_or_say(court: Court) -> None:
    taken = await court.scene.order()
    path = f"/api/v1/track/{taken['query_code']}/appeal"
    assert told(await court.http.get(path)) == (404, "unknown_appeal")
    assert told(await court.tries(taken, "statement", text="x")) == (409, "nothing_to_state")
    assert told(await court.tries(taken, "objection", text="x")) == (409, "not_excluded")
    assert (await court.http.get("/api/v1/track/0000000000000000/appeal")).status_code == 404


async def test_an_upheld_objection_brings_the_review_back_with_a_new_order(court: Court) -> None:
    taken = await court.excluded()
    case = await court.objected(taken)
    assert told(await court.tries(taken, "objection", text="再")) == (409, "already_objected")
    for name in ("first", "second"):
        assert told(await court.vote(name, case, **BACK)) == (403, "not_impartial")
        assert told(await court.get(name, f"appeals/{case}")) == (403, "not_impartial")
    shown = (await court.get("third", f"appeals/{case}")).json()
    assert shown["excluded_as"] == "mistaken" and FOR["text"] in shown["first_ruling"]
    await court.rule(case, KEEP, BACK, by=OTHERS)
    (review,) = await sql.fetch("SELECT * FROM reviews")
    assert review["state"] == "standing" and review["order_number"] != taken["number"]
    assert await order_state(taken["number"]) == "dismissed"
    (order,) = await sql.fetch(
        "SELECT * FROM work_orders WHERE number = $1", review["order_number"]
    )
    assert (order["state"], order["agency_code"]) == ("assigned", HOUSING)
    assert order["origin_key"] == review["id"] and order["words"] == "排队两小时"
    assert order["due_at"] == working(order["visible_from"], 5).at
    steps = await sql.fetch(
        "SELECT move FROM work_order_steps WHERE order_id = $1", order["number"]
    )
    assert [step["move"] for step in steps] == ["open"]
    (lifted,) = await sql.fetch("SELECT lifted_at FROM exclusions")
    assert lifted["lifted_at"] is not None
    assert await alerts("restored") == ["admin", "lead", "supervisor"]
    heard = await court.hears(taken)
    assert heard["objection"]["state"] == "upheld" and heard["exclusion"]["lifted_at"]
    track = (await court.http.get(f"/api/v1/track/{taken['query_code']}")).json()
    assert track["work_order"]["number"] == order["number"]
    accept = await court.post("handler", f"work-orders/{order['number']}/accept")
    assert accept.status_code == 200
    again = await court.post("handler", f"work-orders/{order['number']}/appeal", **CLAIM)
    assert told(again) == (409, "already_appealed"), "once a review, whatever its order"


async def test_an_objection_that_two_refuse_changes_nothing(court: Court) -> None:
    taken = await court.excluded()
    await court.rule(await court.objected(taken), KEEP, KEEP, by=OTHERS)
    assert (await review_of(taken))["state"] == "excluded"
    assert len(await sql.fetch("SELECT 1 FROM work_orders")) == 1
    heard = await court.hears(taken)
    assert heard["objection"]["state"] == "refused" and heard["object_until"] is None


async def test_an_order_that_had_ended_by_itself_is_not_opened_again(court: Court) -> None:
    taken = await court.appealed("accept", "answer", "confirm")
    await court.rule(taken["case"], FOR, FOR)
    assert await order_state(taken["number"]) == "closed"
    await court.rule(await court.objected(taken), BACK, BACK, by=OTHERS)
    review = await review_of(taken)
    assert (review["state"], review["order_number"]) == ("standing", taken["number"])


async def test_after_the_days_there_is_no_objection(court: Court) -> None:
    taken = await court.excluded()
    (row,) = await sql.fetch("SELECT at FROM exclusions")
    court.passes(cases.last_day(REGION, row["at"]).at + timedelta(seconds=1) - row["at"])
    assert told(await court.tries(taken, "objection", text="x")) == (410, "objection_closed")
    assert (await court.hears(taken))["object_until"] is None


async def _rated_again(court: Court, taken: dict[str, Any]) -> None:
    """Nobody is blocked: the code is open again, and another review takes the place."""
    again = await court.http.post(f"/api/v1/e/{taken['code']}/review", json={"level": 5})
    assert again.status_code == 201, again.text


async def test_nothing_is_restored_over_a_newer_review(court: Court) -> None:
    taken = await court.excluded()
    await _rated_again(court, taken)
    assert told(await court.tries(taken, "objection", text="x")) == (409, "review_replaced")


async def test_one_that_was_replaced_meanwhile_ends_with_the_reason_in_words(court: Court) -> None:
    taken = await court.excluded()
    case = await court.objected(taken)
    await _rated_again(court, taken)
    await court.rule(case, BACK, BACK, by=OTHERS)
    assert (await review_of(taken))["state"] == "excluded"
    heard = await court.hears(taken)
    assert heard["objection"]["state"] == "refused" and "以新的为准" in heard["objection"]["ruling"]
    assert len(await sql.fetch("SELECT 1 FROM work_orders WHERE closed_at IS NULL")) == 0


async def test_who_was_called_back_for_the_first_order_is_not_called_for_the_second(
    court: Court,
) -> None:
    taken = await court.appealed("accept", real_name=True)
    early = await court.vote("first", taken["case"], **FOR)
    assert told(early) == (409, "not_called_back")
    talk = {"reached": True, "satisfied": False, "text": "确实等了很久"}
    called = await court.post("handler", f"work-orders/{taken['number']}/call-back", **talk)
    assert called.status_code == 200, called.text
    await court.rule(taken["case"], FOR, FOR)
    await court.rule(await court.objected(taken), BACK, AGAINST, by=OTHERS)
    (order,) = await sql.fetch("SELECT * FROM work_orders WHERE closed_at IS NULL")
    assert order["real_name"] and order["called_back_at"]
    (call,) = await sql.fetch("SELECT order_number, state FROM call_backs")
    assert tuple(call) == (order["number"], "done")
