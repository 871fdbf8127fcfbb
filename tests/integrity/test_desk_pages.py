"""核查 and 作废 at the console: without JavaScript, by keyboard, and with nothing of the citizen."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from factories import HOUSING, LABOUR, a_bad_review, credentials
from integrity.looking import a_review, confirmed, do, ranked, state_of, states, suspected
from kit.calls import Scene
from playwright.async_api import Browser, Page
from web.console_desk import a_desk

from server.integrity import suspicions
from server.integrity.models import Look
from server.integrity.rules import Rule
from server.kit import sql
from server.kit.clock import clock
from server.kit.privacy import vault
from server.receipts.models import Receipt, Void

QUEUE, VOIDS = "/console/suspicions", "/console/receipts/voids"
PERSON = {"kind": 1, "name": "龚珑琥", "phone": "13704600001"}
CASE = "11990100MB0000001A-20261121-CANARY"


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<td role="cell"><a href="[^"]*/(\d+)"', page)]


async def test_from_the_count_at_home_to_the_second_persons_decision(
    scene: Scene, app: Any
) -> None:
    review = await a_review(scene, 1)
    number = await suspected(review)
    async with a_desk(app, "supervisor") as desk:
        home = await desk.get("/console")
        assert "有 1 条可疑评价等着核查或决定" in home.text and f'href="{QUEUE}"' in home.text
        queue = await desk.get(QUEUE)
        assert "评得太快" in queue.text and "出回执 3 秒后就评了" in queue.text
        await desk.get(f"{QUEUE}/{number}")
        blank = await desk.post(f"{QUEUE}/{number}/proposal", text=" \u3000")
        assert blank.status_code == 422 and "请填写内容" in blank.text
        done = await desk.post(f"{QUEUE}/{number}/proposal", text="录像里 <没有人>")
        page = await desk.get(done.headers["location"])
        assert "已提出认定，等另一人决定" in page.text and "录像里 &lt;没有人&gt;" in page.text
        assert f"{QUEUE}/{number}/decision" not in page.text
        own = await desk.post(f"{QUEUE}/{number}/decision", agree="yes")
        assert own.status_code == 403 and "提出认定的人不能自己决定" in own.text
    async with a_desk(app, "adjudicator") as desk:
        home = await desk.get("/console")
        assert "有 1 条可疑评价等着核查或决定" in home.text
        page = await desk.get(f"{QUEUE}/{number}")
        assert "录像里 &lt;没有人&gt;" in page.text and "它的工单终止" in page.text
        unsaid = await desk.post(f"{QUEUE}/{number}/decision", text="嗯")
        assert unsaid.status_code == 422 and ">\n嗯</textarea>" in unsaid.text
        unexplained = await desk.post(f"{QUEUE}/{number}/decision", agree="no", text="")
        assert unexplained.status_code == 422
        done = await desk.post(f"{QUEUE}/{number}/decision", agree="yes", text="")
        page = await desk.get(done.headers["location"])
        assert "决定已记录" in page.text and "已认定" in page.text and "不予采纳" in page.text
    assert await state_of(review) == "excluded"


async def test_who_comes_too_late_sees_how_it_stands_and_keeps_his_words(
    scene: Scene, app: Any
) -> None:
    number = await suspected(await a_review(scene))
    async with a_desk(app, "supervisor") as desk:
        await desk.get(f"{QUEUE}/{number}")
        assert (await do(scene, number, "clearance", "second", text="看过")).status_code == 200
        late = await desk.post(f"{QUEUE}/{number}/proposal", text="我写了很久")
        assert late.status_code == 409 and "已经有人处理过" in late.text
        assert ">\n我写了很久</textarea>" in late.text and "核查后排除" in late.text
        again = await desk.get(f"{QUEUE}/{number}?done=proposal")
        assert again.status_code == 200
    assert await Look.all().count() == 1


async def test_the_queue_is_filtered_and_turns_its_pages(scene: Scene, app: Any) -> None:
    review = await a_review(scene)
    found = [
        suspicions.Finding(
            rule=rule, region_code=review["region_code"], agency_code=agency, window_code="A1",
            receipt_id=review["receipt_id"], review_id=None, evidence={},
        )
        for agency, rule, times in ((HOUSING, Rule.PRESSED, 31), (LABOUR, Rule.BURST, 2))
        for _ in range(times)
    ]  # fmt: skip
    made = await suspicions.suspect(found, clock.now())
    await sql.fetch(
        "UPDATE suspicions SET due_at = due_at - interval '30 days' WHERE id = $1", made[-1]
    )
    async with a_desk(app, "auditor") as desk:
        first = await desk.get(QUEUE)
        assert numbers(first.text) == [made[-1], *made[:29]] and "已到期" in first.text
        following = re.search(r'href="([^"]*cursor=[^"]*)"', first.text)
        assert following
        second = await desk.get(following[1].replace("&amp;", "&"))
        assert numbers(second.text) == made[29:32]
        labour = await desk.get(QUEUE, agency=LABOUR, rule="burst")
        assert numbers(labour.text) == [made[-1], made[-2]]
        assert "没有这样的核查" in (await desk.get(QUEUE, rule="quick")).text
        for broken in ({"state": "x"}, {"rule": "x"}, {"cursor": "x"}, {"agency": "9" * 40}):
            assert (await desk.get(QUEUE, **broken)).headers["location"] == QUEUE
        page = await desk.get(f"{QUEUE}/{made[0]}")
        assert "<textarea" not in page.text, "an auditor only reads"
        for number in ("x", "0", "9" * 30):
            assert (await desk.get(f"{QUEUE}/{number}")).status_code == 404


async def test_nothing_of_the_citizen_is_on_any_page_or_in_any_answer(
    scene: Scene, app: Any
) -> None:
    words = f"我是{PERSON['name']}，电话{PERSON['phone']}，办件编号{CASE}，排队两小时"
    code = await scene.city.code(scene.http, applicant=PERSON, case_number=CASE)
    body = a_bad_review(comment=words, real_name=True, contact={
        "name": "龚玥璟", "phone": "13704600002",
    })  # fmt: skip
    head = await scene.citizen("demo:canary-openid") | {"User-Agent": "CanaryPhone/7.7"}
    answer = await scene.http.post(f"/api/v1/e/{code}/review", json=body, headers=head)
    assert answer.status_code == 201, answer.text
    (review,) = [dict(row) for row in await sql.fetch("SELECT * FROM reviews")]
    await sql.fetch("UPDATE reviews SET device_key = 'canary-device-key'")
    review |= {"window_code": "A1"}
    for rule in Rule:
        await suspected(review, rule, evidence={
            "seconds": 13704600001, "device_key": "canary-device-key", "phone": PERSON["phone"],
            "how": [PERSON["name"]], "count": CASE,
        })  # fmt: skip
    every = [row["id"] for row in await sql.fetch("SELECT id FROM suspicions")]
    seen = []
    for who in ("supervisor", "adjudicator", "auditor"):
        headers = await scene.staff(who)
        for path in ("", *(f"/{number}" for number in every)):
            seen.append((await scene.http.get(f"/api/v1/suspicions{path}", headers=headers)).text)
        async with a_desk(app, who) as desk:
            seen += [(await desk.get(QUEUE)).text]
            seen += [(await desk.get(f"{QUEUE}/{number}")).text for number in every]
    assert sum("排队两小时" in text for text in seen) == 2 * 3 * len(every), "the words get through"
    (receipt,) = await Receipt.all()
    secrets = [
        PERSON["name"], PERSON["phone"], CASE, "龚玥璟", "13704600002", "canary", "CanaryPhone",
        answer.json()["query_code"], code, str(review["id"]), f"{review['at']:%H:%M:%S}",
        receipt.phone_key, vault().fingerprint("canary-openid", "openid"),
    ]  # fmt: skip
    assert [secret for secret in secrets for text in seen if secret in text] == []


async def test_the_agency_has_no_door_and_no_word_of_it(scene: Scene, app: Any) -> None:
    review = await a_review(scene, 1)
    number = await suspected(review)
    for who in ("handler", "lead", "other"):
        async with a_desk(app, who) as desk:
            for address in (QUEUE, f"{QUEUE}/{number}", f"{QUEUE}/999"):
                refused = await desk.get(address)
                assert refused.status_code == 403 and "评得太快" not in refused.text
            home = await desk.get("/console")
            assert "核查</a>" not in home.text and "可疑" not in home.text
            for door in ("proposal", "decision", "clearance"):
                answer = await desk.post(f"{QUEUE}/{number}/{door}", text="x", agree="yes")
                assert answer.status_code == 403
    assert await states() == ["open"]


async def test_the_auditor_reads_voids_and_suspicions_of_a_receipt_after_his_reason(
    scene: Scene, app: Any
) -> None:
    review = await a_review(scene, 1)
    receipt = str(review["receipt_id"])
    system = await scene.city.system(scene.http)
    await scene.http.post(
        f"/api/v1/receipts/{receipt}/void", json={"reason": "录错 <1>"}, headers=system
    )
    void = await Void.get()
    async with a_desk(app, "lead") as desk:
        await desk.get(VOIDS)
        await desk.post(f"{VOIDS}/decide", id=str(void.id), agree="yes", text="同意，重开")
    number = await suspected(review, Rule.VOIDED, evidence={"hours": 5, "threshold_days": 7})
    await confirmed(scene, number)
    async with a_desk(app, "auditor") as desk:
        await desk.get("/console/audit")
        noted = await desk.post("/console/audit", receipt=receipt, reason="抽查")
        page = await desk.get(noted.headers["location"])
        assert "录错 &lt;1&gt;" in page.text and "部门的业务系统" in page.text
        assert "同意，重开" in page.text and "已作废" in page.text
        assert "收到差评 5 小时后" in page.text and "已认定" in page.text
    checks = await scene.http.get(
        f"/api/v1/audit/receipts/{receipt}/checks", headers=await scene.staff("auditor")
    )
    (told,), (one,) = checks.json()["voids"], checks.json()["suspicions"]
    assert (told["state"], told["decided_by"], told["words"]) == ("voided", "lead", "同意，重开")
    assert (one["id"], one["state"], one["level"]) == (number, "confirmed", 1)
    rows = await sql.fetch("SELECT subject FROM access_log WHERE action = 'audit_receipt'")
    assert [row["subject"] for row in rows] == [receipt, receipt], "both looks are logged"
    async with a_desk(app, "supervisor") as desk:
        page = await desk.get(f"{QUEUE}/{number}")
        assert "录错 &lt;1&gt;" in page.text, "who looks into it knows the reason that was given"


# 作废


async def test_a_handler_asks_by_hand_and_his_lead_decides(scene: Scene, app: Any) -> None:
    review = await a_review(scene, 1)
    receipt = await Receipt.get(id=review["receipt_id"])
    asked = {"receipt": str(receipt.id), "case": receipt.case_number, "reason": "窗口 <录错>"}
    async with a_desk(app, "handler") as desk:
        await desk.get(VOIDS)
        wrong = await desk.post(f"{VOIDS}/ask", **(asked | {"case": "CASE-1"}))
        assert wrong.status_code == 422 and "办件编号与它不符" in wrong.text
        assert 'value="窗口 &lt;录错&gt;"' in wrong.text, "what was typed is not lost"
        done = await desk.post(f"{VOIDS}/ask", **asked)
        page = await desk.get(done.headers["location"])
        assert "已提出" in page.text and "窗口 &lt;录错&gt;" in page.text
        assert "您提出的，由本部门另一位负责人决定" in page.text and "同意作废" not in page.text
        again = await desk.post(f"{VOIDS}/ask", **asked)
        assert "不用再提" in (await desk.get(again.headers["location"])).text
        assert "非常不满意" not in page.text and review["order_number"] not in page.text
    (void,) = await Void.all()
    async with a_desk(app, "lead") as desk:
        assert "有 1 张回执等您决定是否作废" in (await desk.get("/console")).text
        await desk.get(VOIDS)
        unexplained = await desk.post(f"{VOIDS}/decide", id=str(void.id), agree="no", text="")
        assert unexplained.status_code == 422 and "请写明理由" in unexplained.text
        unsaid = await desk.post(f"{VOIDS}/decide", id=str(void.id), text="好")
        assert unsaid.status_code == 422
        done = await desk.post(f"{VOIDS}/decide", id=str(void.id), agree="yes", text="")
        assert "已作废" in (await desk.get(done.headers["location"])).text
        late = await desk.post(f"{VOIDS}/decide", id=str(void.id), agree="no", text="等等")
        assert late.status_code == 409 and "已经有人决定了" in late.text
        assert "已作废" in (await desk.get(VOIDS, show="decided")).text
        assert "有 1 张回执" not in (await desk.get("/console")).text
    assert (await Receipt.get(id=receipt.id)).voided_at is not None
    assert await state_of(review) == "standing" and await ranked() == 1


@pytest.mark.parametrize(
    "fields", [
        {}, {"receipt": "1"}, {"receipt": "x", "case": "y", "reason": "z"},
        {"receipt": "9" * 40, "case": "", "reason": ""}, {"receipt": "１", "case": "1", "reason": "r"},
        {"receipt": "1", "case": "1", "reason": "r" * 201}, {"receipt": "1\0", "case": "1", "reason": "r"},
    ],
)  # fmt: skip
async def test_a_form_that_makes_no_sense_is_said_to_be_one(
    scene: Scene, app: Any, fields: dict[str, str]
) -> None:
    async with a_desk(app, "lead") as desk:
        await desk.get(VOIDS)
        assert (await desk.post(f"{VOIDS}/ask", **fields)).status_code == 422
        for number in ("", "0", "x", "9" * 30, "١"):
            answer = await desk.post(f"{VOIDS}/decide", id=number, agree="yes")
            assert answer.status_code == 404
    assert await Void.all().count() == 0


async def test_a_lead_does_not_decide_on_what_he_asked_for(scene: Scene, app: Any) -> None:
    receipt = await Receipt.get(id=(await a_review(scene))["receipt_id"])
    async with a_desk(app, "lead") as desk:
        await desk.get(VOIDS)
        await desk.post(
            f"{VOIDS}/ask", receipt=str(receipt.id), case=receipt.case_number, reason="录错"
        )
        (void,) = await Void.all()
        assert "同意作废" not in (await desk.get(VOIDS)).text
        assert "等您决定" not in (await desk.get("/console")).text
        own = await desk.post(f"{VOIDS}/decide", id=str(void.id), agree="yes")
        assert own.status_code == 403 and "不能同意自己提出的作废" in own.text
    assert (await Void.get()).state == "asked"


# In a browser


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 390, "height": 800})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    assert complaints == []


async def _tab_to(page: Page, words: str) -> None:
    for _ in range(60):
        found = await page.evaluate(
            "(e => e.innerText || e.id || e.name || '')(document.activeElement)"
        )
        if found.strip() == words:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {words}")


async def _sign_in(page: Page, live: str, username: str) -> None:
    await page.goto(f"{live}{QUEUE}")
    await page.bring_to_front()
    for name, value in credentials(username).items():
        await _tab_to(page, name)
        await page.keyboard.type(value)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{live}{QUEUE}")


@pytest.mark.browser
async def test_the_queue_is_worked_by_keyboard_alone_by_two_people(
    scene: Scene, live: str, window: Page, browser: Browser
) -> None:
    review = await a_review(scene, 1)
    number = await suspected(review, Rule.BURST)
    await _sign_in(window, live, "supervisor")
    assert await window.evaluate("document.documentElement.scrollWidth") <= 390
    await _tab_to(window, f"窗口短时集中评价 #{number}")
    await window.keyboard.press("Enter")
    await window.wait_for_url(f"{live}{QUEUE}/{number}")
    assert await window.evaluate("document.documentElement.scrollWidth") <= 390
    await _tab_to(window, "text-proposal")
    await window.keyboard.type("窗口十分钟里没有这么多人")
    await _tab_to(window, "提出认定")
    await window.keyboard.press("Enter")
    await window.wait_for_url(f"{live}{QUEUE}/{number}?done=proposal")
    assert await states() == ["proposed"]
    context = await browser.new_context(java_script_enabled=False)
    other = await context.new_page()
    await _sign_in(other, live, "adjudicator")
    await other.goto(f"{live}{QUEUE}/{number}")
    await _tab_to(other, "同意认定")
    await other.keyboard.press("Enter")
    await other.wait_for_url(f"{live}{QUEUE}/{number}?done=decision")
    await context.close()
    assert await states() == ["confirmed"] and await state_of(review) == "excluded"


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
async def test_no_page_scrolls_sideways_in_large_type(
    scene: Scene, live: str, browser: Browser, width: int
) -> None:
    numbers_ = [
        await suspected(await a_review(scene, 1), rule) for rule in (Rule.VOIDED, Rule.BURST)
    ]
    receipt = await Receipt.get(id=(await a_review(scene, 5, case_number="C" * 64))["receipt_id"])
    system = await scene.city.system(scene.http)
    await scene.http.post(
        f"/api/v1/receipts/{receipt.id}/void", json={"reason": "长" * 200}, headers=system
    )
    for who, paths in (
        ("supervisor", [QUEUE, *(f"{QUEUE}/{number}" for number in numbers_)]), ("lead", [VOIDS]),
    ):  # fmt: skip
        context = await browser.new_context(viewport={"width": width, "height": 800})
        page = await context.new_page()
        await page.goto(f"{live}/console/login")
        for name, value in credentials(who).items():
            await page.fill(f"[name={name}]", value)
        await page.click("main button")
        await page.wait_for_url(f"{live}/console*")
        for path in paths:
            for large in ("0", "1"):
                await page.goto(f"{live}{path}?large={large}")
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
        await context.close()
