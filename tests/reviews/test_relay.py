"""中转留言: citizen and agency talk, over page and SMS, and neither learns who the other is."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from factories import HOUSING, City, a_bad_review
from httpx import AsyncClient, Response
from phones import Handset, notified, orders, pass_time, tick

from server.kit import sql
from server.kit.clock import clock
from server.reviews import news
from server.reviews.progress import CITIZEN_WORDS
from server.reviews.rules import MESSAGES_A_DAY
from server.workorders.rules import STEP_NAMES

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Talk:
    """An accepted order with both sides of it."""

    def __init__(self, http: AsyncClient, query_code: str, number: str, handler: Any) -> None:
        self.http, self.number, self.handler = http, number, handler
        self.mine, self.order = f"/api/v1/track/{query_code}", f"/api/v1/work-orders/{number}"

    async def says(self, text: str) -> Response:
        return await self.http.post(f"{self.mine}/messages", json={"text": text})

    async def moves(self, move: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"{self.order}/{move}", json=body, headers=self.handler)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def track(self) -> dict[str, Any]:
        return (await self.http.get(self.mine)).json()

    async def seen(self) -> dict[str, Any]:
        return (await self.http.get(self.order, headers=self.handler)).json()


async def given(http: AsyncClient, hall: City, **changed: Any) -> Talk:
    taken = await http.post(
        f"/api/v1/e/{await hall.code(http)}/review",
        json=a_bad_review(**{"tags": ["109"]} | changed),
    )
    assert taken.status_code == 201, taken.text
    body, handler = taken.json(), await hall.staff(http, "handler")
    return Talk(http, body["query_code"], body["work_order"]["number"], handler)


@pytest.fixture
async def talk(http: AsyncClient, hall: City) -> Talk:
    talk = await given(http, hall)
    clock.advanced += 11 * MINUTE
    await talk.moves("accept")
    return talk


async def test_a_question_stops_the_clock_and_the_citizens_word_lets_it_go_on(talk: Talk) -> None:
    await talk.moves("ask", text="请问是哪个窗口？")
    track = await talk.track()
    assert track["awaiting_you"] == "answer"
    assert track["messages"][-1] | {"at": ""} == {
        "at": "",
        "from": "agency",
        "words": "请问是哪个窗口？",
    }
    said = (await talk.says("三号窗口，我是王小明，电话13900139000")).json()
    assert (said["awaiting_you"], said["work_order"]["state"]) == (None, "accepted")
    shown = said["messages"][-1]
    assert (shown["from"], shown["words"]) == ("citizen", "三号窗口，我是▇▇，电话▇▇")
    words = [step["words"] for step in (await talk.seen())["steps"] if step["move"] == "message"]
    assert words == [shown["words"]]
    await talk.moves("message", text="已经查到，正在核对监控")
    assert [m["from"] for m in (await talk.track())["messages"]] == ["agency", "citizen", "agency"]


async def test_the_citizen_may_write_unasked_also_before_anybody_has_accepted(
    http: AsyncClient, hall: City
) -> None:
    talk = await given(http, hall)
    early = await talk.says("等等")
    assert (early.status_code, early.json()["code"]) == (409, "supplement_too_early")
    clock.advanced += 11 * MINUTE
    assert (await talk.says("补充：是上午")).json()["work_order"]["state"] == "assigned"
    await talk.moves("accept")
    assert (await talk.says("还有一件事")).json()["work_order"]["state"] == "accepted"
    alerts = await sql.fetch("SELECT kind FROM alerts WHERE order_number = $1", talk.number)
    assert [row["kind"] for row in alerts] == ["message"], "once, until the owner has looked"


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [("", 422, "blank_text"), (" \u200b\n", 422, "blank_text"), ("长" * 501, 422, "comment_too_long")],
)  # fmt: skip
async def test_a_word_is_neither_blank_nor_endless(
    talk: Talk, text: str, status: int, code: str
) -> None:
    refused = await talk.says(text)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_so_many_words_a_day_and_no_more_however_many_come_at_once(talk: Talk) -> None:
    for n in range(MESSAGES_A_DAY - 2):
        assert (await talk.says(f"第{n}条")).status_code == 200
    answers = await asyncio.gather(*(talk.says(f"又{n}条") for n in range(6)))
    assert sorted(a.status_code for a in answers) == [200] * 2 + [429] * 4
    refused = next(a for a in answers if a.status_code == 429)
    assert refused.json()["code"] == "too_many_messages"
    assert 0 < int(refused.headers["retry-after"]) <= 86_401
    clock.advanced += 24 * HOUR
    assert (await talk.says("新的一天")).status_code == 200


async def test_an_order_that_has_ended_is_not_talked_to(talk: Talk) -> None:
    await talk.moves("answer", disposition="fixed", text="已整改")
    await talk.http.post(f"{talk.mine}/confirmation", json={"satisfied": True})
    refused = await talk.says("谢谢")
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_move")


async def test_a_good_review_has_nobody_to_talk_to(http: AsyncClient, hall: City) -> None:
    taken = await http.post(f"/api/v1/e/{await hall.code(http)}/review", json={"level": 5})
    path = f"/api/v1/track/{taken.json()['query_code']}/messages"
    refused = await http.post(path, json={"text": "你好"})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_work_order")
    unknown = await http.post("/api/v1/track/0000000000000000/messages", json={"text": "你好"})
    assert unknown.status_code == 404


async def test_an_answer_and_a_question_at_once_end_in_one_state(talk: Talk) -> None:
    await talk.moves("ask", text="哪个窗口？")
    said, answered = await asyncio.gather(
        talk.says("三号"),
        talk.http.post(
            f"{talk.order}/message", json={"text": "不急"}, headers=talk.handler
        ),
    )  # fmt: skip
    assert (said.status_code, answered.status_code) == (200, 200)
    assert (await talk.seen())["state"] == "accepted"


# By SMS


async def rated_by_sms(http: AsyncClient, hall: City, phone: Handset) -> Talk:
    await notified(http, hall)
    await phone.writes("1 排队太久")
    await pass_time(11 * MINUTE)
    (order,) = await orders()
    talk = Talk(http, "", order["number"], await hall.staff(http, "handler"))
    await talk.moves("accept")
    return talk


async def test_who_rated_by_sms_is_asked_by_sms_and_whatever_he_replies_is_his_word(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    talk = await rated_by_sms(http, hall, phone)
    await talk.moves("ask", text="请问您说的是哪个窗口？" + "我们想调取当天的监控逐一核对" * 3)
    await tick()
    await news.tell(talk.number)
    await tick()
    asked = (await phone.messages())[-1]
    assert (asked["purpose"], (await phone.purposes()).count("ask")) == ("ask", 1)
    assert "公租房申请" in asked["text"] and "请问您说的是哪个窗口" in asked["text"]
    assert all(len(value) <= 35 for value in asked["variables"].values())
    assert talk.number not in asked["text"]
    await phone.writes("5号窗口，电话13800138000")
    assert (await phone.outcomes())[-1] == "added"
    seen = await talk.seen()
    assert (seen["state"], seen["steps"][-2]["words"]) == ("accepted", "5号窗口，电话▇▇")
    await pass_time(20 * MINUTE)
    await phone.writes("对了，是上午")
    assert [s["words"] for s in (await talk.seen())["steps"] if s["by"] == "群众"][
        -1
    ] == "对了，是上午"
    assert len(await orders()) == 1


async def test_a_question_that_was_answered_on_the_page_is_not_asked_by_sms(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    talk = await given(http, hall, contact={"phone": phone.number})
    clock.advanced += 11 * MINUTE
    await talk.moves("accept")
    clock.advanced += 12 * HOUR  # ten at night: nobody is written to
    talk.handler = await hall.staff(http, "handler")
    await talk.moves("ask", text="哪个窗口？")
    await tick()
    assert await phone.questions() == [("message", "waiting")]
    await talk.says("三号窗口")
    await pass_time(11 * HOUR)
    assert await phone.questions() == [("message", "needless")]
    assert await phone.purposes() == []


async def test_the_answer_does_not_wait_for_a_question_that_nobody_answered(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    talk = await rated_by_sms(http, hall, phone)
    await talk.moves("message", text="正在核实")
    await tick()
    assert (await phone.questions())[-1] == ("message", "open")
    await talk.moves("answer", disposition="fixed", text="已整改")
    await tick()
    assert (await phone.questions())[-2:] == [("message", "needless"), ("verdict", "open")]
    await phone.writes("满意")
    assert (await talk.seen())["state"] == "closed"


async def test_an_answer_is_not_passed_over_for_a_word_that_followed_it(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    """The worker was away: both jobs find both."""
    talk = await rated_by_sms(http, hall, phone)
    await tick()
    await talk.moves("answer", disposition="fixed", text="已整改")
    await talk.moves("message", text="欢迎监督")
    await tick()
    assert ("verdict", "open") in await phone.questions()
    assert (await phone.purposes()).count("answer") == 1


async def test_who_opts_out_in_a_talk_is_not_written_to_again_and_his_word_is_no_word(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    talk = await rated_by_sms(http, hall, phone)
    await talk.moves("ask", text="哪个窗口？")
    await tick()
    await phone.writes("TD")
    assert (await phone.outcomes())[-1] == "opted_out"
    assert (await talk.seen())["state"] == "asking"


# 辱骂


async def test_abuse_is_folded_until_the_supervisor_thinks_otherwise_and_never_removed(
    talk: Talk, hall: City
) -> None:
    await talk.says("你们都是废物")
    body = {"step_id": (await talk.seen())["steps"][-1]["step_id"], "reason": "辱骂"}
    folded = (await talk.moves("flag", **body))["steps"][-1]
    assert (folded["flagged"], folded["words"]) == (True, "你们都是废物")
    supervisor = await hall.staff(talk.http, "supervisor")

    async def post(path: str, who: Any, **body: Any) -> tuple[int, str]:
        answer = await talk.http.post(f"{talk.order}/{path}", json=body, headers=who)
        return answer.status_code, answer.json().get("code", "")

    assert await post("flag", talk.handler, **body) == (409, "already_flagged")
    assert await post("flag", talk.handler, step_id=1, reason="不是群众说的") == (
        404,
        "unknown_step",
    )
    assert await post("flag", talk.handler, step_id=10**9, reason="没有") == (404, "unknown_step")
    assert await post("flag", talk.handler, step_id=body["step_id"], reason=" ") == (
        422,
        "blank_text",
    )
    assert await post("flag", supervisor, **body) == (403, "wrong_role")
    ruling = {"step_id": body["step_id"], "upheld": False}
    assert await post("flag-ruling", talk.handler, **ruling) == (403, "wrong_role")
    other = await hall.staff(talk.http, "other")
    assert await post("flag", other, **body) == (404, "unknown_work_order")
    assert (await post("flag-ruling", supervisor, **ruling))[0] == 200
    assert (await talk.seen())["steps"][-1]["flagged"] is False
    assert await post("flag-ruling", supervisor, **ruling) == (409, "already_ruled")
    (review,) = await sql.fetch("SELECT level, state FROM reviews")
    assert (review["level"], review["state"]) == (1, "standing")


async def test_both_are_judged_where_a_service_desk_had_the_matter_first(
    talk: Talk, hall: City
) -> None:
    await sql.fetch("UPDATE work_orders SET desk_agency_code = '11990100MB0000009J'")
    await talk.moves("answer", disposition="fixed", text="已整改")
    track = await talk.track()
    assert (track["rates"], track["work_order"]["desk"]) == (["agency", "desk"], "大厅综合服务台")
    done = await talk.http.post(
        f"{talk.mine}/confirmation", json={"satisfied": True, "desk_satisfied": False}
    )
    assert (done.status_code, done.json()["rates"]) == (200, [])
    rows = await sql.fetch("SELECT about, agency_code, satisfied FROM opinions ORDER BY about")
    assert [tuple(row) for row in rows] == [
        ("agency", HOUSING, True), ("desk", "11990100MB0000009J", False),
    ]  # fmt: skip


async def test_the_citizen_reads_every_step_and_nothing_that_offices_write_to_each_other(
    talk: Talk, hall: City
) -> None:
    supervisor = await hall.staff(talk.http, "supervisor")
    secret = "内部意见，不对外"
    await talk.moves("verify", finding="true", how="records", text=secret)
    urged = await talk.http.post(f"{talk.order}/urge", json={"text": secret}, headers=supervisor)
    assert urged.status_code == 200, urged.text
    steps = (await talk.track())["work_order"]["steps"]
    assert [step["what"] for step in steps][-2:] == ["部门安排专人核实", "督办员催办"]
    assert not any(secret in step["words"] for step in steps)


async def test_an_answer_that_was_seen_on_the_page_is_one_that_he_was_told(talk: Talk) -> None:
    await talk.moves("answer", disposition="fixed", text="已整改")
    assert (await talk.seen())["told_how"] is None
    await talk.track()
    assert (await talk.seen())["told_how"] == "page"


def test_every_step_has_words_for_the_citizen() -> None:
    assert set(CITIZEN_WORDS) == set(STEP_NAMES)
