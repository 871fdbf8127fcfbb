"""An order of the invented city as it is lived: its row, its steps, and all that hangs on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from server.demo.opinions import Opinion
from server.people.rules import Role
from server.people.service import Member
from server.reviews.rules import ReviewChannel
from server.workorders import moves, rights, timing
from server.workorders.ladder import Rung
from server.workorders.models import Part, Step, WorkOrder
from server.workorders.rules import FINAL, Move, Record, State, next_state

Row = dict[str, Any]
_BLANK: Row = {
    "state": State.ASSIGNED, "outcome": None, "closed_at": None, "contests": 0, "returns": 0,
    "extension_days": None, "planned_until": None, "proposed_agency_code": None,
    "asked_from": None, "desk_agency_code": None, "verifier_id": None, "verified_at": None,
    "verified_as": None, "called_back_at": None, "told_at": None, "told_how": None,
    "ruling": None, "merged_into": None, "first_asked_id": None, "followers": None,
    "promised_until": None, "promised_from": None, "climb_due": None, "climbs_at": None,
}  # fmt: skip


@dataclass
class Life:
    opinion: Opinion
    opened_at: datetime
    row: Row
    steps: list[Row] = field(default_factory=list)
    parts: list[Row] = field(default_factory=list)
    verdicts: list[Row] = field(default_factory=list)
    """The citizen's, on the parties to the order."""
    escalations: list[Row] = field(default_factory=list)
    alerts: list[Row] = field(default_factory=list)
    accountability: list[Row] = field(default_factory=list)
    call_back: Row | None = None
    flagged: list[tuple[Row, Row]] = field(default_factory=list)
    """The step, and the flag on it."""
    climbed: dict[tuple[datetime, str], set[Rung]] = field(default_factory=dict)
    """Due time and ladder → the rungs."""
    to_list: list[datetime] = field(default_factory=list)
    """Due times that were missed and led to supervision by rule."""

    def __post_init__(self) -> None:
        self.row = _BLANK | self.row

    @property
    def state(self) -> State:
        return State(self.row["state"])

    @property
    def number(self) -> str:
        return str(self.row["number"])

    @property
    def over(self) -> bool:
        return self.state in FINAL

    @property
    def counts(self) -> bool:
        """As a bad review of the officer."""
        return self.state not in (State.WITHDRAWN, State.DISMISSED)

    @property
    def by_sms(self) -> bool:
        return self.opinion.channel is ReviewChannel.SMS

    @property
    def order(self) -> WorkOrder:
        """For the product's own rules."""
        return cast(WorkOrder, SimpleNamespace(**self.row))

    @property
    def _steps(self) -> list[Step]:
        return [cast(Step, SimpleNamespace(**step)) for step in self.steps]

    @property
    def _parts(self) -> list[Part]:
        return [cast(Part, SimpleNamespace(**part)) for part in self.parts]

    def latest_plan(self) -> Any:
        return timing.latest_plan(self.order, self._steps)

    def limit(self, state: State, since: datetime) -> datetime:
        return timing.limit(self.order, state, since).at

    def check(self, what: Move | Record, role: str, actor: int | None, at: datetime) -> None:
        """The product's own rules, for this moment."""
        member = None
        if actor is not None:
            whose = self.row["agency_code"]
            if what is Record.PART:
                whose = self.waiting_part()
            member = cast(Member, SimpleNamespace(id=actor, role=role, agency_code=whose))
        rights.check(moves.facts(self.order, self._steps, self._parts, member), role, what, at)

    def waiting_part(self) -> str | None:
        return next((p["agency_code"] for p in self.parts if p["state"] == "waiting"), None)

    def write(
        self, what: Move | Record, at: datetime, actor: str, actor_id: int | None = None,
        words: str = "", *, timed: bool = False, **changes: Any,
    ) -> Row:  # fmt: skip
        """As the product writes it."""
        if isinstance(what, Move) and what is not Move.OPEN and "state" not in changes:
            changes["state"] = next_state(self.state, what)
        self.row |= changes
        step = {
            "order_id": self.number, "at": at, "move": str(what), "state": str(self.row["state"]),
            "actor_id": actor_id, "actor": str(actor), "words": words, "disposition": None,
            "legal_basis": None,
        }  # fmt: skip
        self.steps.append(step)
        if timed:
            self.row |= timing.due_times(self.order, self._steps)
        if self.over:
            self.row |= {"closed_at": at, "next_due_at": None}
        return step

    def moved_at(self) -> datetime:
        """The last thing that a person did, or the opening."""
        at: datetime = next(
            s["at"] for s in reversed(self.steps) if s["move"] != Record.ESCALATE or len(self.steps) == 1
        )  # fmt: skip
        return at

    def tell(self, staff: Sequence[int], kind: str, words: str, at: datetime) -> None:
        self.alerts += [
            {"staff_id": one, "order_number": self.number, "kind": kind, "words": words, "at": at,
             "seen_at": None}
            for one in dict.fromkeys(staff)
        ]  # fmt: skip

    def account(self, why: str, words: str, at: datetime, by_id: int | None = None) -> None:
        if all(row["why"] != why for row in self.accountability):
            self.accountability.append({
                "region_code": self.row["region_code"], "agency_code": self.row["agency_code"],
                "order_number": self.number, "staff_id": self.row["owner_id"],
                "officer_number": None, "ordinal": None, "why": str(why), "words": words, "at": at,
                "by_id": by_id, "followed": None, "followed_at": None, "followed_by_id": None,
            })  # fmt: skip


@dataclass(frozen=True)
class People:
    """Who works where: role and agency → ids of accounts, the first asked first."""

    of: Mapping[tuple[str, str | None], Sequence[int]]

    def owner(self, agency_code: str) -> int:
        return self.of[Role.HANDLER, agency_code][0]

    def leads(self, agency_code: str) -> Sequence[int]:
        return self.of[Role.AGENCY_LEAD, agency_code]

    def all_of(self, role: str) -> Sequence[int]:
        """Of the city's own roles."""
        return self.of[role, None]

    def any(self, rng: Random, role: str, agency_code: str) -> int | None:
        if role not in set(Role):
            return None
        at_an_agency = role in (Role.HANDLER, Role.AGENCY_LEAD)
        return rng.choice(self.of[role, agency_code if at_an_agency else None])
