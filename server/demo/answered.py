"""Who in the invented city also answered the questionnaire, where the matter has one."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from server.catalogue.service import catalogue
from server.demo.dice import one
from server.demo.opinions import Opinion
from server.reviews.questionnaire import asked_in
from server.reviews.rules import Answer, ReviewChannel, ReviewState

Row = dict[str, Any]
_SHARE = 0.5
_A = Answer
_GOOD: dict[Answer | str, float] = {_A.YES: 74, _A.FAIR: 14, _A.NO: 4, "": 8}
_BAD: dict[Answer | str, float] = {_A.YES: 14, _A.FAIR: 26, _A.NO: 52, "": 8}
_WORDS = (
    "少交一份复印件就好了", "希望能全程网上办", "指引写得再简单一点", "等候时间可以再短些",
    "页面字太小，老人看不清", "一次告知做得不错",
)  # fmt: skip
_LED_THERE = frozenset({
    ReviewChannel.RECEIPT_QR, ReviewChannel.MINI_PROGRAM, ReviewChannel.WEB, ReviewChannel.KIOSK,
})  # fmt: skip


def answered(rng: Random, said: Iterable[Opinion], receipts: Mapping[int, Row]) -> Iterator[Row]:
    for opinion in said:
        receipt = receipts[opinion.visit.number]
        row = catalogue().questionnaire(receipt["matter_code"])
        stands = opinion.state is ReviewState.STANDING and opinion.channel in _LED_THERE
        if row is None or not stands or rng.random() >= _SHARE:
            continue
        asked, weights = asked_in(row), _GOOD if opinion.level > 2 else _BAD
        given = [one(rng, weights) for _ in asked.questions]
        comment = rng.choice(_WORDS) if rng.random() < 0.2 or not any(given) else ""
        yield {
            "review_id": opinion.id, "region_code": receipt["region_code"],
            "agency_code": receipt["agency_code"], "matter_code": receipt["matter_code"],
            "asked": list(asked.texts), "answers": [str(answer) for answer in given],
            "comment": comment,
            "at": opinion.at + timedelta(seconds=rng.uniform(30, 200)),
        }  # fmt: skip
