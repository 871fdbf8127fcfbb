# ruff: noqa: E501
"""Window systems and online platforms hand over receipts."""

import json
from datetime import timedelta
from typing import Any

import pytest
from factories import (
    COMMON_MATTER,
    HOUSING,
    JOINT_MATTER,
    LABOUR,
    LABOUR_MATTER,
    City,
    a_bad_review,
    a_receipt,
)  # fmt: skip
from httpx import AsyncClient, Response

from server.kit import sql
from server.kit.clock import clock
from server.kit.web import BATCH_LIMIT
from server.receipts.models import Receipt


async def push(http: AsyncClient, city: City, body: Any, agency: str = HOUSING) -> Response:
    return await http.post("/api/v1/receipts", json=body, headers=await city.system(http, agency))


async def push_all(http: AsyncClient, city: City, rows: list[Any]) -> list[dict[str, Any]]:
    answer = await http.post(
        "/api/v1/receipts/batch", json={"receipts": rows}, headers=await city.system(http)
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def count(table: str = "receipts") -> int:
    (row,) = await sql.fetch(f"SELECT count(*) AS n FROM {table}")
    return int(row["n"])


async def test_the_same_push_again_gives_the_same_receipt(http: AsyncClient, city: City) -> None:
    body = a_receipt()
    first = await push(http, city, body)
    again = await push(http, city, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert await count() == 1


@pytest.mark.parametrize(
    "spelling",
    [
        lambda b: dict(reversed(b.items())),
        lambda b: b | {"unknown": 1},
        lambda b: b | {"handled_at": b["handled_at"].replace("+08:00", "+0800")},
        lambda b: b | {"applicant": {"phone": "+86 138-0013-8000", "name": " 王小明 ", "kind": 1}},
    ],
    ids=["another order", "an unknown field", "another zone spelling", "another phone spelling"],
)
async def test_the_same_said_otherwise_is_the_same(
    http: AsyncClient, city: City, spelling: Any
) -> None:
    body = a_receipt()
    await push(http, city, body)
    again = await push(http, city, spelling(body))
    if (
        again.status_code == 422
    ):  # a spelling that is no RFC 3339 may be refused, but is no conflict
        assert again.json()["errors"][0]["field"] == "handled_at"
        return
    assert again.status_code == 200, again.text


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "申报"}, {"window_code": None}, {"officer_number": None}, {"matter_code": COMMON_MATTER},
        {"channel": "online"}, {"applicant": None}, {"applicant": {"kind": 1, "name": "李四", "phone": "13800138000"}},
        {"applicant": {"kind": 1, "name": "王小明", "phone": "13800138001"}},
        {"applicant": {"kind": 2, "name": "王小明", "phone": "13800138000"}},
    ],
    ids=str,
)  # fmt: skip
async def test_another_content_under_the_same_number_is_a_conflict(
    http: AsyncClient, city: City, change: dict[str, Any]
) -> None:
    body = a_receipt()
    await push(http, city, body)
    answer = await push(http, city, body | change)
    assert (answer.status_code, answer.json()["code"]) == (409, "receipt_conflict")
    assert await count() == 1


async def test_two_agencies_may_use_the_same_numbers(http: AsyncClient, city: City) -> None:
    number = "2026-0001"
    ours = await push(http, city, a_receipt(case_number=number))
    theirs = await push(http, city, a_receipt(LABOUR, case_number=number), LABOUR)
    assert (ours.status_code, theirs.status_code) == (201, 201)
    assert ours.json()["receipt_id"] != theirs.json()["receipt_id"]


FAULTS = [
    ({"matter_code": "0" * 31}, "matter_code", "unknown_matter"),
    ({"matter_code": LABOUR_MATTER}, "matter_code", "unknown_matter"),
    ({"window_code": "Z9"}, "window_code", "unknown_window"),
    ({"window_code": "B1"}, "window_code", "unknown_window"),
    ({"officer_number": "999"}, "officer_number", "unknown_officer"),
    ({"officer_number": "101"}, "officer_number", "unknown_officer"),
    ({"applicant": {"phone": "1380013800"}}, "applicant.phone", "invalid_phone"),
    ({"applicant": {"phone": "00000000000"}}, "applicant.phone", "invalid_phone"),
    ({"case_number": ""}, "case_number", "wrong_length"),
    ({"case_number": "a" * 65}, "case_number", "wrong_length"),
    ({"case_number": "a\nb"}, "case_number", "wrong_format"),
    ({"case_number": None}, "case_number", "wrong_type"),
    ({"service_number": 0}, "service_number", "out_of_range"),
    ({"service_number": 2**31}, "service_number", "out_of_range"),
    ({"service_number": "1"}, "service_number", "wrong_type"),
    ({"service_number": True}, "service_number", "wrong_type"),
    ({"channel": "fax"}, "channel", "unknown_value"),
    ({"stage": "完成"}, "stage", "unknown_value"),
    ({"applicant": {"kind": 7}}, "applicant.kind", "unknown_value"),
    ({"handled_at": "2026-11-21"}, "handled_at", "not_a_time"),
    ({"handled_at": "2026-11-21T10:08:00"}, "handled_at", "not_a_time"),
]


@pytest.mark.parametrize(("change", "field", "code"), FAULTS, ids=lambda v: str(v)[:40])
async def test_what_is_wrong_with_a_receipt_is_named(
    http: AsyncClient, app: Any, shared: City, change: dict[str, Any], field: str, code: str
) -> None:
    answer = await push(http, shared, a_receipt() | change)
    assert answer.status_code == 422, answer.text
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


@pytest.fixture(scope="module")
async def shared(app: Any) -> City:
    """For refusals only: they leave nothing behind, so one city does for all of them."""
    from factories import a_city, run_sql  # noqa: PLC0415

    await run_sql("emptied")
    return await a_city()


@pytest.mark.parametrize(
    "field", ["case_number", "service_number", "matter_code", "handled_at", "channel"]
)
async def test_a_required_field_that_is_missing_is_named(
    http: AsyncClient, shared: City, field: str
) -> None:
    body = a_receipt()
    del body[field]
    answer = await push(http, shared, body)
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, "missing")]


@pytest.mark.parametrize(
    ("ago", "code"),
    [
        (timedelta(minutes=-6), "in_the_future"), (timedelta(days=-400), "in_the_future"),
        (timedelta(days=367), "too_old"), (timedelta(days=36_500), "too_old"),
        (timedelta(minutes=-4), None), (timedelta(days=364), None),
    ],
)  # fmt: skip
async def test_a_service_was_handled_lately(
    http: AsyncClient, shared: City, ago: timedelta, code: str | None
) -> None:
    answer = await push(http, shared, a_receipt(handled_at=(clock.now() - ago).isoformat()))
    if code is None:
        assert answer.status_code == 201, answer.text
        return
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("handled_at", code)]


@pytest.mark.parametrize(
    ("handled_at", "code"),
    [("0001-01-01T00:00:00+14:00", "too_old"), ("9999-12-31T23:59:59-12:00", "in_the_future")],
)
async def test_a_time_at_the_end_of_the_calendar_is_told_like_any_other(
    http: AsyncClient, shared: City, handled_at: str, code: str
) -> None:
    answer = await push(http, shared, a_receipt(handled_at=handled_at))
    assert answer.status_code == 422, answer.text
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("handled_at", code)]


@pytest.mark.parametrize("matter", [COMMON_MATTER, JOINT_MATTER])
async def test_common_matters_are_everybodys_and_joint_ones_their_co_handlers(
    http: AsyncClient, city: City, matter: str
) -> None:
    assert (await push(http, city, a_receipt(matter_code=matter))).status_code == 201


async def test_optional_fields_are_optional(http: AsyncClient, city: City) -> None:
    needed = ("case_number", "service_number", "matter_code", "handled_at", "channel")
    body = {name: value for name, value in a_receipt().items() if name in needed}
    answer = await push(http, city, body)
    assert answer.status_code == 201
    assert (await http.get(f"/api/v1/e/{answer.json()['review_url'][-25:]}")).json()["receipt"][
        "window"
    ] == ""


async def test_the_answer_has_what_a_printer_needs(http: AsyncClient, city: City) -> None:
    receipt = await city.receipt(http)
    assert len(receipt["review_url"].encode()) <= 62
    assert receipt["open_until"].endswith("T23:59:59+08:00")
    for kind, content_type in (("svg", "image/svg+xml"), ("png", "image/png")):
        drawn = await http.get(receipt["qr"][kind])
        assert (drawn.status_code, drawn.headers["content-type"]) == (200, content_type)
        again = await http.get(
            receipt["qr"][kind], headers={"If-None-Match": drawn.headers["etag"]}
        )
        assert again.status_code == 304
    assert (await http.get(receipt["qr"]["escpos"])).status_code == 401
    printed = await http.get(receipt["qr"]["escpos"], headers=await city.system(http))
    assert receipt["review_url"].encode() in printed.content


async def test_neither_the_code_nor_the_drawing_holds_a_person(
    http: AsyncClient, city: City
) -> None:
    receipt = await city.receipt(http, case_number="CASE-NUMBER-CANARY")
    printed = await http.get(receipt["qr"]["escpos"], headers=await city.system(http))
    for secret in ("王小明", "13800138000", "CASE-NUMBER-CANARY"):
        assert secret not in json.dumps(receipt, ensure_ascii=False)
        assert secret.encode("gb18030") not in printed.content


# Batches


async def test_one_bad_row_spoils_no_other(http: AsyncClient, city: City) -> None:
    rows: list[Any] = [
        a_receipt(), a_receipt(window_code="Z9"), {}, None, "text", [], a_receipt(service_number="1"),
        a_receipt(case_number="a\0b"), a_receipt(LABOUR), a_receipt(),
    ]  # fmt: skip
    results = await push_all(http, city, rows)
    assert [row["index"] for row in results] == list(range(len(rows)))
    assert [row["status"] for row in results] == [201, 422, 422, 422, 422, 422, 422, 422, 422, 201]
    for row in results:
        if row["status"] == 201:
            assert set(row) == {"index", "status", "receipt_id", "review_url", "open_until", "qr"}
        else:
            assert set(row) == {"index", "status", "error"}
            assert row["error"]["code"]
    assert await count() == 2


async def test_a_row_that_repeats_or_contradicts_another_is_answered_like_a_second_push(
    http: AsyncClient, city: City
) -> None:
    one, standing = a_receipt(), a_receipt()
    before = (await push(http, city, standing)).json()["receipt_id"]
    rows = [one, one, one | {"stage": "申报"}, standing, standing | {"stage": "申报"}]
    results = await push_all(http, city, rows)
    assert [row["status"] for row in results] == [201, 200, 409, 200, 409]
    assert results[0]["receipt_id"] == results[1]["receipt_id"]
    assert results[3]["receipt_id"] == before
    assert results[2]["error"]["code"] == results[4]["error"]["code"] == "receipt_conflict"


async def test_a_thousand_rows_are_one_call_and_a_thousand_and_one_are_413(
    http: AsyncClient, city: City
) -> None:
    rows = [a_receipt() for _ in range(1001)]
    answer = await http.post(
        "/api/v1/receipts/batch", json={"receipts": rows}, headers=await city.system(http)
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_receipts")
    assert await count() == 0
    results = await push_all(http, city, rows[:1000])
    assert {row["status"] for row in results} == {201}
    assert await count() == 1000


async def test_a_batch_over_two_megabytes_is_413_and_an_empty_one_is_nothing(
    http: AsyncClient, city: City
) -> None:
    fat = a_receipt(unknown="x" * (BATCH_LIMIT // 2))
    answer = await http.post(
        "/api/v1/receipts/batch",
        json={"receipts": [fat, fat, fat]},
        headers=await city.system(http),
    )
    assert answer.status_code == 413
    assert await count() == 0
    assert await push_all(http, city, []) == []


# What the issuer learns


async def test_the_issuer_never_learns_whether_and_how_it_was_rated(
    http: AsyncClient, city: City
) -> None:
    body = a_receipt()
    receipt = (await push(http, city, body)).json()
    code, headers = receipt["review_url"].rpartition("/")[2], await city.system(http)

    async def everything() -> list[bytes]:
        answers = [
            await http.get(f"/api/v1/receipts/{receipt['receipt_id']}", headers=headers),
            await http.get(receipt["qr"]["escpos"], headers=headers),
            await http.get(receipt["qr"]["svg"]), await http.get(receipt["qr"]["png"]),
            await push(http, city, body), await push(http, city, body | {"stage": "申报"}),
            await http.post("/api/v1/receipts/batch", json={"receipts": [body]}, headers=headers),
        ]  # fmt: skip
        return [answer.content.partition(b'"instance"')[0] for answer in answers]

    before = await everything()
    taken = await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())
    assert taken.status_code == 201
    assert await everything() == before
    clock.advanced += timedelta(minutes=11)
    assert await everything() == before


async def test_a_receipt_of_another_agency_does_not_exist(http: AsyncClient, city: City) -> None:
    number = (await city.receipt(http))["receipt_id"]
    headers = await city.system(http, LABOUR)
    for path in ("/api/v1/receipts/{}", "/api/v1/receipts/{}/escpos"):
        answer = await http.get(path.format(number), headers=headers)
        unknown = await http.get(path.format("999999"), headers=headers)
        assert (answer.status_code, unknown.status_code) == (404, 404)
        same = [{k: v for k, v in a.json().items() if k != "instance"} for a in (answer, unknown)]
        assert same[0] == same[1]


async def test_a_voided_receipt_says_so(http: AsyncClient, city: City) -> None:
    number = (await city.receipt(http))["receipt_id"]
    await Receipt.filter(id=int(number)).update(voided_at=clock.now())
    answer = await http.get(f"/api/v1/receipts/{number}", headers=await city.system(http))
    assert answer.json()["voided"] is True


async def test_an_idempotency_key_is_honoured_on_a_push(http: AsyncClient, city: City) -> None:
    body, headers = a_receipt(), await city.system(http) | {"Idempotency-Key": "k1"}
    first = await http.post("/api/v1/receipts", json=body, headers=headers)
    again = await http.post("/api/v1/receipts", json=body, headers=headers)
    other = await http.post("/api/v1/receipts", json=a_receipt(), headers=headers)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert first.content == again.content
    assert other.json()["code"] == "idempotency_conflict"


async def test_names_and_phones_are_sealed_in_the_table(http: AsyncClient, city: City) -> None:
    await city.receipt(http)
    stored = repr([dict(row) for row in await sql.fetch("SELECT * FROM receipts")])
    assert "王小明" not in stored
    assert "13800138000" not in stored


async def test_a_field_named_twice_in_one_row_and_missing_in_another_is_not_overlooked(
    http: AsyncClient, city: City
) -> None:
    """As many names as rows, so that counting alone would not find it."""
    twice, without = a_receipt(), a_receipt()
    del without["stage"]
    plain = [json.dumps(row, ensure_ascii=False) for row in (twice, without)]
    plain[0] = plain[0].replace('"stage"', '"stage": "咨询", "stage"', 1)

    answer = await http.post(
        "/api/v1/receipts/batch",
        content=f'{{"receipts": [{", ".join(plain)}]}}'.encode(),
        headers=await city.system(http) | {"Content-Type": "application/json"},
    )

    assert [row["status"] for row in answer.json()["results"]] == [422, 201]
