"""The citizen's pages as a browser without JavaScript sees them: HTML in, forms out."""

import csv
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from factories import City, a_bad_review
from httpx import AsyncClient, Response

import server.catalogue.service as catalogue
from server.catalogue.models import Tag
from server.kit.clock import clock
from server.reviews.models import Review
from server.web.page import HERE

DICTIONARY = Path(catalogue.__file__).parent / "data" / "tags-national-2.csv"


@pytest.fixture
async def code(http: AsyncClient, city: City) -> AsyncIterator[str]:
    http.cookies.clear()
    yield await city.code(http)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form, as a browser would send them back."""
    found = re.findall(r'<input type="?hidden"? name="?(\w+)"? value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


async def send(http: AsyncClient, code: str, **typed: Any) -> Response:
    """Fills in a fresh form and presses the button."""
    form = await http.get(f"/e/{code}")
    return await http.post(f"/e/{code}", data=hidden(form.text) | typed)


async def rated(http: AsyncClient, code: str, **typed: Any) -> str:
    """The address of the thanks page."""
    confirm = await send(http, code, level="1", tags1="115", **typed)
    taken = await http.post(f"/e/{code}", data=hidden(confirm.text) | {"step": "confirm"})
    assert taken.status_code == 303, taken.text
    return taken.headers["location"]


async def reviews() -> int:
    return await Review.all().count()


async def test_the_form_names_the_service_and_offers_five_levels(
    http: AsyncClient, code: str
) -> None:
    page = (await http.get(f"/e/{code}")).text
    for words in ("公租房申请", "住房保障局", "市民中心 1号窗口", "全凭自愿", "匿名"):
        assert words in page
    assert re.findall(r"type=radio name=level value=(\d)", page) == ["5", "4", "3", "2", "1"]
    assert "style=" not in page and "onclick" not in page and "http" not in page


async def test_a_good_review_goes_straight_to_the_thanks_page(http: AsyncClient, code: str) -> None:
    taken = await send(http, code, level="5", tags5="513", comment="很快")
    assert taken.status_code == 303
    thanks = await http.get(taken.headers["location"])
    query_code = taken.headers["location"].rpartition("/")[2]
    assert thanks.status_code == 200 and "谢谢您的评价" in thanks.text and "工单" not in thanks.text
    assert f"{query_code[:4]} {query_code[4:8]}" in thanks.text
    review = await Review.get()
    assert (review.level, review.tags, review.comment) == (5, ["513"], "很快")


async def test_a_bad_review_needs_a_reason_and_keeps_what_was_typed(
    http: AsyncClient, code: str
) -> None:
    again = await send(http, code, level="2", real_name="1", name="王<小>明", phone="13800138000")
    assert again.status_code == 422
    assert 'role="alert"' in again.text and 'href="#why2"' in again.text
    assert "value=2 id=l2 checked" in again.text and "value=1 id=rn checked" in again.text
    assert 'value="王&lt;小&gt;明"' in again.text and 'value="13800138000"' in again.text
    assert await reviews() == 0


async def test_reasons_ticked_under_another_level_are_not_sent_with_the_review(
    http: AsyncClient, code: str
) -> None:
    confirm = await send(http, code, level="2", tags1=["113"], tags2=["213"])
    taken = await http.post(f"/e/{code}", data=hidden(confirm.text) | {"step": "confirm"})
    assert taken.status_code == 303
    (review,) = await Review.all()
    assert (review.level, review.tags) == (2, ["213"])


async def test_a_bad_review_is_confirmed_undone_and_given_again(
    http: AsyncClient, code: str
) -> None:
    confirm = await send(
        http, code, level="1", tags1=["113", "118"], comment="排队\r\n<b>两小时</b>"
    )
    assert (
        confirm.status_code == 200
        and "请确认" in confirm.text
        and "原因113；原因118" in confirm.text
    )
    assert await reviews() == 0
    kept = hidden(confirm.text) | {"tags": ["113", "118"]}
    edit = await http.post(f"/e/{code}", data=kept | {"step": "edit"})
    assert edit.status_code == 200 and "排队\n&lt;b&gt;两小时&lt;/b&gt;</textarea>" in edit.text
    assert "value=113 checked" in edit.text and "value=118 checked" in edit.text
    assert "<details open>" in edit.text
    taken = await http.post(f"/e/{code}", data=kept | {"step": "confirm"})
    thanks = await http.get(taken.headers["location"])
    for words in ("已转成工单", "住房保障局", "5 个工作日内", "撤回这次评价"):
        assert words in thanks.text
    undone = await http.post(f"{taken.headers['location']}/undo")
    assert undone.status_code == 303
    page = await http.get(undone.headers["location"])
    assert "评价已经撤回" in page.text and f'href="/e/{code}"' in page.text
    assert (
        await http.post(f"{taken.headers['location']}/undo")
    ).status_code == 303  # a double click
    assert "请评价这次服务" in (await http.get(f"/e/{code}")).text
    second = await http.get(await rated(http, code))
    assert "撤回这次评价" not in second.text and "不能再撤回" in second.text


async def test_the_same_form_sent_twice_is_one_review(http: AsyncClient, code: str) -> None:
    form = hidden((await http.get(f"/e/{code}")).text) | {"level": "4"}
    first, second = [await http.post(f"/e/{code}", data=form) for _ in range(2)]
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    other = await http.post(f"/e/{code}", data=form | {"level": "5"})
    assert other.status_code == 409 and "已经评价过了" in other.text
    assert await reviews() == 1


async def test_a_form_sent_again_after_the_undo_and_then_twice_is_no_error(
    http: AsyncClient, code: str
) -> None:
    form = hidden((await http.get(f"/e/{code}")).text) | {"level": "4"}
    first = await http.post(f"/e/{code}", data=form)
    await http.post(f"{first.headers['location']}/undo")
    statuses = [(await http.post(f"/e/{code}", data=form)).status_code for _ in range(3)]
    assert statuses == [303, 303, 303]


async def test_a_used_code_says_so_but_never_what_was_rated(http: AsyncClient, code: str) -> None:
    await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())
    page = await http.get(f"/e/{code}")
    assert (
        page.status_code == 200 and "已经评价过了" in page.text and 'action="/track"' in page.text
    )
    assert "排队" not in page.text and "不满意" not in page.text
    again = await send(http, code, level="5")
    assert again.status_code == 409 and "已经评价过了" in again.text


async def test_a_closed_code_says_until_when_it_was_open(http: AsyncClient, code: str) -> None:
    clock.advanced += timedelta(days=8)
    page = await http.get(f"/e/{code}")
    assert page.status_code == 200 and "已经结束" in page.text and "12345" in page.text
    assert (await send(http, code, level="5")).status_code == 410


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_unknown_and_wrong_codes_are_told_alike(
    http: AsyncClient, code: str, accept: str
) -> None:
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    answers = [
        await http.get(f"/e/{each}", headers={"Accept": accept})
        for each in (wrong, "a" * 25, "x", "%00", "%E8%AF%84", "'--", "a" * 2000)
    ]
    assert {a.status_code for a in answers} == {404}
    assert len({a.content for a in answers}) == 1
    shown = [{k: v for k, v in a.headers.items() if k != "x-request-id"} for a in answers]
    assert all(headers == shown[0] for headers in shown)
    assert (await http.post(f"/e/{wrong}", data={"level": "5"})).content == answers[0].content


@pytest.mark.parametrize(
    "body",
    [
        b"", b"level=abc", "level=٣".encode(), b"level=6", b"level=1&level=5", b"level=%00",
        b"level=5&comment=%00", b"\xff\xfe=\xed\xa0\x80&level=%ED%A0%80", b"%", b"&&&===", b"{}",
        b"level=3&tags=108", b"level=3&tags3=108", b"level=3&tags=%F0%9F%92%A9",
        b"level=3&comment=" + "字".encode() * 501, b"level=3&real_name=1&phone=12",
        b"a=1&" * 500, b"level=" + b"5" * 5000,
    ],
)  # fmt: skip
async def test_hostile_forms_get_a_page_in_words(http: AsyncClient, code: str, body: bytes) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await http.post(f"/e/{code}", content=body, headers=kind)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"].startswith("text/html") and 'role="alert"' in answer.text
    assert await reviews() == 0


async def test_a_body_of_a_megabyte_and_other_kinds_are_refused_kindly(
    http: AsyncClient, code: str
) -> None:
    large = await http.post(f"/e/{code}", data={"level": "5", "comment": "长" * 120_000})
    assert large.status_code == 413 and "缩短" in large.text
    assert (await http.post(f"/e/{code}", json={"level": 5})).status_code == 422
    assert (await http.post(f"/e/{code}", files={"level": b"5"})).status_code == 422


async def test_unknown_fields_and_boxes_of_another_level_do_no_harm(
    http: AsyncClient, code: str
) -> None:
    taken = await send(http, code, level="5", tags1="115", tags5="513", stranger="1")
    assert taken.status_code == 303
    assert (await Review.get()).tags == ["513"]


async def test_whoever_goes_back_to_anonymous_leaves_no_name(http: AsyncClient, code: str) -> None:
    await send(http, code, level="5", real_name="0", name="王小明", phone="13800138000")
    review = await Review.get()
    assert not review.real_name and review.contact is None


async def test_real_name_needs_a_phone_only_if_the_receipt_has_none(
    http: AsyncClient, city: City, code: str
) -> None:
    assert (await send(http, code, level="5", real_name="1")).status_code == 303
    bare = await city.code(http, applicant={"kind": 1, "name": "王小明"})
    refused = await send(http, bare, level="5", real_name="1")
    assert refused.status_code == 422 and 'href="#phone"' in refused.text
    assert "aria-invalid=true" in refused.text
    assert (
        await send(http, bare, level="5", real_name="1", phone="13800138000")
    ).status_code == 303


async def test_five_hundred_characters_over_two_lines_fit(http: AsyncClient, code: str) -> None:
    comment = "字" * 250 + "\r\n" + "😀" * 249
    assert (await send(http, code, level="5", comment=comment)).status_code == 303


async def test_the_form_stays_under_15_kb_with_the_real_dictionary(
    http: AsyncClient, code: str
) -> None:
    await Tag.all().delete()
    with DICTIONARY.open(encoding="utf-8-sig") as rows:
        for row in csv.DictReader(rows):
            await Tag.create(
                code=row["code"], level=int(row["level"]), text=row["text"],
                primary=row["primary"] == "是", version=int(row["version"]),
            )  # fmt: skip
    await catalogue.load()
    page = await http.get(f"/e/{code}")
    shared = sum((HERE / "static" / name).stat().st_size for name in ("site.css", "site.js"))
    assert page.text.count("type=checkbox") == 40
    assert len(page.content) + shared < 15_000


async def test_the_way_of_an_order_can_be_followed_to_the_end(
    http: AsyncClient, city: City, code: str
) -> None:
    address = await rated(http, code, comment="排队两小时")
    early = await http.post(f"{address}/supplement", data={"more": "还有"})
    assert early.status_code == 409 and 'role="alert"' in early.text
    clock.advanced += timedelta(minutes=11)
    assert "等待部门受理" in (await http.get(address)).text
    late = await http.post(f"{address}/undo")
    assert late.status_code == 410 and "可以撤回的时间已过" in late.text
    await answered(http, city, "已增开窗口")
    page = await http.get(address)
    assert "对答复满意吗" in page.text and "已增开窗口" in page.text
    blank = await http.post(f"{address}/confirmation", data={"satisfied": "0", "comment": " \n"})
    assert blank.status_code == 422 and 'href="#comment"' in blank.text
    assert (await http.post(f"{address}/confirmation", data={})).status_code == 422
    for _ in range(2):  # a double click
        done = await http.post(
            f"{address}/confirmation", data={"satisfied": "0", "comment": "没好"}
        )
        assert (done.status_code, done.headers["location"]) == (303, address)
    assert "您不认可，等待督办" in (await http.get(address)).text
    other = await http.post(f"{address}/confirmation", data={"satisfied": "1"})
    assert other.status_code == 409 and 'role="alert"' in other.text


async def test_words_can_be_added_once_after_the_undo_time(http: AsyncClient, code: str) -> None:
    address = await rated(http, code)
    clock.advanced += timedelta(minutes=11)
    blank = await http.post(f"{address}/supplement", data={"more": "\u200b "})
    assert blank.status_code == 422 and 'href="#more"' in blank.text
    long = await http.post(f"{address}/supplement", data={"more": "字" * 501})
    assert long.status_code == 422 and "字" * 501 in long.text
    for _ in range(2):  # a double click
        added = await http.post(f"{address}/supplement", data={"more": "后来好了 "})
        assert added.status_code == 303
    page = (await http.get(address)).text
    assert "后来好了" in page and 'name="more"' not in page
    assert (await http.post(f"{address}/supplement", data={"more": "又"})).status_code == 409


async def answered(http: AsyncClient, city: City, text: str) -> None:
    handler = await city.staff(http, "handler")
    (order,) = (await http.get("/api/v1/work-orders", headers=handler)).json()["items"]
    for move, body in (("accept", {}), ("answer", {"disposition": "fixed", "text": text})):
        done = await http.post(
            f"/api/v1/work-orders/{order['number']}/{move}", json=body, headers=handler
        )
        assert done.status_code == 200, done.text


async def test_a_query_code_is_found_however_it_is_typed(http: AsyncClient, code: str) -> None:
    query_code = (await send(http, code, level="4")).headers["location"].rpartition("/")[2]
    typed = query_code.lower().replace("0", "o").replace("1", "l")
    typed = f" {typed[:4]}-{typed[4:8]} {typed[8:]}"
    found = await http.post("/track", data={"code": typed})
    assert (found.status_code, found.headers["location"]) == (303, f"/t/{query_code}")
    assert (await http.get(f"/t/{typed}")).status_code == 200


@pytest.mark.parametrize("wrong", ["0" * 16, "x", "%00", "%F0%9F%92%A9", "U" * 16, "..%2f"])
async def test_a_wrong_query_code_gets_the_form_again(
    http: AsyncClient, city: City, wrong: str
) -> None:
    for answer in (
        await http.get(f"/t/{wrong}"), await http.post(f"/t/{wrong}/undo"),
        await http.post(f"/t/{wrong}/confirmation", data={"satisfied": "1"}),
    ):  # fmt: skip
        assert answer.status_code == 404 and 'action="/track"' in answer.text


@pytest.mark.parametrize("typed", ["", "x", "<script>", "١" * 16])
async def test_a_wrong_query_code_typed_into_the_form_is_shown_again(
    http: AsyncClient, city: City, typed: str
) -> None:
    answer = await http.post("/track", data={"code": typed})
    assert answer.status_code == 404 and 'role="alert"' in answer.text
    assert "<script>" not in answer.text


async def test_large_type_is_kept_on_this_device(http: AsyncClient, code: str) -> None:
    plain = (await http.get(f"/e/{code}")).text
    assert '<body class="large">' not in plain and 'href="?large=1"' in plain
    await http.get("/?large=1")
    large = (await http.get(f"/e/{code}")).text
    assert '<body class="large">' in large and 'href="?large=0"' in large
    await http.get("/?large=0")
    assert '<body class="large">' not in (await http.get("/track")).text


async def test_home_leads_to_tracking_and_in_the_demo_to_the_hall(
    http: AsyncClient, city: City
) -> None:
    home = (await http.get("/")).text
    assert 'href="/track"' in home and 'href="/demo"' in home


async def test_wechat_finds_its_check_file_and_nothing_else(
    http: AsyncClient, city: City, app: Any
) -> None:
    app.ctx.settings.wechat_check_files["Ab12.txt"] = "secret-of-wechat"
    try:
        found = await http.get("/e/Ab12.txt")
        assert found.text == "secret-of-wechat"
        assert found.headers["content-type"].startswith("text/plain")
        assert (await http.get("/e/other.txt")).status_code == 404
    finally:
        app.ctx.settings.wechat_check_files.clear()


async def test_every_operation_and_every_problem_is_in_the_docs(
    http: AsyncClient, city: City
) -> None:
    page = (await http.get("/docs")).text
    api = (await http.get("/openapi.json")).json()
    for path, operations in api["paths"].items():
        assert f"<code>{path}</code>" in page
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status >= "4":
                    assert all(f'id="{word}"' in page for word in answer["description"].split(", "))
    anchors = re.findall(r'href="#([^"]+)"', page)
    assert all(f'id="{anchor}"' in page for anchor in anchors)
    assert "http-equiv" not in page and 'src="http' not in page
