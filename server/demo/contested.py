"""Appeals in every state, about orders of the invented city, as the product would have written them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from asyncpg import Record

from server.appeals import telling
from server.appeals.models import Appeal, Exclusion, Vote
from server.appeals.rules import AppealState, Round
from server.catalogue.service import catalogue
from server.demo.city import CITY, SEED
from server.demo.dice import id_at
from server.kit import sql
from server.reviews.rules import Excluded
from server.workorders.opening import working

CLAIM = "叫号记录显示当天等候九分钟，监控里群众在窗口前后一共停留六分钟，与评价所说的两小时不符。"
STATEMENT = "我那天来了两趟，第一趟等了很久没有办成，叫号记录是第二趟的。"
FOR = ("叫号记录和监控能互相印证，属误评。", "同意。评价所说的时间与记录不符。")
AGAINST = ("群众说明了第一趟的情况，部门没有提供那天上午的记录。", "存疑时以群众的评价为准。")
OBJECTION = "我有第一趟取的号，照片还在手机里，请再看一次。"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# Excluded by the month's own course; its order was dismissed, so two had ruled.
_DISMISSED = """
SELECT o.number, o.agency_code, o.owner_id, o.visible_from, r.id AS review_id, s.at AS ended
FROM work_orders o JOIN reviews r ON r.order_number = o.number AND r.state = 'excluded'
JOIN work_order_steps s ON s.order_id = o.number AND s.move = 'dismiss' ORDER BY s.at
"""
_STANDING = """
SELECT o.number, o.agency_code, o.owner_id, o.visible_from, r.id AS review_id
FROM work_orders o JOIN reviews r ON r.order_number = o.number AND r.state = 'standing'
WHERE o.origin = 'review' AND NOT o.real_name AND o.region_code = $1
  AND o.visible_from BETWEEN $2 AND $3 ORDER BY o.visible_from DESC, o.number LIMIT 1
"""


@dataclass(frozen=True)
class Plot:
    """A case about an order that the agency saw so many days ago."""

    days: int
    stated: bool
    votes: tuple[bool, ...] = ()


PLOTS = (
    Plot(1, stated=False), Plot(5, stated=True, votes=(True,)), Plot(8, stated=True),
    Plot(12, stated=True, votes=(False, False)), Plot(20, stated=False),
)  # fmt: skip
"""Waits for the citizen; for one more vote; for both; refused; overdue."""


class Cases:
    def __init__(self, now: datetime, rulers: list[int]) -> None:
        self.now, self.rulers, self.rng = now, rulers, Random(SEED + 7)  # noqa: S311
        self.count = 0

    async def appeal(self, order: Record, at: datetime, stated: bool, **more: Any) -> Appeal:
        policy = catalogue().policy(CITY)
        due, until = working(at, policy.adjudicate_days), working(at, policy.statement_days)
        self.count += 1
        words = more.pop("words", CLAIM)
        case: dict[str, Any] = {
            "round": Round.APPEAL, "by_id": order["owner_id"], "ground": Excluded.MISTAKEN,
            "statement_until": until.at,
        }  # fmt: skip
        if stated:
            case |= {"statement": STATEMENT, "statement_at": at + 3 * _HOUR}
        return await Appeal.create(
            id=id_at(self.rng, at), region_code=CITY, agency_code=order["agency_code"],
            order_number=order["number"], review_id=order["review_id"], words=words, at=at,
            due_at=due.at, provisional=due.provisional,
            **(case | more),
        )  # fmt: skip

    async def votes(self, appeal: Appeal, upheld: tuple[bool, ...], at: datetime) -> None:
        for place, (ruler, yes) in enumerate(zip(self.rulers, upheld, strict=False)):
            await Vote.create(
                appeal_id=appeal.id, staff_id=ruler, at=at - (len(upheld) - place) * _HOUR,
                upheld=yes, reason=Excluded.MISTAKEN if yes else None,
                words=(FOR if yes else AGAINST)[place],
            )  # fmt: skip

    async def upheld(self, order: Record) -> None:
        at = order["visible_from"] + (order["ended"] - order["visible_from"]) / 10
        words, ended = "\n".join(FOR), {"state": AppealState.UPHELD, "ruled_at": order["ended"]}
        case = await self.appeal(order, at, True, reason=Excluded.MISTAKEN, ruling=words, **ended)
        case.statement_at = at + (order["ended"] - at) / 5
        await case.save(update_fields=["statement_at"])
        await self.votes(case, (True, True), order["ended"])
        await Exclusion.create(
            id=id_at(self.rng, order["ended"]), region_code=CITY, agency_code=order["agency_code"],
            review_id=order["review_id"], reason=Excluded.MISTAKEN, words=words,
            first_id=self.rulers[0], second_id=self.rulers[1], at=order["ended"], case_id=case.id,
        )  # fmt: skip

    async def plotted(self, order: Record, plot: Plot) -> None:
        at = order["visible_from"] + min(_DAY, (self.now - order["visible_from"]) / 2)
        more: dict[str, Any] = {}
        ruled = min(at + 2 * _DAY, self.now)
        if len(plot.votes) == 2:
            more = {
                "state": AppealState.REFUSED, "ruled_at": ruled, "ruling": "\n".join(AGAINST),
            }  # fmt: skip
        case = await self.appeal(order, at, plot.stated, **more)
        await self.votes(case, plot.votes, ruled)
        if not more:
            await telling.filed(case, at)


async def write(now: datetime) -> int:
    """In the caller's transaction; gives the number of cases."""
    rows = await sql.fetch("SELECT id FROM staff WHERE role = 'adjudicator' ORDER BY id")
    cases = Cases(now, [row["id"] for row in rows])
    dismissed = await sql.fetch(_DISMISSED)
    for order in dismissed:
        await cases.upheld(order)
    if dismissed:
        at = dismissed[-1]["ended"] + _DAY
        objection = {"round": Round.OBJECTION, "by_id": None, "ground": None}
        case = await cases.appeal(
            dismissed[-1], at, False, statement_until=None, words=OBJECTION, **objection
        )
        await telling.filed(case, at)
    for plot in PLOTS:
        last = now - plot.days * _DAY
        order = await sql.fetch_one(_STANDING, CITY, last - 4 * _DAY, last)
        if order:
            await cases.plotted(order, plot)
    return cases.count
