"""The deadline of a case: who is to rule is warned before it, supervisors are told after it, each once.
Nothing is ever decided by the lapse of time."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from server.appeals import telling
from server.appeals.models import Appeal
from server.appeals.rules import ENDED
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.transaction import transaction
from server.workorders.ladder import Rung, rung_at

_BATCH = 50
_OPEN = f"state NOT IN ({', '.join(repr(str(state)) for state in sorted(ENDED))})"
_LATE = f"{_OPEN} AND overdue_at IS NULL AND due_at < $1"
_NOT_WARNED = f"{_OPEN} AND warned_at IS NULL AND due_at >= $1"
Tell = Callable[[Appeal, datetime], Awaitable[None]]


async def watch() -> int:
    """The tick."""
    now = clock.now()
    late = [appeal.id for appeal in await _found(_LATE, now)]
    near = [appeal.id for appeal in await _found(_NOT_WARNED, now) if _warns_at(appeal) < now]
    return await _tell(late, "overdue_at", telling.overdue, now) + await _tell(
        near, "warned_at", telling.due_soon, now
    )


async def _found(where: str, now: datetime) -> list[Appeal]:
    rows = await sql.fetch(
        f"SELECT * FROM appeals WHERE {where} ORDER BY due_at LIMIT {_BATCH}",  # noqa: S608
        now,
    )
    return [Appeal._init_from_db(**dict(row)) for row in rows]


async def _tell(ids: Sequence[UUID], told: str, tell: Tell, now: datetime) -> int:
    """Each in its own commit; what another worker has in its hands, or was ruled, is left alone."""
    done = 0
    for one in ids:
        async with transaction():
            row = await sql.fetch_one(
                f"SELECT * FROM appeals WHERE id = $1 AND {told} IS NULL AND {_OPEN} "  # noqa: S608
                "FOR UPDATE SKIP LOCKED",
                one,
            )
            if row:
                appeal = Appeal._init_from_db(**dict(row))
                await tell(appeal, now)
                setattr(appeal, told, now)
                await appeal.save(update_fields=[told])
                done += 1
    return done


def _warns_at(appeal: Appeal) -> datetime:
    policy = catalogue().policy(appeal.region_code)
    return rung_at(Rung.WARN, appeal.due_at, policy, catalogue().calendar)
