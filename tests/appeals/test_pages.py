"""The rooms of those who rule, the agency's form, the citizen's page, the public's count."""

from datetime import timedelta
from typing import Any

import pytest
from appeals.court import AGAINST, FOR, Court, alerts, review_of
from web.console_desk import a_desk

from server.kit import sql


async def test_the_agency_appeals_from_the_orders_page_and_takes_it_back(
    court: Court, app: Any
) -> None:
    taken = await court.scene.order("accept")
    address = f"/console/orders/{taken['number']}"
    async with a_desk(app, "handler") as desk:
        page = (await desk.get(address)).text
        assert f'href="{address}/appeal"' in page and "可以申诉一次" in page
        await desk.get(f"{address}/appeal")
        for fields, words in (
            ({}, "请选择申诉的理由"), ({"ground": "mistaken"}, "请写明事实和依据"),
            ({"ground": "mistaken", "text": "长" * 2001}, "最多 2000 字"),
            ({"ground": "mistaken", "text": "x", "officer_number": "777"}, "没有这个工号"),
        ):  # fmt: skip
            wrong = await desk.post(f"{address}/appeal", **fields)
            assert wrong.status_code == 422 and words in wrong.text
            assert fields.get("text", "")[:9] in wrong.text
        filed = await desk.post(f"{address}/appeal", ground="mistaken", text="有监控")
        assert (filed.status_code, filed.headers["location"]) == (303, f"{address}/appeal")
        page = (await desk.get(f"{address}/appeal")).text
        assert "有监控" in page and "撤回申诉" in page and 'name="ground"' not in page
        assert "待裁定" in (await desk.get(address)).text
        again = await desk.post(f"{address}/appeal", ground="mistaken", text="再来")
        assert again.status_code == 409 and "再来" in again.text
        await desk.get(f"{address}/appeal")
        assert (await desk.post(f"{address}/appeal/withdraw")).status_code == 303
        assert "已撤回" in (await desk.get(address)).text
        assert (await desk.post(f"{address}/appeal/withdraw")).status_code == 409


async def test_the_adjudicators_home_is_what_waits_for_him_and_there_he_rules(
    court: Court, app: Any
) -> None:
    taken = await court.appealed("accept", stated=False)
    case = f"/console/appeals/{taken['case']}"
    async with a_desk(app, "first") as desk:
        home = (await desk.get("/console")).text
        assert f'href="{case}"' in home and "申诉待复核" in home
        waiting = (await desk.get(case)).text
        assert "还在等群众的说明" in waiting and f'action="{case}/vote"' not in waiting
        early = await desk.post(f"{case}/vote", upheld="mistaken", text="误评")
        assert early.status_code == 409 and "群众还可以说明" in early.text
        await court.says(taken, "statement", text="没有按错，电话13900139000")
        page = (await desk.get(case)).text
        assert "没有按错，电话▇▇" in page and "13900139000" not in page
        for fields, words in (
            ({"text": "x"}, "请选择支持还是不支持"), ({"upheld": "no"}, "请写明理由"),
            ({"upheld": "yes", "text": "x"}, "请选择支持"),
        ):  # fmt: skip
            wrong = await desk.post(f"{case}/vote", **fields)
            assert wrong.status_code == 422 and words in wrong.text
        done = await desk.post(f"{case}/vote", upheld="mistaken", text="误评属实")
        page = (await desk.get(done.headers["location"])).text
        assert "您的意见已经写下" in page and "等另一名复核员" in page
        assert "您已写过意见" in (await desk.get("/console/appeals")).text
    async with a_desk(app, "second") as desk:
        assert "误评属实" not in (await desk.get(case)).text
        await desk.post(f"{case}/vote", upheld="mistaken", text="同意")
        page = (await desk.get(case)).text
        assert "误评属实" in page and "支持申诉：误评" in page
        assert case in (await desk.get("/console/appeals?show=done")).text
    async with a_desk(app, "handler") as desk:
        order = (await desk.get(f"/console/orders/{taken['number']}")).text
        assert "支持申诉：误评" in order and "没有按错" not in order


async def test_who_stands_back_finds_the_case_closed_to_him(court: Court, app: Any) -> None:
    taken = await court.appealed()
    case = f"/console/appeals/{taken['case']}"
    async with a_desk(app, "first") as desk:
        await desk.get(case)
        gone = await desk.post(f"{case}/recusal", text="亲属")
        assert gone.headers["location"] == "/console/appeals?done=recusal"
        page = (await desk.get(gone.headers["location"])).text
        assert "须回避：您已经回避" in page
        shut = await desk.get(case)
        assert shut.status_code == 403 and "回避" in shut.text


async def test_the_supervisor_confirms_what_was_found_again(court: Court, app: Any) -> None:
    malicious = FOR | {"reason": "malicious"}
    for _ in range(2):
        taken = await court.appealed()
        await court.rule(taken["case"], malicious, malicious)
    assert await alerts("appeal_confirm") == ["supervisor"]
    case = f"/console/appeals/{taken['case']}"
    async with a_desk(app, "supervisor") as desk:
        page = (await desk.get(case)).text
        assert "此前同一人已有 1 条" in page and "照样可以评价" in page
        wrong = await desk.post(f"{case}/confirmation", text="x")
        assert wrong.status_code == 422 and "请选择" in wrong.text
        await desk.post(f"{case}/confirmation", upheld="no", text="情况不同")
    assert (await review_of(taken))["state"] == "standing"


@pytest.mark.parametrize(
    ("who", "names"), [("supervisor", False), ("first", False), ("auditor", True), ("admin", False)]
)
async def test_the_register_tells_the_office_what_was_excluded(
    court: Court, app: Any, who: str, names: bool
) -> None:
    taken = await court.excluded()
    async with a_desk(app, who) as desk:
        page = (await desk.get("/console/exclusions")).text
        assert "住房保障局：误评" in page and taken["number"] in page and FOR["text"] in page
        assert ("裁定人" in page and "first、second" in page) is names


async def test_the_citizen_reads_what_is_said_of_his_review_and_answers_without_scripts(
    court: Court, app: Any
) -> None:
    taken = await court.appealed("accept", stated=False)
    path = f"/t/{taken['query_code']}"
    page = (await court.http.get(path)).text
    assert "部门对您的评价提出了申诉" in page and "照常有效" in page and "等候十分钟" in page
    blank = await court.http.post(f"{path}/statement", data={"said_of_appeal": " "})
    assert blank.status_code == 422 and 'href="#said_of_appeal"' in blank.text
    long = await court.http.post(f"{path}/statement", data={"said_of_appeal": "长" * 501})
    assert long.status_code == 422 and "长" * 501 in long.text
    said = await court.http.post(f"{path}/statement", data={"said_of_appeal": "没有按错"})
    assert (said.status_code, said.headers["location"]) == (303, f"{path}#appeal")
    twice = await court.http.post(f"{path}/statement", data={"said_of_appeal": "再说"})
    assert twice.status_code == 409 and "再说" in twice.text and "只能说明一次" in twice.text
    page = (await court.http.get(path)).text
    assert "没有按错" in page and f'action="{path}/statement"' not in page

    await court.rule(taken["case"], FOR, FOR)
    page = (await court.http.get(path)).text
    assert "没有被采纳" in page and "误评" in page and FOR["text"] in page
    objected = await court.http.post(f"{path}/objection", data={"said_of_appeal": "不是误评"})
    assert objected.status_code == 303
    page = (await court.http.get(path)).text
    assert (
        "不是误评" in page and "另外两名复核员" in page and f'action="{path}/objection"' not in page
    )

    (row,) = await sql.fetch("SELECT id FROM appeals WHERE round = 'objection'")
    await court.rule(
        str(row["id"]), {"upheld": True, "text": "确有其事"}, AGAINST, by=("third", "fourth")
    )
    page = (await court.http.get(path)).text
    assert "您的评价恢复有效" in page and "确有其事" in page and "等待部门受理" in page
    assert "您的异议成立，工单重新派给责任部门" in page
    (row,) = await sql.fetch("SELECT order_number FROM reviews")
    async with a_desk(app, "handler") as desk:
        for here, there in (
            (taken["number"], row["order_number"]),
            (row["order_number"], taken["number"]),
        ):
            order = (await desk.get(f"/console/orders/{here}")).text
            assert f'href="/console/orders/{there}"' in order and "异议成立，评价恢复计入" in order
            assert "不是误评" not in order and "没有按错" not in order


async def test_an_unknown_code_is_a_friendly_404(court: Court) -> None:
    for door in ("statement", "objection"):
        answer = await court.http.post(f"/t/0000000000000000/{door}", data={"said_of_appeal": "x"})
        assert answer.status_code == 404 and "查询" in answer.text


async def test_the_public_counts_exclusions_and_reads_no_word(court: Court) -> None:
    taken = await court.excluded()
    kept = await court.appealed()
    await court.rule(kept["case"], AGAINST, AGAINST)
    today = (await court.http.get("/api/v1/public/exclusions")).json()
    assert today["agencies"] == [], "days that are not over are not counted"
    court.passes(timedelta(days=1))
    answer = await court.http.get("/api/v1/public/exclusions?region=990100000000")
    (row,) = answer.json()["agencies"]
    assert row["excluded"] == {"mistaken": 1} and row["bad_reviews"] == 5
    assert row["excluded_share"] == {"numerator": 1, "denominator": 5, "value": 0.2}
    counts = [row[name] for name in ("appeals", "upheld", "refused", "withdrawn", "waiting")]
    assert counts == [2, 1, 1, 0, 0]
    page = await court.http.get("/public/exclusions", headers={"Accept": "text/html"})
    assert "误评 1" in page.text and "1 / 约 5" in page.text
    for text in (answer.text, page.text):
        assert taken["number"] not in text and "排队" not in text and FOR["text"] not in text
    for query in ("region=1", "from=x", "to=2026-13-01", "from=2020-01-01&to=2026-01-01"):
        wrong = await court.http.get(f"/api/v1/public/exclusions?{query}")
        assert wrong.status_code == 422, query
        page = await court.http.get(f"/public/exclusions?{query}")
        assert page.status_code == 422 and "<h1>" in page.text
