"""An appeal as it stands in the database, and what was laid before it."""

import json
from datetime import timedelta
from typing import Any

import msgspec
from factories import HOUSING, REGION, a_receipt
from kit.first_calls import undo_time_is_over
from kit.odd_files import a_png

from server.appeals import evidence
from server.appeals.models import Appeal, Evidence
from server.kit.clock import clock
from server.kit.files import examined
from server.kit.ids import new_id
from server.people.models import Staff
from server.people.service import Member
from server.receipts import service as receipts
from server.receipts.codes import code_of
from server.reviews import service as reviews
from server.reviews.models import Review
from server.reviews.snapshot import Verdict


async def member(username: str) -> Member:
    return Member.of(await Staff.get(username=username))


async def a_bad_one(agency: str) -> Review:
    """A review of this agency, with its order."""
    form = msgspec.json.decode(json.dumps(a_receipt(agency)), type=receipts.ReceiptForm)
    (issued,) = await receipts.issue(agency, [form])
    assert isinstance(issued, receipts.Issued)
    taken = await reviews.submit(
        code_of(issued.id), Verdict(level=1, tags=[], comment="排队两小时")
    )
    assert taken.order
    await undo_time_is_over({"work_order": {"number": taken.order.number}})
    return await reviews.review_of(taken.query_code)


async def an_appeal(**changed: Any) -> Appeal:
    """The handler's, open, about some review of his agency."""
    now = clock.now()
    review = await a_bad_one(changed.get("agency_code", HOUSING))
    if changed.get("state") in ("upheld", "refused", "withdrawn"):
        changed.setdefault("ruled_at", now)
    by = {"by_id": (await member("handler")).id} if changed.get("round") != "objection" else {}
    told = {
        "id": new_id(), "region_code": REGION, "agency_code": HOUSING, "order_number": review.order_number,
        "review_id": review.id, "ground": "mistaken", "words": "当天系统停机", "at": now,
        "due_at": now + timedelta(days=7),
    }  # fmt: skip
    return await Appeal.create(**(told | by | changed))


async def given(
    appeal: Appeal, content: bytes | None = None, name: str = "照片.png", by: str = "handler"
) -> Evidence:
    file = examined(a_png() if content is None else content)
    row, new = await evidence.add(await member(by), str(appeal.id), name, file)
    assert new
    return row
