"""Keys that come together lie together."""

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """A version 7 UUID (RFC 9562) on the machine's clock."""
    moment = (time.time_ns() // 1_000_000) & ((1 << 48) - 1)
    random = secrets.randbits(74)
    value = moment << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return UUID(int=value)
