"""Who said nothing in the one district of the invented city that rates by default."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from server.catalogue.service import catalogue
from server.demo.dice import id_at
from server.kit import query_codes as codes
from server.reviews.defaults import LEVEL
from server.reviews.rules import QuestionState, ReviewChannel, ReviewState

Row = dict[str, Any]
_TICK = timedelta(seconds=2)


def defaults(
    rng: Random, now: datetime, issued: Mapping[int, Row], rated: Sequence[Row],
    questions: Iterable[Row],
) -> list[Row]:  # fmt: skip
    """Their rows; receipts whose time is not over are noted for the worker."""
    said: dict[int, list[Row]] = {}
    for review in rated:
        said.setdefault(review["receipt_id"], []).append(review)
    heard = {q["receipt_id"] for q in questions if q["state"] == QuestionState.HANDED_OVER}
    found = []
    for receipt in issued.values():
        if not catalogue().policy(receipt["region_code"]).default_rating:
            continue
        at = receipt["open_until"] + _TICK
        if at >= now:
            receipt["default_at"] = receipt["open_until"]
            continue
        reviews = [r for r in said.get(receipt["id"], []) if r["state"] != ReviewState.UNDONE]
        if receipt["id"] not in heard and all(r["at"] > at for r in reviews):
            found.append(_row(rng, receipt, at, min((r["at"] for r in reviews), default=None)))
    return found


def _row(rng: Random, receipt: Row, at: datetime, replaced_at: datetime | None) -> Row:
    review_id = id_at(rng, at)
    return {
        "id": review_id, "receipt_id": receipt["id"], "region_code": receipt["region_code"],
        "level": int(LEVEL), "tags": [], "comment": "",
        "state": ReviewState.EXCLUDED if replaced_at else ReviewState.DEFAULT,
        "channel": ReviewChannel.SYSTEM, "real_name": False, "at": at, "undo_until": at,
        "undone_at": None, "order_number": None,
        "query_key": codes.query_key(codes.query_code(review_id)), "replaced_at": replaced_at,
    }  # fmt: skip
