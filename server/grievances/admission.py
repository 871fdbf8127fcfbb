"""How often somebody may speak through the open doors: by person, and by address only for what no
household and no hall says in an hour."""

from dataclasses import dataclass
from typing import Any

from server.kit.errors import Limited
from server.kit.limits import DAY, HOUR, Limiter
from server.kit.privacy import vault

PERSON = 10
"""A day."""
ADDRESS = 120
"""An hour: a whole hall may have the same one."""
IN_THE_DEMO = 200 * 60


@dataclass(frozen=True)
class Visitor:
    """Who stands before the door, as far as he is to be counted; keys, never names or addresses."""

    limiter: Limiter
    person: str | None
    address: str
    per_day: int = PERSON
    per_hour_of_address: int = ADDRESS


def visitor_of(request: Any, person: str) -> Visitor:
    """`person`: by what he is known again, if he is."""
    app = request.app.ctx
    most = (IN_THE_DEMO, IN_THE_DEMO) if app.settings.demo else (PERSON, ADDRESS)
    return Visitor(
        app.limiter, vault().fingerprint(person, "limit") if person else None,
        vault().fingerprint(str(request.remote_addr or request.ip), "limit"), *most,
    )  # fmt: skip


async def admit(visitor: Visitor) -> None:
    counts = [
        (visitor.address, visitor.per_hour_of_address, HOUR,
         "这个网络刚才提交得太多，请过一会儿再试，也可以到大厅的服务台当面说"),
    ]  # fmt: skip
    if visitor.person:
        counts.insert(0, (
            visitor.person, visitor.per_day, DAY,
            f"您今天已经提交过 {visitor.per_day} 件，明天可以再提。已经提交的都会有答复",
        ))  # fmt: skip
    for key, most, seconds, told in counts:
        try:
            await visitor.limiter.count("grievance", key, most, seconds)
        except Limited as refusal:
            refusal.detail = told
            raise
