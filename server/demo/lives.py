"""How each bad review's order has fared: moves of the product's own table, until today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from server.catalogue.models import Policy
from server.demo.city import BUREAUS, DESK, table
from server.demo.days import Month, at_home
from server.demo.dice import one
from server.demo.phrases import WORDS
from server.people.rules import Role
from server.workorders.deadlines import Unit, due_or_provisional
from server.workorders.rules import FINAL, Move, Outcome, State, check_may, next_state
from server.workorders.service import CITIZEN

_M = Move
_USUAL: dict[tuple[Move, ...], float] = {
    (_M.ACCEPT, _M.ANSWER, _M.CONFIRM): 44,
    (_M.ACCEPT, _M.ANSWER, _M.SILENCE): 22,
    (_M.ACCEPT, _M.ANSWER, _M.CONTEST, _M.SUPERVISE, _M.ANSWER, _M.CONFIRM): 8,
    (_M.ACCEPT, _M.ANSWER, _M.CONTEST, _M.SUPERVISE, _M.RULE): 4,
    (_M.ACCEPT, _M.ANSWER, _M.CONTEST, _M.RULE): 2,
    (_M.ACCEPT, _M.PLAN, _M.EXTEND, _M.ANSWER, _M.CONFIRM): 5,
    (_M.ACCEPT, _M.ASK, _M.RESUME, _M.ANSWER, _M.CONFIRM): 7,
    (_M.RETURN, _M.REASSIGN, _M.ACCEPT, _M.ANSWER, _M.CONFIRM): 4,
    (_M.ACCEPT, _M.RETURN, _M.REFUSE, _M.ANSWER, _M.SILENCE): 4,
}
_PINNED: tuple[tuple[float, tuple[Move, ...]], ...] = (
    (0.04, (_M.ACCEPT, _M.ANSWER, _M.CONTEST, _M.SUPERVISE, _M.RULE)),
    (0.08, (_M.ACCEPT, _M.ANSWER, _M.SILENCE)),
    (0.12, (_M.ACCEPT, _M.DISMISS)),
    (0.20, (_M.ACCEPT, _M.ANSWER, _M.CONTEST, _M.RULE)),
    (0.25, (_M.ACCEPT, _M.PLAN)),
    (0.32, (_M.ACCEPT, _M.ANSWER, _M.CONTEST, _M.SUPERVISE)),
    (0.38, (_M.ACCEPT, _M.MERGE)),
    (0.45, (_M.ACCEPT, _M.DISMISS)),
    (0.52, (_M.ACCEPT, _M.ANSWER, _M.CONTEST, _M.SUPERVISE)),
    (0.58, (_M.SUPERVISE,)),
    (0.61, (_M.ACCEPT, _M.MERGE)),
    (0.64, ()),
    (0.68, (_M.ACCEPT, _M.PLAN, _M.EXTEND)),
    (0.70, (_M.ACCEPT, _M.ANSWER, _M.CONTEST)),
    (0.72, (_M.ACCEPT, _M.DISMISS)),
    (0.74, (_M.ACCEPT,)),
    (0.76, (_M.RETURN,)),
    (0.78, ()),
    (0.80, (_M.ACCEPT, _M.ASK)),
    (0.82, (_M.ACCEPT, _M.PLAN)),
    (0.84, (_M.ACCEPT, _M.ANSWER)),
    (0.85, (_M.ACCEPT, _M.RETURN)),
    (0.86, (_M.ACCEPT, _M.ASK)),
    (0.88, (_M.ACCEPT,)),
    (0.95, ()),
    (0.99, ()),
)
"""By age, oldest first: every state is there, and some have stood too long."""
_OFFICE_HOURS = {
    _M.ACCEPT: (0.3, 6), _M.ANSWER: (2, 26), _M.RETURN: (1, 4), _M.REASSIGN: (2, 6),
    _M.REFUSE: (2, 6), _M.ASK: (1, 5), _M.PLAN: (2, 8), _M.EXTEND: (8, 20), _M.SUPERVISE: (1, 6),
    _M.RULE: (8, 20), _M.DISMISS: (8, 24), _M.MERGE: (1, 4),
}  # fmt: skip
_HOURS = {_M.RESUME: (3, 40), _M.CONFIRM: (1, 60), _M.CONTEST: (1, 40)}
_ACTORS = {
    _M.RETURN: Role.AGENCY_LEAD, _M.PLAN: Role.AGENCY_LEAD, _M.EXTEND: Role.AGENCY_LEAD,
    _M.MERGE: Role.AGENCY_LEAD, _M.REASSIGN: Role.SUPERVISOR, _M.REFUSE: Role.SUPERVISOR,
    _M.SUPERVISE: Role.SUPERVISOR, _M.RULE: Role.SUPERVISOR, _M.DISMISS: "system",
    _M.SILENCE: "system", _M.CONFIRM: CITIZEN, _M.CONTEST: CITIZEN, _M.RESUME: CITIZEN,
    _M.WITHDRAW: CITIZEN,
}  # fmt: skip
_OUTCOMES = {
    _M.CONFIRM: Outcome.CONTENT, _M.SILENCE: Outcome.SILENT, _M.RULE: Outcome.RULED,
}  # fmt: skip
ASK_CAP, SUPERVISED, EXTENDED = 3, 3, 3
"""Working days."""


@dataclass
class Life:
    """An order's row as it stands now, and the steps that led there."""

    opened_at: datetime
    row: dict[str, Any]
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def state(self) -> State:
        return State(self.row["state"])


@dataclass(frozen=True)
class People:
    """Who works where: role and agency → ids of accounts, the first asked first."""

    of: Mapping[tuple[str, str | None], Sequence[int]]

    def owner(self, agency_code: str) -> int:
        return self.of[Role.HANDLER, agency_code][0]

    def any(self, rng: Random, role: str, agency_code: str) -> int | None:
        if role not in set(Role):
            return None
        at_an_agency = role in (Role.HANDLER, Role.AGENCY_LEAD)
        return rng.choice(self.of[role, agency_code if at_an_agency else None])


class Fate:
    """Plays the orders' lives one after the other."""

    def __init__(self, rng: Random, month: Month, policy: Policy, people: People) -> None:
        self.rng, self.month, self.policy, self.people = rng, month, policy, people
        self.answers = table("answers")
        self.earlier: dict[str, str] = {}
        """The agency's last order, into which another may be merged."""

    def play(self, lives: Sequence[Life]) -> None:
        """Oldest first."""
        moves = [one(self.rng, _USUAL) for _ in lives]
        for share, pinned in _PINNED:
            moves[int(share * len(lives))] = pinned
        for life, planned in zip(lives, moves, strict=True):
            rng = Random(self.rng.getrandbits(64))  # noqa: S311
            self._open(life)
            for move in planned:
                if not self._step(rng, life, move):
                    break
            self.earlier[life.row["agency_code"]] = life.row["number"]

    def withdraw(self, life: Life, at: datetime) -> None:
        self._open(life)
        self._write(life, Move.WITHDRAW, at, CITIZEN, None, "")
        life.row |= {"closed_at": at, "next_due_at": None}

    def _open(self, life: Life) -> None:
        at = life.row["visible_from"]
        life.row |= {
            "state": State.ASSIGNED, "outcome": None, "closed_at": None, "contests": 0,
            "owner_id": self.people.owner(life.row["agency_code"]),
            "next_due_at": life.row["contact_due_at"],
        }  # fmt: skip
        life.steps.append(_row(life, Move.OPEN, at, "system", None, ""))

    def _step(self, rng: Random, life: Life, move: Move) -> bool:
        """False when it has not come to that yet."""
        into = self.earlier.get(life.row["agency_code"])
        at = self._when(rng, life, move)
        role = _ACTORS.get(move, Role.HANDLER)
        actor = self.people.any(rng, role, life.row["agency_code"])
        words = rng.choice(WORDS.get(move, ("",))).format(into=into)
        answer = rng.choice(self.answers)
        if at >= self.month.now or (move is Move.MERGE and into is None):
            return False
        check_may(role, move)
        self._write(life, move, at, role, actor, words)
        if move is Move.ANSWER:
            life.steps[-1] |= {
                "words": answer["text"], "disposition": answer["disposition"],
                "legal_basis": answer["legal_basis"] or None,
            }  # fmt: skip
        life.row |= self._changes(rng, life, move, at, actor)
        return True

    def _when(self, rng: Random, life: Life, move: Move) -> datetime:
        last = life.steps[-1]["at"]
        if move is Move.SILENCE:
            silent_until: datetime = life.row["next_due_at"]
            return silent_until + timedelta(minutes=5)
        if move in _HOURS:
            return at_home(last, timedelta(hours=rng.uniform(*_HOURS[move])))
        return self.month.after_work(last, rng.uniform(*_OFFICE_HOURS[move]))

    def _write(
        self, life: Life, move: Move, at: datetime, actor: str, actor_id: int | None, words: str
    ) -> None:
        life.row["state"] = next_state(life.state, move)
        life.steps.append(_row(life, move, at, actor, actor_id, words))

    def _changes(
        self, rng: Random, life: Life, move: Move, at: datetime, actor: int | None
    ) -> dict[str, Any]:
        """What the move does beside the state: owner, agency, and when the next act is due."""
        if life.state in FINAL:
            return {"closed_at": at, "next_due_at": None, "outcome": _OUTCOMES.get(move)}
        changes: dict[str, Any] = {}
        if move is Move.ACCEPT:
            changes["owner_id"] = actor
        elif move is Move.CONTEST:
            changes["contests"] = life.row["contests"] + 1
        elif move is Move.REASSIGN:
            changes |= self._elsewhere(rng, life.row)
        elif move is Move.PLAN:
            changes["due_at"] = self._working(at, self.policy.complex_days)
        elif move is Move.EXTEND:
            changes["due_at"] = self._working(life.row["due_at"], EXTENDED)
        due_at = changes.get("due_at", life.row["due_at"])
        return changes | {"next_due_at": self._next_due(move, at, due_at)}

    def _next_due(self, move: Move, at: datetime, due_at: datetime) -> datetime:
        if move is Move.ANSWER:
            days, calendar = self.policy.silence_days, self.month.calendar
            return due_or_provisional(at, days, Unit.NATURAL, calendar).at
        contact = self.policy.contact_days
        limits = {
            _M.CONTEST: contact, _M.RETURN: contact, _M.REASSIGN: contact, _M.ASK: ASK_CAP,
            _M.SUPERVISE: SUPERVISED,
        }  # fmt: skip
        return self._working(at, limits[move]) if move in limits else due_at

    def _working(self, start: datetime, days: int) -> datetime:
        return due_or_provisional(start, days, Unit.WORKING, self.month.calendar).at

    def _elsewhere(self, rng: Random, row: Mapping[str, Any]) -> dict[str, Any]:
        """To who really handles it: a co-handler, else the service desk or another bureau."""
        place = rng.randrange(len(BUREAUS))
        others = [*row["co_agency_codes"], DESK, BUREAUS[place].code, BUREAUS[place - 1].code]
        code = next(code for code in others if code != row["agency_code"])
        return {
            "agency_code": code, "owner_id": self.people.owner(code),
            "co_agency_codes": [c for c in row["co_agency_codes"] if c != code],
        }  # fmt: skip


def _row(
    life: Life, move: Move, at: datetime, actor: str, actor_id: int | None, words: str
) -> dict[str, Any]:
    return {
        "order_id": life.row["number"], "at": at, "move": str(move), "state": str(life.row["state"]),
        "actor_id": actor_id, "actor": str(actor), "words": words, "disposition": None,
        "legal_basis": None,
    }  # fmt: skip
