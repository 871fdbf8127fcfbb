"""Calls of the doors of grievances."""

from collections.abc import Awaitable, Callable

from factories import (
    MATTER,
)  # fmt: skip
from kit.first_calls import Call, Scene


async def _grievance(_: Scene) -> Call:
    body = {
        "source": "faults", "kind": "correction", "function": "guide", "matter_code": MATTER,
        "hall_code": "H1", "text": "样本里的表格是旧的", "contact": {"phone": "13900139000"},
    }  # fmt: skip
    return Call(method="POST", path="/api/v1/grievances", body=body)


GRIEVANCES: dict[str, Callable[[Scene], Awaitable[Call]]] = {
    "submit_grievance": _grievance,
}
