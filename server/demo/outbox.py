"""Questions, messages and replies of the invented city's phones as rows, as the product writes them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from server.demo.dice import id_at
from server.kit.privacy import vault
from server.messages import inbox, service
from server.messages.rules import MessageState, Outcome, Purpose, start_of_day
from server.messages.wording import compose
from server.reviews.news import NEWS_FOR
from server.reviews.questions import values_of
from server.reviews.rules import QuestionState
from sms.phone import mask

Row = dict[str, Any]
_OPEN_FOR = timedelta(hours=24)
_UNDER_WAY = timedelta(seconds=2)
_REPORTED = timedelta(seconds=6)
_S = MessageState


@dataclass
class Outbox:
    """Of one month; every phone that occurs in it has its row."""

    rng: Random
    questions: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    replies: list[Row] = field(default_factory=list)
    phones: dict[str, Row] = field(default_factory=dict)

    def tables(self) -> dict[str, list[Row]]:
        """In the order in which they can be written."""
        return {
            "sms_phones": list(self.phones.values()), "questions": self.questions,
            "sms_messages": sorted(self.messages, key=lambda row: row["created_at"]),
            "sms_replies": sorted(self.replies, key=lambda row: row["at"]),
        }  # fmt: skip

    def ask(
        self, receipt: Row, phone: str, asking: str, at: datetime, *, reminder: bool = False,
        review_id: UUID | None = None, options: Sequence[str] = (),
    ) -> Row:  # fmt: skip
        """An open question."""
        until = at + _OPEN_FOR
        question = {
            "id": id_at(self.rng, at), "region_code": receipt["region_code"],
            "agency_code": receipt["agency_code"], "receipt_id": receipt["id"],
            "review_id": review_id, "phone_key": self._known(phone),
            "phone": vault().seal(phone.encode(), "phone"), "asking": asking,
            "state": QuestionState.OPEN, "reminder": reminder, "options": list(options),
            "due_at": at, "give_up_at": max(until, receipt["open_until"]), "asked_at": at,
            "open_until": until, "clarified_at": None, "ended_at": None, "held_until": None,
        }  # fmt: skip
        self.questions.append(question)
        return question

    def is_busy(self, question: Row) -> bool:
        """Whether its phone is being asked something else."""
        return any(
            other["state"] == QuestionState.OPEN and other["phone_key"] == question["phone_key"]
            for other in self.questions if other is not question
        )  # fmt: skip

    def send(
        self, receipt: Row, phone: str, purpose: Purpose, at: datetime, question: Row,
        values: Mapping[str, str] | None = None,
    ) -> Row:  # fmt: skip
        """A message that was delivered."""
        composed = compose(receipt["region_code"], purpose, values_of(receipt) | dict(values or {}))
        message_id = id_at(self.rng, at)
        content = {
            "phone": phone, "sign": composed.sign, "template": composed.template,
            "variables": composed.variables, "text": composed.text,
        }  # fmt: skip
        message = {
            "id": message_id, "region_code": receipt["region_code"],
            "agency_code": receipt["agency_code"], "purpose": purpose, "about": question["id"],
            "phone_key": self._known(phone), "parts": composed.parts,
            "content": vault().seal(_json(content), service.SEAL), "state": _S.DELIVERED,
            "code": "DELIVERED", "tries": 1, "created_at": at, "next_at": None,
            "not_after": question["open_until"], "sent_at": at + _UNDER_WAY,
            "settled_at": at + _REPORTED, "provider_id": f"{self.rng.randrange(10**17, 10**18)}^0",
        }  # fmt: skip
        self.messages.append(message)
        return message

    def tell(
        self, receipt: Row, phone: str, purpose: Purpose, at: datetime, review_id: UUID,
        values: Mapping[str, str],
    ) -> None:  # fmt: skip
        """News of an order, which asks nothing."""
        about = {"id": review_id, "open_until": at + NEWS_FOR}
        self.send(receipt, phone, purpose, at, about, values)

    def sent_on_day_of(self, at: datetime, phone: str) -> int:
        key, day = self._known(phone), start_of_day(at)
        return sum(m["phone_key"] == key and day <= m["created_at"] <= at for m in self.messages)

    def fail(self, message: Row, state: MessageState, code: str, tries: int = 1) -> None:
        """It came back from the phone, or the provider did not take it."""
        message |= {"state": state, "code": code, "tries": tries}
        if state is _S.DEAD:
            message |= {"sent_at": None, "provider_id": None}

    def reply(
        self, phone: str, text: str, at: datetime, outcome: Outcome, question: Row | None = None
    ) -> None:
        names = f"{self.rng.getrandbits(64):x}", f"{phone}\n{text}\n{at.isoformat()}"
        identity_key, origin_key = vault().fingerprints_of(names, inbox.REPLY)
        self.replies.append({
            "identity_key": identity_key, "origin_key": origin_key, "phone_key": self._known(phone),
            "content": vault().seal(_json({"phone": phone, "text": text}), inbox.REPLY),
            "at": at, "received_at": at + _UNDER_WAY, "outcome": outcome,
            "about": question["id"] if question else None, "note": "",
        })  # fmt: skip

    def opt_out(self, phone: str, at: datetime) -> None:
        self.phones[self._known(phone)]["opted_out_at"] = at

    def _known(self, phone: str) -> str:
        key = vault().fingerprint(phone, "phone")
        row = {"phone_key": key, "masked": mask(phone), "opted_out_at": None}
        self.phones.setdefault(key, row)
        return key


def end(question: Row, state: QuestionState, at: datetime, review_id: UUID | None = None) -> None:
    question |= {
        "state": state, "ended_at": at, "review_id": review_id or question["review_id"],
    }  # fmt: skip


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
