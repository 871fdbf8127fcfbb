"""Leave to write by WeChat, the messages that spend it, and what is done when WeChat says no."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from factories import City, a_bad_review
from httpx import AsyncClient
from kit.calls import Scene, undo_time_is_over
from wechat.desk import TEMPLATES
from wechat.provider import Mood, WeChatDesk

from server.kit import sql
from server.kit.clock import clock
from server.kit.wechat import WeChat
from server.messages import notices
from server.messages.keywords import cut, fitted
from server.reviews import news

GRANTS = "/api/v1/me/grants"
SEND = "/cgi-bin/message/subscribe/send"
PHONE = "13900139000"


class Told:
    """A citizen with an order, WeChat, and the worker's hands."""

    def __init__(self, scene: Scene, wechat: WeChat, desk: WeChatDesk) -> None:
        self.scene, self.wechat, self.desk = scene, wechat, desk
        self.openid = "demo:wang"
        self.desk.visited[self.openid] = desk.now()

    async def rates(self, *, contact: bool = False) -> str:
        """Gives the order's number, once the agency sees it."""
        body = a_bad_review(**({"contact": {"phone": PHONE}} if contact else {}))
        code = await self.scene.city.code(self.scene.http)
        answer = await self.scene.http.post(
            f"/api/v1/e/{code}/review", json=body, headers=await self.scene.citizen(self.openid)
        )
        await undo_time_is_over(answer.json())
        return str(answer.json()["work_order"]["number"])

    async def grants(self, name: str, answer: str = "accept", *, really: bool = True) -> Any:
        if really and answer == "accept":
            self.desk.accept(self.openid, TEMPLATES[name][0])
        given = await self.scene.http.post(
            GRANTS, json={"template": name, "answer": answer},
            headers=await self.scene.citizen(self.openid),
        )  # fmt: skip
        assert given.status_code == 200, given.text
        return given.json()["remaining"]

    async def moves(self, number: str, *moves: str) -> None:
        for move in moves:
            words = {"text": "请问是哪个窗口？"} if move in ("ask", "message") else {}
            body = {"disposition": "fixed", "text": "已整改"} if move == "answer" else words
            answer = await self.scene.http.post(
                f"/api/v1/work-orders/{number}/{move}", json=body,
                headers=await self.scene.staff("handler"),
            )  # fmt: skip
            assert answer.status_code == 200, answer.text

    async def works(self) -> None:
        """Every job of news and messages that waits, as the worker does it."""
        while rows := await sql.fetch(
            "DELETE FROM pgqueuer WHERE entrypoint IN ('news', 'notify') RETURNING entrypoint, payload"
        ):
            for row in rows:
                if row["entrypoint"] == "news":
                    await news.tell(**json.loads(row["payload"]), by_wechat=TEMPLATES)
                else:
                    await self.delivers(UUID(hex=json.loads(row["payload"])["notice"]))

    async def delivers(self, notice: UUID) -> int:
        return await notices.deliver(
            notice, wechat=self.wechat, templates=TEMPLATES, otherwise=news.by_phone
        )

    async def left(self, name: str = "answered") -> int:
        (row,) = await sql.fetch("SELECT remaining FROM wechat_grants WHERE news = $1", name)
        return int(row["remaining"])


@pytest.fixture
def told(http: AsyncClient, city: City, wechat: WeChat, desk: WeChatDesk) -> Told:
    return Told(Scene(http, city), wechat, desk)


async def states() -> list[tuple[str, str | None]]:
    rows = await sql.fetch("SELECT state, code FROM wechat_notices ORDER BY created_at")
    return [(row["state"], row["code"]) for row in rows]


async def questions() -> int:
    return len(await sql.fetch("SELECT 1 FROM questions WHERE asking = 'verdict'"))


# Grants


async def test_each_yes_is_leave_for_one_message_and_a_no_takes_none_away(told: Told) -> None:
    assert [await told.grants("answered") for _ in range(2)] == [1, 2]
    assert await told.grants("answered", "reject") == 2
    assert await told.grants("answered", "ban") == 0
    assert await told.grants("closed", "filter") == 0
    (row,) = await sql.fetch(
        "SELECT accepted, rejected, banned FROM wechat_grants WHERE news = 'answered'"
    )
    assert tuple(row) == (2, 1, 1)


async def test_a_template_is_known_by_our_word_and_by_wechats_id(
    told: Told, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = await told.scene.citizen()
    monkeypatch.setattr(app.ctx, "settings", replace(app.ctx.settings, wechat_templates=TEMPLATES))
    for template in ("answered", "TMPL_ANSWERED"):
        answer = await told.scene.http.post(
            GRANTS, json={"template": template, "answer": "accept"}, headers=me
        )
        assert answer.json()["template_id"] == "TMPL_ANSWERED"
    shown = (await told.scene.http.get(GRANTS, headers=me)).json()["items"]
    assert {one["template"]: one["remaining"] for one in shown} == {
        "accepted": 0, "asked": 0, "answered": 2, "closed": 0,
    }  # fmt: skip
    answer = await told.scene.http.post(
        GRANTS, json={"template": "TMPL_X", "answer": "accept"}, headers=me
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_template")


async def test_many_at_once_are_all_counted_and_a_wrong_count_has_an_end(told: Told) -> None:
    await asyncio.gather(*(told.grants("answered", really=False) for _ in range(30)))
    assert await told.left() == 30
    for _ in range(80):
        await told.grants("answered", really=False)
    assert await told.left() == 100


# News


async def test_accepted_and_answered_are_told_to_who_gave_leave_once_each(told: Told) -> None:
    number = await told.rates(contact=True)
    for name in ("accepted", "answered"):
        await told.grants(name)
    await told.moves(number, "accept")
    await told.works()
    await told.moves(number, "answer")
    await told.works()
    first, second = told.desk.sent
    assert (first.template_id, first.data["thing1"], first.data["phrase2"]) == (
        "TMPL_ACCEPTED", "公租房申请", "已受理",
    )  # fmt: skip
    assert second.data == {
        "thing1": "公租房申请", "thing4": "住房保障局", "phrase2": "已答复",
        "character_string5": number,
    }  # fmt: skip
    assert (second.page, second.state, second.openid) == ("pages/mine/mine", "formal", told.openid)
    assert await states() == [("sent", None)] * 2
    assert await told.left("answered") == 0
    assert await questions() == 0, "whoever was told by WeChat is not asked by SMS too"


async def test_a_question_of_the_agency_is_told_too_and_by_sms_only_if_wechat_does_not_take_it(
    told: Told,
) -> None:
    number = await told.rates(contact=True)
    for name in ("asked", "answered"):
        await told.grants(name)
    await told.moves(number, "accept", "ask")
    await told.works()
    (first,) = told.desk.sent
    assert (first.template_id, first.data["phrase2"]) == ("TMPL_ASKED", "等您回复")
    assert await sql.fetch("SELECT 1 FROM questions") == []
    await sql.fetch("UPDATE work_orders SET state = 'accepted', asked_from = NULL")
    await told.moves(number, "answer")
    await told.works()
    await told.grants("asked", really=False)
    await told.moves(number, "message")
    await told.works()
    assert [sent.template_id for sent in told.desk.sent] == ["TMPL_ASKED", "TMPL_ANSWERED"]
    rows = await sql.fetch("SELECT asking FROM questions")
    assert [row["asking"] for row in rows] == ["message"]


async def test_without_leave_the_answer_goes_by_sms_and_without_a_phone_nowhere(told: Told) -> None:
    for contact, wanted in ((True, 1), (False, 1)):
        await told.moves(await told.rates(contact=contact), "accept", "answer")
        await told.works()
        assert await questions() == wanted
    assert told.desk.calls[SEND] == 0
    assert await states() == []


async def test_a_leave_is_spent_by_one_message(told: Told) -> None:
    await told.grants("answered")
    for _ in range(2):
        await told.moves(await told.rates(contact=True), "accept", "answer")
        await told.works()
    assert len(told.desk.sent) == 1
    assert await questions() == 1


async def test_the_same_news_told_again_is_one_message(told: Told) -> None:
    number = await told.rates()
    for _ in range(3):
        await told.grants("answered")
    await told.moves(number, "accept", "answer")
    await told.works()
    for _ in range(3):
        await news.tell(number, TEMPLATES)
    await told.works()
    assert len(told.desk.sent) == 1
    assert await told.left() == 2


async def test_two_workers_with_the_same_news_write_one_message(told: Told) -> None:
    number = await told.rates()
    for _ in range(5):
        await told.grants("answered")
    await told.moves(number, "accept", "answer")
    await asyncio.gather(*(news.tell(number, TEMPLATES) for _ in range(5)), return_exceptions=True)
    await told.works()
    assert len(told.desk.sent) == 1
    assert await told.left() == 4


async def test_old_news_is_not_told(told: Told) -> None:
    """The order was answered before the worker came to tell that it was accepted."""
    number = await told.rates()
    for name in ("accepted", "answered"):
        await told.grants(name)
    await told.moves(number, "accept", "answer")
    await told.works()
    assert [one.template_id for one in told.desk.sent] == ["TMPL_ANSWERED"]
    assert await told.left("accepted") == 1


async def test_what_the_citizen_did_himself_is_no_news_to_him(told: Told) -> None:
    number = await told.rates()
    await told.grants("closed")
    await told.moves(number, "accept", "answer")
    await told.works()
    me = await told.scene.citizen()
    (item,) = (await told.scene.http.get("/api/v1/me/reviews", headers=me)).json()["items"]
    answer = await told.scene.http.post(
        f"/api/v1/track/{item['query_code']}/confirmation", json={"satisfied": True}
    )
    assert answer.json()["work_order"]["state"] == "closed"
    await told.works()
    await news.tell(number, TEMPLATES)
    await told.works()
    assert told.desk.sent == []


async def test_an_order_that_was_closed_for_him_is_told(told: Told) -> None:
    number = await told.rates()
    await told.grants("closed")
    await told.moves(number, "accept", "answer")
    await sql.fetch("DELETE FROM pgqueuer")
    now = clock.now()
    await sql.fetch(
        "UPDATE work_orders SET state = 'closed', closed_at = $2, next_due_at = NULL WHERE number = $1",
        number, now,
    )  # fmt: skip
    await sql.fetch(
        "INSERT INTO work_order_steps (order_id, at, move, state, actor, words) "
        "VALUES ($1, $2, 'silence', 'closed', 'system', '')",
        number, now,
    )  # fmt: skip
    await news.tell(number, TEMPLATES)
    await told.works()
    assert [one.data["phrase2"] for one in told.desk.sent] == ["已办结"]


async def test_who_claimed_a_review_may_be_told_too(told: Told) -> None:
    _, taken = await told.scene.rated(undo_is_over=True)
    me = await told.scene.citizen()
    await told.scene.http.post(
        "/api/v1/me/claims", json={"query_code": taken["query_code"]}, headers=me
    )
    await told.grants("answered")
    await told.moves(taken["work_order"]["number"], "accept", "answer")
    await told.works()
    assert len(told.desk.sent) == 1


async def test_without_a_template_the_answer_goes_by_sms(told: Told) -> None:
    number = await told.rates(contact=True)
    await told.grants("answered")
    await told.moves(number, "accept", "answer")
    await news.tell(number, {"closed"})
    assert await questions() == 1
    assert await told.left() == 1


# When WeChat says no


@pytest.mark.parametrize("code", [43101, 40003, 47003, 40037, 41030, 43107])
async def test_what_wechat_refuses_is_not_tried_again_and_goes_by_sms(
    told: Told, code: int
) -> None:
    for _ in range(2):
        await told.grants("answered")
    told.desk.next(SEND, Mood(code=code))
    await told.moves(await told.rates(contact=True), "accept", "answer")
    await told.works()
    assert await states() == [("refused", f"errcode_{code}")]
    assert await questions() == 1
    assert await notices.find_due() == 0
    assert await told.left() == (0 if code == 43101 else 1), "43101 ends the leave"


async def test_a_leave_that_we_counted_and_wechat_did_not_is_ended(told: Told) -> None:
    for _ in range(3):
        await told.grants("answered", really=False)
    await told.moves(await told.rates(), "accept", "answer")
    await told.works()
    assert await states() == [("refused", "errcode_43101")]
    assert await told.left() == 0


@pytest.mark.parametrize("code", [-1, 45009])
async def test_a_busy_wechat_is_asked_again_later_and_once_it_takes_the_message(
    told: Told, code: int
) -> None:
    await told.grants("answered")
    told.desk.next(SEND, Mood(code=code), Mood(code=code))
    await told.moves(await told.rates(), "accept", "answer")
    await told.works()
    assert await states() == [("queued", f"errcode_{code}")]
    await told.works()
    assert told.desk.calls[SEND] == 1, "not before its time"
    for _ in range(3):
        clock.advanced += timedelta(minutes=6)
        await notices.find_due()
        await told.works()
    assert len(told.desk.sent) == 1
    assert await states() == [("sent", None)]


async def test_a_wechat_that_stays_busy_is_given_up(told: Told) -> None:
    await told.grants("answered")
    told.desk.always = Mood(code=-1)
    await told.moves(await told.rates(contact=True), "accept", "answer")
    await told.works()
    for _ in range(8):
        clock.advanced += timedelta(hours=3)
        await notices.find_due()
        await told.works()
    assert await states() == [("refused", "errcode_-1")]
    assert await questions() == 1


@pytest.mark.parametrize("mood", [Mood(answer="nothing"), Mood(answer="cut"), Mood(delay=1.0)])
async def test_what_was_perhaps_sent_is_not_sent_again(told: Told, mood: Mood) -> None:
    await told.grants("answered")
    told.desk.next(SEND, mood)
    await told.moves(await told.rates(contact=True), "accept", "answer")
    await told.works()
    for _ in range(3):
        clock.advanced += timedelta(hours=1)
        await notices.find_due()
        await told.works()
    assert await states() == [("lost", "lost")]
    assert len(told.desk.sent) == 1
    assert await questions() == 1, "so that the answer does not stay untold"


async def test_a_worker_that_died_while_sending_doubles_nothing(told: Told) -> None:
    await told.grants("answered")
    await told.moves(await told.rates(), "accept", "answer")
    await sql.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'notify'")
    for row in await sql.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'news' RETURNING payload"):
        await news.tell(**json.loads(row["payload"]), by_wechat=TEMPLATES)
    (row,) = await sql.fetch("SELECT id FROM wechat_notices")
    await sql.fetch("DELETE FROM pgqueuer")
    assert await notices._taken(row["id"]) is not None
    assert await told.delivers(row["id"]) == 0, "another has it in his hands"
    clock.advanced += timedelta(minutes=1)
    assert await notices.find_due() == 1
    await told.works()
    assert await states() == [("lost", "worker_died")]
    assert told.desk.calls[SEND] == 0


async def test_a_lost_job_is_found_again_and_two_deliver_one_message(told: Told) -> None:
    await told.grants("answered")
    number = await told.rates()
    await told.moves(number, "accept", "answer")
    await sql.fetch("DELETE FROM pgqueuer")
    await news.tell(number, TEMPLATES)
    await sql.fetch("DELETE FROM pgqueuer")
    assert await notices.find_due() == 1
    assert await notices.find_due() == 0
    (row,) = await sql.fetch("SELECT id FROM wechat_notices")
    done = await asyncio.gather(*(told.delivers(row["id"]) for _ in range(6)))
    assert sorted(done) == [0] * 5 + [1]
    assert len(told.desk.sent) == 1


async def test_who_is_forgotten_gets_nothing_more_and_no_row_knows_him(told: Told) -> None:
    await told.grants("answered")
    number = await told.rates()
    await told.moves(number, "accept", "answer")
    await sql.fetch("DELETE FROM pgqueuer")
    await news.tell(number, TEMPLATES)
    await told.scene.http.post("/api/v1/me/erase", json={}, headers=await told.scene.citizen())
    await told.works()
    assert told.desk.calls[SEND] == 0
    (row,) = await sql.fetch("SELECT citizen_id, content, state, code FROM wechat_notices")
    assert tuple(row) == (None, None, "cancelled", "forgotten")


async def test_neither_openid_nor_words_lie_open_in_the_outbox(told: Told) -> None:
    await told.grants("answered")
    number = await told.rates()
    await told.moves(number, "accept", "answer")
    await news.tell(number, TEMPLATES)
    (row,) = await sql.fetch("SELECT * FROM wechat_notices")
    assert not [word for word in (told.openid, "公租房") if word in repr(dict(row))]
    jobs = await sql.fetch("SELECT payload FROM pgqueuer")
    assert not [row for row in jobs if b"wang" in row["payload"]]


# What fits into a keyword


@pytest.mark.parametrize(
    ("keyword", "text", "fits"),
    [
        ("thing1", "公租房申请", "公租房申请"),
        ("thing1", "一" * 20, "一" * 20),
        ("thing1", "一" * 21, "一" * 19 + "…"),
        ("thing2", "一" * 18 + "👨‍👩‍👧‍👦二三", "一" * 18 + "…"),
        ("thing2", "a\n b\t c", "a b c"),
        ("thing2", "e\u0301" * 15, "e\u0301" * 9 + "…"),
        ("thing3", "", "政务服务"),
        ("thing3", "  ", "政务服务"),
        ("phrase1", "已答复", "已答复"),
        ("phrase1", "正在核实整改中", "正在核实整"),
        ("phrase1", "OK", "办理中"),
        ("character_string1", "2026ABCDEFGHJK", "2026ABCDEFGHJK"),
        ("character_string1", "编号2026", "2026"),
        ("time3", "2026年11月21日 10:08", "2026年11月21日 10:08"),
    ],
)
def test_a_value_is_cut_between_characters(keyword: str, text: str, fits: str) -> None:
    assert fitted(keyword, text) == fits


@pytest.mark.parametrize("sign", ["一", "𠮷", "👨‍👩‍👧", "é", "👍🏽", "🇨🇳"])
def test_no_cut_leaves_half_a_character(sign: str) -> None:
    for most in range(1, 25):
        kept = cut(sign * 30, most).rstrip("…")
        assert kept == sign * (len(kept) // len(sign))
        assert len(kept.encode("utf-16-le")) // 2 <= most
