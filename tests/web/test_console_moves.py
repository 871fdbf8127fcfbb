"""What may be done to an order in the console, and what becomes of a refused form."""

import re

import httpx
import pytest
from factories import City
from web.console_desk import a_case, a_desk, some_of_everything

from server.workorders.models import Step, WorkOrder

ANSWER = {"disposition": "fixed", "text": "已增开两个窗口", "legal_basis": ""}


@pytest.mark.parametrize("act", ["accept", "answer"])
async def test_a_post_without_the_sessions_own_token_changes_nothing(
    http: httpx.AsyncClient, app: object, city: City, act: str
) -> None:
    case = await a_case(http, city)
    fields = ANSWER if act == "answer" else {}
    async with a_desk(app, "handler") as desk, a_desk(app, "lead") as colleague:
        if act == "answer":
            await desk.post(f"/console/orders/{case.number}/accept")
        before = await WorkOrder.get(number=case.number)
        for token in ("", "wrong", colleague.fields["csrf"]):
            refused = await desk.post(f"/console/orders/{case.number}/{act}", csrf=token, **fields)
            assert refused.status_code == 403
            assert "没有做任何改动" in refused.text
        body = {"csrf": desk.fields["csrf"], **fields}
        as_json = await desk.client.post(f"/console/orders/{case.number}/{act}", json=body)
        assert as_json.status_code == 403
    assert (await WorkOrder.get(number=case.number)).state == before.state


async def test_a_form_that_is_none_is_refused_as_a_page(app: object, city: City) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with a_desk(app, "handler") as desk:
        for body in (b"\xff=\xfe", b"a=%FF", b"&".join(b"a=1" for _ in range(299)), b"text=%00"):
            answer = await desk.client.post("/console/orders/1/answer", content=body, headers=kind)
            assert answer.status_code == 422, body
            assert "<h1>" in answer.text
        huge = await desk.client.post(
            "/console/logout", content=b"a=" + b"x" * 70_000, headers=kind
        )
        assert huge.status_code == 413


async def test_accept_then_answer_and_the_citizen_reads_every_word(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "handler") as desk:
        page = await desk.get(f"/console/orders/{case.number}")
        assert "受理这张工单" in page.text and "提交答复" not in page.text
        accepted = await desk.post(f"/console/orders/{case.number}/accept")
        assert accepted.status_code == 303
        page = await desk.get(accepted.headers["location"])
        assert "已受理。" in page.text and 'name="disposition"' in page.text

        text = "第一行 <b>&\r\n第二行"
        fields = ANSWER | {"text": text, "legal_basis": "条例第八条"}
        answered = await desk.post(f"/console/orders/{case.number}/answer", **fields)
        assert answered.status_code == 303, answered.text
        page = await desk.get(answered.headers["location"])
        assert "答复已送出" in page.text
        assert "第一行 &lt;b&gt;&amp;\n第二行" in page.text
        assert "条例第八条" in page.text and "等群众确认" in page.text
        assert 'name="disposition"' not in page.text
    track = (await http.get(f"/api/v1/track/{case.query_code}")).json()
    assert track["awaiting_you"] == "confirmation"
    assert track["work_order"]["steps"][-1]["words"] == "第一行 <b>&\n第二行"


async def test_a_notice_of_success_is_shown_only_after_the_act(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "handler") as desk:
        for done in ("accept", "answer", "open", "<script>"):
            page = await desk.get(f"/console/orders/{case.number}", done=done)
            assert 'class="notice" role="status"' not in page.text


async def test_the_slower_of_two_colleagues_is_told_kindly(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    address = f"/console/orders/{case.number}"
    async with a_desk(app, "handler") as first, a_desk(app, "lead") as second:
        assert (await first.post(f"{address}/accept")).status_code == 303
        slow = await second.post(f"{address}/accept")
        assert slow.status_code == 409
        assert "有同事先一步处理了" in slow.text and "办理中" in slow.text
        assert (await first.post(f"{address}/answer", **ANSWER)).status_code == 303
        slow = await second.post(f"{address}/answer", **(ANSWER | {"text": "我写了很久"}))
        assert slow.status_code == 409
        assert "我写了很久" in slow.text and "已答复" in slow.text
    moves = await Step.filter(order_id=case.number).order_by("id").values_list("move", flat=True)
    assert list(moves) == ["open", "accept", "answer"]


async def test_an_answer_before_accepting_is_refused_and_kept(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "handler") as desk:
        early = await desk.post(f"/console/orders/{case.number}/answer", **ANSWER)
        assert early.status_code == 409
    assert (await WorkOrder.get(number=case.number)).state == "assigned"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"text": " \n\u200b\u3000"}, "text"),
        ({"text": "长" * 2001}, "text"),
        ({"disposition": ""}, "disposition"),
        ({"disposition": "dismissed"}, "disposition"),
        ({"legal_basis": "法" * 1001}, "legal_basis"),
    ],
)
async def test_an_answer_with_a_fault_is_kept_as_it_was_typed(
    http: httpx.AsyncClient, app: object, city: City, changed: dict[str, str], field: str
) -> None:
    case = await a_case(http, city)
    typed = {
        "disposition": "explained",
        "text": "按 </textarea> 规定",
        "legal_basis": "第三条",
    } | changed
    async with a_desk(app, "handler") as desk:
        await desk.post(f"/console/orders/{case.number}/accept")
        refused = await desk.post(f"/console/orders/{case.number}/answer", **typed)
        assert refused.status_code == 422
        assert f'href="#answer-{field}"' in refused.text
        if field != "text":
            assert "按 &lt;/textarea&gt; 规定" in refused.text
        if field != "disposition":
            assert 'value="explained" required checked' in refused.text
        if field != "legal_basis":
            assert "第三条</textarea>" in refused.text
    assert (await WorkOrder.get(number=case.number)).state == "accepted"


async def test_a_preview_shows_what_the_citizen_will_read_and_sends_nothing(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "handler") as desk:
        await desk.post(f"/console/orders/{case.number}/accept")
        page = await desk.post(f"/console/orders/{case.number}/answer", preview="1", **ANSWER)
        assert page.status_code == 200
        assert "群众会读到（还没有提交）" in page.text
        assert page.text.count(ANSWER["text"]) == 2, "in the preview and in the form"
        blank = await desk.post(f"/console/orders/{case.number}/answer", preview="1", text="")
        assert (blank.status_code, "群众会读到（" in blank.text) == (422, False)
    assert (await WorkOrder.get(number=case.number)).state == "accepted"


async def test_the_citizens_steps_carry_the_day_and_no_hour(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    cases = await some_of_everything(http, city)
    async with a_desk(app, "handler") as desk:
        for case in cases[3:5]:
            page = await desk.get(f"/console/orders/{case.number}")
            times = re.findall(r'<p class="muted">([^<]*) · ([^<]+)</p>', page.text)
            assert {who.split()[0] for _, who in times} == {"系统", "经办人", "群众"}
            for when, who in times:
                assert (":" in when) == who.startswith("经办人"), (when, who)
