"""What a citizen tells us about his own slip becomes a suspicion, for somebody to look at."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from server.catalogue.service import catalogue
from server.integrity.models import Suspicion
from server.integrity.rules import Rule
from server.workorders.deadlines import Unit, due_or_provisional


async def suspect(
    receipt: Any, rule: Rule, review_id: UUID | None, evidence: Mapping[str, Any], now: datetime
) -> Suspicion:
    """In the caller's transaction. `evidence` leads to nobody."""
    known = catalogue()
    days = known.policy(receipt["region_code"]).supervise_days
    return await Suspicion.create(
        region_code=receipt["region_code"], agency_code=receipt["agency_code"],
        window_code=receipt["window_code"], receipt_id=receipt["id"], review_id=review_id, rule=rule,
        evidence=json.dumps(evidence, ensure_ascii=False), at=now,
        due_at=due_or_provisional(now, days, Unit.WORKING, known.calendar).at,
    )  # fmt: skip
