"""A batch that meets what nobody foresaw goes on one by one; what fails alone is left to a person."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.kit.errors import Unavailable
from server.kit.failures import refusal_of

T = TypeVar("T")
log = logging.getLogger(__name__)


async def patiently(
    step: Callable[[int], Awaitable[T]], most: int, give_up: Callable[[], Awaitable[T]]
) -> T:
    """`step` takes the oldest so many, all or none of them; `give_up` puts the very oldest aside."""
    for many in (most, 1):
        try:
            return await step(many)
        except Exception as error:
            if isinstance(refusal_of(error), Unavailable):
                raise
            log.exception("a batch of messages failed", extra={"count": many})
    return await give_up()
