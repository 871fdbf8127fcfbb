"""On an order's page: whether the reviewed side may appeal, and how its appeal stands."""

from typing import Any

from server.appeals import service
from server.appeals.service import Side
from server.appeals.shown import appeal_shown
from server.kit.web import local
from server.people.rules import OF_AN_AGENCY
from server.people.service import Member
from server.web import appeal_words as words
from server.workorders.models import WorkOrder


async def card(member: Member, order: WorkOrder) -> dict[str, Any] | None:
    """A co-handler is no party to it."""
    if member.role in OF_AN_AGENCY and member.agency_code != order.agency_code:
        return None
    return of_side(await service.of_order(member, order))


def of_side(side: Side) -> dict[str, Any]:
    return {
        "cases": [appeal_shown(case) for case in side.cases], "may": not side.refusal,
        "why_not": side.refusal, "until": local(side.until), "may_withdraw": side.may_withdraw,
        "words": words, "others": side.others,
    }  # fmt: skip
