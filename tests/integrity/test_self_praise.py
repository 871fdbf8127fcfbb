"""The story of part 2, from outside: HTTP, the phone, and the clock."""

import re
from collections.abc import AsyncIterator

import pytest
from factories import City
from httpx import AsyncClient
from phones import PHONE, policy
from stories.town import MONDAY, Citizen, Town

from server.catalogue.sheets import import_sheets, national_tags
from server.kit import sql
from server.kit.clock import clock


@pytest.fixture
async def town(http: AsyncClient, city: City) -> AsyncIterator[Town]:
    clock.advanced += MONDAY - clock.now()
    await sql.fetch("DELETE FROM tags")
    await import_sheets({"tags": national_tags()}, by="test")
    await policy(invite_minutes=600)
    yield Town(http, city)


async def agency_sees(town: Town, slip: Citizen) -> tuple[object, ...]:
    head = await town.city.system(town.http)
    receipt = await town.http.get(f"/api/v1/receipts/{slip.receipt_id}", headers=head)
    inbox = await town.reads("handler", "work-orders")
    return receipt.json(), inbox["items"], await slip.invitation()


async def test_a_self_given_praise_undone_by_the_citizen(town: Town) -> None:
    """窗口人员自己给回执评了五星；群众扫码看到已评价，按“不是我评的”，用手机验证码证明本人，评一星并写明原因。"""
    slip = await town.served()
    clerk = Citizen(town, slip.code, slip.receipt_id)
    await clerk.rates(5)

    page = (await town.http.get(f"/e/{slip.code}")).text
    assert "这次服务已经评价过了" in page
    (link,) = re.findall(r'href="([^"]+)">不是我评的', page)
    before = await agency_sees(town, slip)
    clerks_page = await clerk.track()

    asked = await town.http.post(link, data={"phone": PHONE, "step": "ask"})
    assert asked.status_code == 200 and "验证码已经发到" in asked.text
    await town.works()
    (text,) = await town.texts(PHONE)
    proof = re.search(r"\d{6}", text)
    assert proof and "请勿告诉他人" in text
    sent = {"phone": PHONE, "asked": "1", "proof": proof[0], "step": "prove"}
    proven = await town.http.post(link, data=sent)
    assert proven.status_code == 303, proven.text

    owner = Citizen(town, proven.headers["location"].rpartition("/")[2], slip.receipt_id)
    assert await agency_sees(town, slip) == before, "nothing of who, or that it was objected"
    assert await clerk.track() == clerks_page
    assert (await owner.invitation())["state"] == "open"
    taken = await owner.rates(1, comment="态度很差，还抢着替我评了五星")
    assert taken["work_order"]["number"]

    assert await slip.audited() == [
        (5, "receipt_qr", "suspended"), (1, "receipt_qr", "standing"),
    ]  # fmt: skip
    (suspicion,) = await sql.fetch("SELECT * FROM suspicions WHERE rule = 'objected'")
    assert (suspicion["rule"], suspicion["state"]) == ("objected", "open")
    receipt, inbox, invitation = await agency_sees(town, slip)
    assert (receipt, invitation) == (before[0], before[2])
    assert [order["number"] for order in inbox] == [owner.number]  # type: ignore[index, union-attr]
    shown = await town.order("handler", owner.number)
    for order in (str(shown), str(inbox)):
        assert PHONE not in order and "objected" not in order and "suspended" not in order
    assert "不是我评的" not in str(shown)
