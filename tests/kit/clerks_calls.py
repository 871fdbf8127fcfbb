"""Calls of the doors of clerks."""

from collections.abc import Awaitable, Callable

from factories import (
    HOUSING,
)  # fmt: skip
from kit.first_calls import Call, Scene


async def _take_in(s: Scene) -> Call:
    body = {
        "source": "visit", "text": "办公租房跑了三趟都没有收件", "agency_code": HOUSING, "not_a_double": True,
    }  # fmt: skip
    return Call(method="POST", path="/api/v1/intake", body=body, headers=await s.staff("handler"))


CLERKS: dict[str, Callable[[Scene], Awaitable[Call]]] = {
    "take_in": _take_in,
}
