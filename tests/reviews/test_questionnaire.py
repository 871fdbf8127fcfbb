"""The questionnaire after a review: voluntary, once, and read only in sums."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from factories import JOINT_MATTER, LABOUR, City, a_bad_review
from httpx import AsyncClient
from kit.calls import Scene
from web.console_desk import a_desk

from server.catalogue import service as catalogue
from server.catalogue.models import Matter, Questionnaire
from server.kit import sql
from server.kit.clock import clock
from server.reviews import questionnaire
from server.reviews.questionnaire import AnswerRequired, checked
from server.reviews.questionnaire_figures import Counted
from server.reviews.rules import Answer, CommentTooLong

NATIONAL = ["服务指引是否清晰", "办事程序是否便利", "材料手续是否精简", "操作界面是否友好"]
LEAD, SUPERVISOR = "lead", "supervisor"
ROOM = "/console/questionnaires"
AGES = timedelta(minutes=11)


async def reviewed(
    http: AsyncClient, city: City, matter: str = JOINT_MATTER, headers: Any = None, **review: Any
) -> tuple[str, str]:
    """The questionnaire's address behind a fresh review, and its code at the receipt."""
    code = await city.code(http, LABOUR, matter_code=matter)
    answer = await http.post(
        f"/api/v1/e/{code}/review", json={"level": 4} | review, headers=headers
    )
    assert answer.status_code == 201, answer.text
    return f"/api/v1/track/{answer.json()['query_code']}/questionnaire", code


async def answers(http: AsyncClient, address: str, *said: str | None, **more: Any) -> Any:
    """The answer of the door; what is not said is skipped."""
    version = (await http.get(address)).json().get("version", "0")
    body = {"version": version, "answers": [*said, *[None] * (4 - len(said))], **more}
    headers = body.pop("headers", None)
    return await http.post(address, json=body, headers=headers)


async def stored() -> list[Any]:
    return await sql.fetch("SELECT * FROM questionnaire_answers ORDER BY at")


# Asking


async def test_the_national_questions_are_asked_after_the_review(
    http: AsyncClient, city: City
) -> None:
    address, _ = await reviewed(http, city)
    shown = (await http.get(address)).json()
    assert (shown["matter"], shown["questions"]) == ("新居一件事", NATIONAL)
    assert shown["open_question"] == "有何改进意见"
    assert [choice["name"] for choice in shown["choices"]] == ["是", "一般", "否"]
    track = address.removesuffix("/questionnaire")
    assert (await http.get(track)).json()["questionnaire"] == "open"
    assert (await answers(http, address, "yes", "fair")).status_code == 201
    assert (await http.get(track)).json()["questionnaire"] == "answered"
    (row,) = await stored()
    assert (row["asked"], row["answers"]) == ([*NATIONAL, "有何改进意见"], ["yes", "fair", "", ""])


async def test_a_matter_without_a_questionnaire_asks_nothing_and_is_no_wrong_code(
    http: AsyncClient, city: City
) -> None:
    code = await city.code(http)
    taken = (await http.post(f"/api/v1/e/{code}/review", json={"level": 5})).json()
    track = f"/api/v1/track/{taken['query_code']}"
    assert (await http.get(track)).json()["questionnaire"] is None
    for answer in (
        await http.get(f"{track}/questionnaire"),
        await answers(http, f"{track}/questionnaire"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "no_questionnaire")
    answer = await http.get(f"/api/v1/track/{'0' * 16}/questionnaire")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_query_code")


async def test_the_dimensions_of_reform_and_a_citys_own_words_can_be_asked_instead(
    http: AsyncClient, city: City
) -> None:
    address, _ = await reviewed(http, city)
    old = (await http.get(address)).json()
    await Matter.filter(code=JOINT_MATTER).update(questionnaire="reform")
    await catalogue.load()
    shown = (await http.get(address)).json()
    assert "申请材料是否精简" in shown["questions"]
    body = {"version": old["version"], "answers": ["yes", None, None, None]}
    answer = await http.post(address, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "questionnaire_changed")
    words = {f"question_{n}": f"第{n}问" for n in (1, 2, 3, 4)}
    await Questionnaire.create(code="reform", open_question="还有什么", **words)
    await catalogue.load()
    assert (await http.get(address)).json()["questions"] == list(words.values())
    assert (await answers(http, address, "no")).status_code == 201
    assert (await stored())[0]["asked"] == [*words.values(), "还有什么"]


# Answering


def test_something_must_be_said_and_not_too_much() -> None:
    assert checked([None, Answer.NO, None, None], " ") == (["", "no", "", ""], "")
    assert checked([None] * 4, "字" * 500)[1] == "字" * 500
    for said, words in (([None] * 4, " \u3000"), ([], "好"), ([Answer.YES] * 5, "")):
        with pytest.raises(AnswerRequired):
            checked(said, words)
    with pytest.raises(CommentTooLong):
        checked([Answer.YES] * 4, "字" * 501)


async def test_an_empty_form_and_strange_answers_are_refused(http: AsyncClient, city: City) -> None:
    address, _ = await reviewed(http, city)
    answer = await answers(http, address)
    assert (answer.status_code, answer.json()["code"]) == (422, "answer_required")
    for said in (["maybe"] * 4, ["yes"] * 3, ["yes"] * 5, "yes", [1, 2, 3, 4]):
        body = {"version": "0", "answers": said}
        assert (await http.post(address, json=body)).status_code == 422
    assert (await answers(http, address, "yes", comment="字" * 501)).status_code == 422
    assert await stored() == []


async def test_many_at_once_are_one_and_the_same_key_gets_the_first_answer(
    http: AsyncClient, city: City
) -> None:
    address, _ = await reviewed(http, city)
    all_said = await asyncio.gather(*(answers(http, address, "yes") for _ in range(8)))
    assert sorted(answer.status_code for answer in all_said) == [201] + [409] * 7
    assert {a.json()["code"] for a in all_said if a.status_code == 409} == {"already_answered"}
    address, _ = await reviewed(http, city)
    version = (await http.get(address)).json()["version"]
    for expected, said in ((201, "no"), (201, "no"), (409, "yes")):
        body = {"version": version, "answers": [said, None, None, None]}
        answer = await http.post(address, json=body, headers={"Idempotency-Key": "k"})
        assert answer.status_code == expected
    assert len(await stored()) == 2


async def test_there_is_as_much_time_as_for_the_review_itself(
    http: AsyncClient, city: City
) -> None:
    address, _ = await reviewed(http, city)
    clock.advanced += timedelta(days=7) - timedelta(seconds=5)
    assert (await http.get(address)).status_code == 200
    clock.advanced += timedelta(seconds=6)
    for answer in (await http.get(address), await answers(http, address, "yes")):
        assert (answer.status_code, answer.json()["code"]) == (410, "questionnaire_closed")
    track = (await http.get(address.removesuffix("/questionnaire"))).json()
    assert track["questionnaire"] is None


async def test_an_undone_review_takes_its_answers_along_and_the_new_one_may_answer_again(
    http: AsyncClient, city: City
) -> None:
    address, code = await reviewed(http, city)
    assert (await answers(http, address, "yes")).status_code == 201
    body = {"query_code": address.split("/")[4]}
    assert (await http.post(f"/api/v1/e/{code}/undo", json=body)).status_code == 200
    answer = await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())
    again = f"/api/v1/track/{answer.json()['query_code']}/questionnaire"
    assert (await answers(http, again, "no", "no")).status_code == 201
    undone, _ = await reviewed(http, city)
    await sql.fetch("UPDATE reviews SET state = 'undone' WHERE level = 4")
    assert (await answers(http, undone, "yes")).json()["code"] == "questionnaire_closed"


# Words


async def test_words_of_one_who_is_signed_in_are_checked_before_anybody_reads_them(
    http: AsyncClient, city: City
) -> None:
    scene = Scene(http, city)
    me, other = await scene.citizen("demo:wang"), await scene.citizen("demo:li")
    mine, _ = await reviewed(http, city, headers=me)
    assert (await answers(http, mine, "yes", comment="好", headers=me)).status_code == 201
    nobodys, _ = await reviewed(http, city)
    assert (await answers(http, nobodys, comment="也好", headers=other)).status_code == 201
    claimed, _ = await reviewed(http, city)
    claim = {"query_code": claimed.split("/")[4]}
    assert (await http.post("/api/v1/me/claims", json=claim, headers=me)).status_code == 200
    assert (await answers(http, claimed, comment="认领的", headers=me)).status_code == 201
    rows = await sql.fetch(
        "SELECT a.comment FROM word_checks k JOIN questionnaire_answers a USING (review_id) "
        "WHERE k.state = 'waiting' ORDER BY 1"
    )
    assert [row["comment"] for row in rows] == ["好", "认领的"]
    kept = (await http.get("/api/v1/me/export", headers=me)).json()["reviews"]
    assert [(one["questionnaire"] or {}).get("comment") for one in kept] == [None, "好"]


# Reading


async def many(
    http: AsyncClient, city: City, *said: tuple[str | None, ...], words: str = ""
) -> None:
    for each in said:
        address, _ = await reviewed(http, city)
        assert (await answers(http, address, *each, comment=words)).status_code == 201


async def room(app: object, username: str, address: str = ROOM) -> str:
    async with a_desk(app, username) as desk:
        answer = await desk.get(address)
        assert answer.status_code == 200, answer.text
        return answer.text


async def test_five_are_shown_as_sums_and_a_sixth_waits_for_four_more(
    http: AsyncClient, city: City, app: object
) -> None:
    await many(http, city, *[("yes", "fair")] * 3, words="电话13800138000，少跑一趟")
    await many(http, city, ("no", "yes", "yes"))
    assert "新居一件事" not in await room(app, SUPERVISOR), "nothing in the time to undo"
    clock.advanced += AGES
    assert "新居一件事" not in await room(app, SUPERVISOR), "four are too few"
    await many(http, city, ("no", "yes"), ("no", "no"))
    clock.advanced += AGES
    assert "新居一件事" in await room(app, SUPERVISOR)
    page = await room(app, SUPERVISOR, f"{ROOM}/{JOINT_MATTER}")
    assert "年 · 5 份" in page
    assert [share in page for share in ("3/5（60%）", "2/5（40%）", "0/5（0%）")] == [True] * 3
    assert "答这一题的不满 5 人，不显示" in page
    assert "▇▇，少跑一趟" in page and "13800138000" not in page
    await sql.fetch("UPDATE reviews SET state = 'excluded'")
    assert "新居一件事" not in await room(app, SUPERVISOR)


async def test_words_that_wechat_holds_are_read_by_nobody(
    http: AsyncClient, city: City, app: object
) -> None:
    me = await Scene(http, city).citizen()
    for n in range(5):
        address, _ = await reviewed(http, city, headers=me)
        await answers(http, address, "yes", comment=f"第{n}句话", headers=me)
    clock.advanced += AGES
    address = f"{ROOM}/{JOINT_MATTER}"
    assert "句话" not in await room(app, SUPERVISOR, address)
    await sql.fetch("UPDATE word_checks SET state = 'passed', next_at = NULL")
    assert (await room(app, SUPERVISOR, address)).count("句话") == 5
    await sql.fetch("UPDATE word_checks SET state = 'held'")
    assert "句话" not in await room(app, SUPERVISOR, address)


async def test_each_reads_his_own_and_other_roles_nothing(
    http: AsyncClient, city: City, app: object
) -> None:
    await many(http, city, *[("yes",)] * 5)
    clock.advanced += AGES
    address = f"{ROOM}/{JOINT_MATTER}"
    assert "年 · 5 份" not in await room(app, LEAD, address), "the lead of another agency"
    await sql.fetch("UPDATE staff SET agency_code = $1 WHERE username = 'lead'", LABOUR)
    assert "年 · 5 份" in await room(app, LEAD, address)
    for username in ("handler", "auditor"):
        async with a_desk(app, username) as desk:
            assert (await desk.get(address)).status_code == 403
            assert "问卷" not in (await desk.get("/console")).text


async def test_other_words_are_another_question(http: AsyncClient, city: City, app: object) -> None:
    await many(http, city, *[("yes",)] * 5)
    await Matter.filter(code=JOINT_MATTER).update(questionnaire="reform")
    await catalogue.load()
    await many(http, city, *[("no",)] * 6)
    clock.advanced += AGES
    page = await room(app, SUPERVISOR, f"{ROOM}/{JOINT_MATTER}")
    assert page.index("申请材料是否精简") < page.index("旧的问法") < page.index("服务指引是否清晰")
    assert page.count("年 · 5 份") == 2


def test_a_share_has_its_denominator_and_a_small_one_is_not_shown() -> None:
    five = Counted("问", {Answer.YES: 3, Answer.FAIR: 2, Answer.NO: 0})
    assert (five.of, five.is_shown) == (5, True)
    assert not Counted("问", {Answer.YES: 4, Answer.FAIR: 0, Answer.NO: 0}).is_shown


async def test_two_thousand_answers_are_summed_and_a_hundred_words_shown(
    http: AsyncClient, city: City, app: object
) -> None:
    address, _ = await reviewed(http, city)
    await answers(http, address, "yes", comment="好")
    await sql.fetch(
        "WITH more AS (SELECT gen_random_uuid() AS id, n FROM generate_series(1, 2000) n), "
        "given AS (INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state,"
        " channel, real_name, at, undo_until, query_key) "
        "SELECT m.id, r.receipt_id, 'x' || m.n, 4, '{}', '', 'standing', 'web', false, r.at,"
        " r.undo_until, 'k' || m.n FROM more m, reviews r RETURNING id) "
        "INSERT INTO questionnaire_answers (review_id, region_code, agency_code, matter_code, asked,"
        " answers, comment, at) SELECT g.id, a.region_code, a.agency_code, a.matter_code, a.asked,"
        " a.answers, a.comment, a.at FROM given g, questionnaire_answers a"
    )
    clock.advanced += AGES
    assert ">2000<" in await room(app, SUPERVISOR)
    page = await room(app, SUPERVISOR, f"{ROOM}/{JOINT_MATTER}")
    assert "2000/2000（100%）" in page and "另有 1900 条没有列出" in page


# The page


async def test_the_page_asks_without_javascript_and_thanks(http: AsyncClient, city: City) -> None:
    address, _ = await reviewed(http, city)
    page = address.removeprefix("/api/v1/track").removesuffix("/questionnaire")
    thanks = await http.get(f"/t{page}")
    assert f'href="/t{page}/questionnaire">再回答几个问题（自愿）' in thanks.text
    form = await http.get(f"/t{page}/questionnaire")
    assert form.text.count('type="radio"') == 16 and len(form.content) < 15_000
    version = (await http.get(address)).json()["version"]
    empty = await http.post(f"/t{page}/questionnaire", data={"version": version, "q1": ""})
    assert (empty.status_code, "请至少回答一个问题" in empty.text) == (422, True)
    said = {"version": version, "q2": "no", "q3": "yes", "comment": "<b>少跑一趟</b>" + "字" * 500}
    long = await http.post(f"/t{page}/questionnaire", data=said)
    assert long.status_code == 422 and "&lt;b&gt;少跑一趟" in long.text
    assert '<input type="radio" name="q2" value="no" checked>' in long.text, "nothing is lost"
    said["comment"] = "少跑一趟"
    for _ in range(2):
        sent = await http.post(f"/t{page}/questionnaire", data=said)
    assert sent.status_code == 200 and "谢谢您的回答" in sent.text
    (row,) = await stored()
    assert (row["answers"], row["comment"]) == (["", "no", "yes", ""], "少跑一趟")
    assert "再回答几个问题" not in (await http.get(f"/t{page}")).text
    assert "谢谢您的回答" in (await http.get(f"/t{page}/questionnaire")).text


async def test_the_page_says_why_there_is_nothing_to_answer(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    taken = (await http.post(f"/api/v1/e/{code}/review", json={"level": 5})).json()
    none = await http.get(f"/t/{taken['query_code']}/questionnaire")
    assert (none.status_code, "这个事项没有问卷" in none.text) == (404, True)
    unknown = await http.get(f"/t/{'0' * 16}/questionnaire")
    assert (unknown.status_code, "没有找到这个查询编码" in unknown.text) == (404, True)
    address, _ = await reviewed(http, city)
    query_code = address.split("/")[4]
    clock.advanced += timedelta(days=8)
    for answer in (
        await http.get(f"/t/{query_code}/questionnaire"),
        await http.post(f"/t/{query_code}/questionnaire", data={"q1": "yes"}),
    ):
        assert (answer.status_code, "时间已过" in answer.text) == (410, True)


async def test_on_the_wall_nothing_more_is_asked(http: AsyncClient, city: City) -> None:
    address, _ = await reviewed(http, city)
    await sql.fetch("UPDATE reviews SET channel = 'static_qr'")
    assert (await http.get(address)).json()["code"] == questionnaire.NoQuestionnaire.code
