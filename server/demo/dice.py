"""Weighted chance."""

from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")


def one(rng: Random, weights: Mapping[T, float]) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]


def id_at(rng: Random, at: datetime) -> UUID:
    """Version 7, as the product makes them."""
    random = rng.getrandbits(74)
    moment = int(at.timestamp() * 1000)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=moment << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
