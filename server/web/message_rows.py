"""Rows of the message pages in the words of a reader. No phone stands in them unmasked."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit.clock import BEIJING
from server.kit.redaction import redact
from server.messages import desk
from server.messages.rules import (
    MESSAGE_STATE_NAMES,
    OUTCOME_NAMES,
    PURPOSE_NAMES,
    MessageState,
    Outcome,
    Purpose,
)
from server.reviews.models import Question
from server.web.message_words import REASONS, Meaning, meaning, yuan
from sms.phone import mask
from sms.templates import count_characters

MONTHS = 13
HIDDEN = "****"
_LONG_NUMBER = re.compile(r"\+?\d{7,}", re.ASCII)
PUSH_KINDS = {"up": "回复", "report": "送达回执"}


@dataclass(frozen=True)
class MessageRow:
    id: UUID
    at: datetime
    purpose: str
    agency: str
    phone: str
    text: str
    characters: int | None
    """None: the text is not there to be counted."""
    parts: int
    state: str
    code: str
    meaning: Meaning | None
    tries: int
    not_after: datetime | None


def message(row: Record) -> MessageRow:
    found, state = desk.opened(row["content"], "message"), MessageState(row["state"])
    code = row["code"] or ""
    return MessageRow(
        row["id"], row["created_at"], PURPOSE_NAMES[Purpose(row["purpose"])],
        catalogue().agency_name(row["agency_code"]), mask(found.get("phone", "")), _without_code(found),
        count_characters(found["text"]) if "phone" in found else None, row["parts"],
        MESSAGE_STATE_NAMES[state], code, meaning(code, state), row["tries"], row["not_after"],
    )  # fmt: skip


def _without_code(found: dict[str, Any]) -> str:
    """Whoever has the query code, or the one-time code, acts as the citizen."""
    variables, text = found.get("variables", {}), str(found["text"])
    for code in filter(None, (variables.get("code"), variables.get("proof"))):
        text = text.replace(code, HIDDEN)
    return text


@dataclass(frozen=True)
class ReplyRow:
    id: int
    at: datetime
    phone: str
    text: str
    outcome: str
    matter: str
    agency: str


async def replies(rows: Sequence[Record]) -> list[ReplyRow]:
    """With the matter of the question that each one meant, if that is known."""
    meant = [row["about"] for row in rows if row["about"]]
    asked = {q.id: q for q in await Question.filter(id__in=meant).prefetch_related("receipt")}
    return [_reply(row, asked.get(row["about"])) for row in rows]


def _reply(row: Record, question: Question | None) -> ReplyRow:
    found, known = desk.opened(row["content"], "reply"), catalogue()
    matter = known.matters.get(question.receipt.matter_code) if question else None
    return ReplyRow(
        row["id"], row["at"], mask(found.get("phone", "")), redact(found["text"]),
        OUTCOME_NAMES[Outcome(row["outcome"])], matter.name if matter else "",
        known.agency_name(question.agency_code) if question else "",
    )  # fmt: skip


@dataclass(frozen=True)
class AsideRow:
    id: int
    at: datetime
    kind: str
    place: int
    """From 1; 0 is the push as a whole."""
    reason: str
    text: str


def set_aside(row: Record) -> AsideRow:
    return AsideRow(
        row["id"], row["received_at"], PUSH_KINDS[row["kind"]], max(row["place"] + 1, 0),
        REASONS.get(row["reason"], row["reason"]), _unnumbered(desk.opened_item(row["item"])),
    )  # fmt: skip


def _unnumbered(item: str) -> str:
    """As it came, with every number in it masked that may be a phone."""
    with suppress(ValueError):
        item = json.dumps(json.loads(item), ensure_ascii=False)
    # A lone surrogate cannot be shown.
    shown = item.encode("utf-8", "replace").decode()
    return redact(_LONG_NUMBER.sub(lambda number: mask(number[0]), shown))


@dataclass(frozen=True)
class SumRow:
    key: str
    name: str
    messages: int
    parts: int
    yuan: str


def sums(rows: Iterable[Record], name: Callable[[str], str]) -> tuple[list[SumRow], SumRow]:
    """One row for each agency or month, and what they come to."""
    added: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        price = catalogue().policy(row["region_code"]).message_price
        values = (row["messages"], row["parts"], row["parts"] * price)
        added[row["of"]] = [a + b for a, b in zip(added[row["of"]], values, strict=True)]
    total = [sum(column) for column in zip(*added.values(), strict=True)] or [0, 0, 0]
    lines = [SumRow(key, name(key), m, p, yuan(t)) for key, (m, p, t) in added.items()]
    return sorted(lines, key=lambda line: (-line.parts, line.name)), _total(*total)


def _total(messages: int, parts: int, thousandths: int) -> SumRow:
    return SumRow("", "合计", messages, parts, yuan(thousandths))


@dataclass(frozen=True)
class Month:
    first: date

    @property
    def key(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def name(self) -> str:
        return f"{self.first.year}年{self.first.month}月"

    @property
    def since(self) -> datetime:
        return datetime(self.first.year, self.first.month, 1, tzinfo=BEIJING)

    @property
    def until(self) -> datetime:
        return self.moved(1).since

    def moved(self, months: int) -> "Month":
        years, month = divmod(self.first.month - 1 + months, 12)
        return Month(date(self.first.year + years, month + 1, 1))


def months(now: datetime) -> list[Month]:
    """This month and those before it, newest first."""
    this = Month(now.astimezone(BEIJING).date().replace(day=1))
    return [this.moved(-back) for back in range(MONTHS)]


def chosen_month(asked: str, choices: Sequence[Month]) -> Month:
    return next((month for month in choices if month.key == asked), choices[0])


def named_month(key: str) -> str:
    return Month(date.fromisoformat(f"{key}-01")).name


def as_choices(names: dict[Any, str]) -> list[tuple[str, str]]:
    return [(str(key), name) for key, name in names.items()]
