"""What was acknowledged, noted outside the database before anything else happens."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Pushed:
    """A receipt that the service said it has."""

    agency: str
    form: dict[str, Any]
    receipt_id: int


@dataclass(frozen=True)
class Taken:
    """A review that the service said it has."""

    code: str
    receipt_id: int
    key: str
    form: dict[str, Any]
    answer: dict[str, Any]
    attempts: int
    asked_at: float
    """Wall clock of the attempt that was answered."""

    @property
    def order(self) -> str | None:
        return self.answer["work_order"]["number"] if self.answer["work_order"] else None


@dataclass
class Ledger:
    receipts: list[Pushed] = field(default_factory=list)
    reviews: list[Taken] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Final answers that nobody who tells the truth should get."""
    unequal: list[str] = field(default_factory=list)
    """A second answer to one key that was not the first."""
    retries: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    longest_silence: float = 0.0
    _last: float = field(default_factory=time.monotonic)

    @property
    def acknowledged(self) -> int:
        return len(self.receipts) + len(self.reviews)

    def heard(self) -> None:
        now = time.monotonic()
        self.longest_silence = max(self.longest_silence, now - self._last)
        self._last = now

    def told(self) -> str:
        bad = sum(one.order is not None for one in self.reviews)
        return (
            f"acknowledged {len(self.receipts)} receipts and {len(self.reviews)} reviews ({bad} bad); "
            f"retries {dict(self.retries)}, repeated {self.repeated}, refused {len(self.refused)}, "
            f"unequal {len(self.unequal)}; longest silence {self.longest_silence:.1f} s"
        )
