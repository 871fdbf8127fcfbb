"""The regulation as one story, through HTTP."""

import io
from datetime import timedelta

import zxingcpp
from factories import City, a_bad_review
from httpx import AsyncClient
from PIL import Image

from server.kit.clock import clock


async def test_a_bad_review_from_the_receipt_to_the_confirmed_answer(
    http: AsyncClient, city: City
) -> None:
    receipt = await city.receipt(http)
    picture = Image.open(io.BytesIO((await http.get(receipt["qr"]["png"])).content))
    (decoded,) = zxingcpp.read_barcodes(picture)
    assert decoded.text == receipt["review_url"]
    code = decoded.text.rpartition("/")[2]

    invitation = (await http.get(f"/api/v1/e/{code}")).json()
    assert invitation["state"] == "open"
    assert invitation["receipt"]["matter"] == "公租房申请"
    page = await http.get(f"/e/{code}", headers={"Accept": "text/html"})
    assert page.status_code == 200

    without = await http.post(f"/api/v1/e/{code}/review", json={"level": 1, "tags": []})
    assert (without.status_code, without.json()["code"]) == (422, "reason_required")

    taken = await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())
    assert taken.status_code == 201, taken.text
    number, query_code = taken.json()["work_order"]["number"], taken.json()["query_code"]

    handler = await city.staff(http, "handler")
    assert (await http.get("/api/v1/work-orders", headers=handler)).json()["items"] == []
    clock.advanced += timedelta(minutes=11)
    inbox = (await http.get("/api/v1/work-orders", headers=handler)).json()["items"]
    assert [order["number"] for order in inbox] == [number]
    other = await city.staff(http, "other")
    assert (await http.get(f"/api/v1/work-orders/{number}", headers=other)).status_code == 404

    accepted = await http.post(f"/api/v1/work-orders/{number}/accept", json={}, headers=handler)
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted"), accepted.text
    answered = await http.post(
        f"/api/v1/work-orders/{number}/answer", headers=handler,
        json={"disposition": "fixed", "text": "已增开两个窗口"},
    )  # fmt: skip
    assert answered.json()["state"] == "answered", answered.text

    track = (await http.get(f"/api/v1/track/{query_code}")).json()
    assert track["awaiting_you"] == "confirmation"
    assert "已增开两个窗口" in [step["words"] for step in track["work_order"]["steps"]]
    done = await http.post(
        f"/api/v1/track/{query_code}/confirmation", json={"satisfied": True, "comment": ""}
    )
    assert done.json()["work_order"]["state"] == "closed", done.text
    assert done.json()["awaiting_you"] is None
