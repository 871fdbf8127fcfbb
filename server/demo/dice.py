"""Weighted chance."""

from collections.abc import Mapping
from random import Random
from typing import TypeVar

T = TypeVar("T")


def one(rng: Random, weights: Mapping[T, float]) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]
