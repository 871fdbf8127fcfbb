"""What each deed does to an order beside its state: as the product's services write it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from server.catalogue.models import Policy
from server.catalogue.service import catalogue
from server.demo import phrases
from server.demo.city import BUREAUS, DESK
from server.demo.life import Life, People
from server.demo.plots import Deed
from server.kit.clock import BEIJING
from server.people.rules import Role
from server.workorders import alerts
from server.workorders.accountability import Why
from server.workorders.handling import FINDING_NAMES
from server.workorders.moves import CITIZEN, SYSTEM
from server.workorders.opening import working
from server.workorders.rules import Finding, Move, Outcome, Record, Ruling, State, Told
from server.workorders.ruling import RULING_NAMES

_TIMED = frozenset({Move.ASK, Move.RESUME, Move.PLAN, Move.EXTEND})
_EXTENDED = 3
_FINDINGS = (
    Finding.TRUE,
    Finding.TRUE,
    Finding.TRUE,
    Finding.PARTLY,
    Finding.PARTLY,
    Finding.UNTRUE,
)
_ON_HIS_PAGE = timedelta(minutes=3)
_READ = 0.4
"""Of those who stay silent, who opened their page."""
Done = tuple[str, dict[str, Any]]
"""Its words, and what changes in the order's row."""


class Deeds:
    def __init__(
        self, policy: Policy, people: People, answers: Sequence[Mapping[str, str]]
    ) -> None:
        self.policy, self.people, self.answers = policy, people, answers
        self.effects: Mapping[Move | Record, Callable[..., Done]] = {
            Move.ACCEPT: self._accept, Move.RETURN: self._return, Move.REASSIGN: self._reassign,
            Move.REFUSE: self._refuse, Move.ASK: self._ask, Move.RESUME: self._resume,
            Move.PLAN: self._plan, Move.EXTEND: self._extend, Move.ANSWER: self._answer,
            Move.CONFIRM: self._confirm, Move.CONTEST: self._contest,
            Move.SUPERVISE: self._supervise, Move.RULE: self._rule, Record.VERIFY: self._verify,
            Record.CALL_BACK: self._call_back, Record.PART: self._part,
            Record.RELEASE: self._release, Record.URGE: self._urge,
            Record.TAKEOVER: self._takeover,
        }  # fmt: skip

    def do(self, rng: Random, life: Life, deed: Deed, actor: int | None, at: datetime) -> None:
        words = rng.choice(phrases.WORDS.get(deed.what, ("",)))
        if deed.by == CITIZEN and deed.what is Record.MESSAGE:
            words = rng.choice(phrases.ABUSES if deed.abusive else phrases.REPLIES)
        luck, answer = rng.random(), rng.choice(self.answers)
        changes: dict[str, Any] = {}
        if effect := self.effects.get(deed.what):
            words, changes = effect(life, words, luck, actor, at)
        timed = deed.what in _TIMED
        step = life.write(deed.what, at, deed.by, actor, words, timed=timed, **changes)
        if deed.what is Move.ANSWER:
            step |= {
                "words": answer["text"], "disposition": answer["disposition"],
                "legal_basis": answer["legal_basis"] or None,
            }  # fmt: skip
        if deed.abusive:
            self._flag(life, step, luck)
        if deed.what is Move.REASSIGN:
            self._let_go(life, at)

    def _accept(self, life: Life, words: str, _: float, actor: int, at: datetime) -> Done:
        verifier = life.row["verifier_id"] or actor
        return words, {
            "owner_id": actor, "verifier_id": verifier, "next_due_at": life.row["due_at"],
        }  # fmt: skip

    def _return(self, life: Life, words: str, luck: float, _: int, at: datetime) -> Done:
        code = _elsewhere(life, luck)
        return f"应由{catalogue().agency_name(code)}办理：{words}", {
            "returns": 1, "proposed_agency_code": code,
            "next_due_at": life.limit(State.RETURNED, at),
        }  # fmt: skip

    def _reassign(self, life: Life, words: str, _: float, __: int, at: datetime) -> Done:
        before, code = life.row["agency_code"], life.row["proposed_agency_code"]
        contact = working(at, self.policy.contact_days).at
        return f"改派给{catalogue().agency_name(code)}", {
            "agency_code": code, "owner_id": self.people.owner(code), "verifier_id": None,
            "co_agency_codes": [c for c in life.row["co_agency_codes"] if c != code],
            "desk_agency_code": before if before == DESK else None, "proposed_agency_code": None,
            "contact_due_at": contact, "next_due_at": contact,
        }  # fmt: skip

    def _let_go(self, life: Life, at: datetime) -> None:
        for part in life.parts:
            if part["agency_code"] == life.row["agency_code"] and part["state"] == "waiting":
                part |= {"state": "released", "done_at": at}
                name = catalogue().agency_name(part["agency_code"])
                life.write(Record.RELEASE, at, SYSTEM, None, f"{name}改为牵头，不再协办")

    def _refuse(self, life: Life, words: str, *_: Any) -> Done:
        return words, {"proposed_agency_code": None, "next_due_at": life.row["due_at"]}

    def _ask(self, life: Life, words: str, *_: Any) -> Done:
        return words, {"asked_from": life.row["state"]}

    def _resume(self, life: Life, words: str, *_: Any) -> Done:
        return words, {"state": State(life.row["asked_from"]), "asked_from": None}

    def _plan(self, life: Life, words: str, luck: float, _: int, at: datetime) -> Done:
        last: date = life.latest_plan()
        today = at.astimezone(BEIJING).date()
        until = today + timedelta(days=int((last - today).days * (0.6 + 0.4 * luck)))
        return words, {"planned_until": until}

    def _extend(self, life: Life, words: str, *_: Any) -> Done:
        return f"延期 {_EXTENDED} 个工作日：{words}", {"extension_days": _EXTENDED}

    def _answer(self, life: Life, words: str, luck: float, _: int, at: datetime) -> Done:
        told: dict[str, Any] = {"told_at": None, "told_how": None}
        if not life.by_sms and luck < _READ:
            told = {"told_at": at + timedelta(hours=1 + 8 * luck), "told_how": Told.PAGE}
        return words, told | {"next_due_at": life.limit(State.ANSWERED, at)}

    def _confirm(self, life: Life, words: str, luck: float, _: None, at: datetime) -> Done:
        self._judge(life, True, luck, at)
        return words, {"outcome": Outcome.CONTENT} | _read(life, at)

    def _contest(self, life: Life, words: str, luck: float, _: None, at: datetime) -> Done:
        self._judge(life, False, luck, at)
        return words, _read(life, at) | {
            "contests": life.row["contests"] + 1, "next_due_at": life.limit(State.CONTESTED, at),
        }  # fmt: skip

    def _judge(self, life: Life, satisfied: bool, luck: float, at: datetime) -> None:
        desk = life.row["desk_agency_code"]
        parties = [("agency", life.row["agency_code"], satisfied)]
        parties += [("desk", desk, luck < 0.5)] if desk else []
        life.verdicts += [
            {"order_id": life.number, "round": life.row["contests"] + 1, "about": about,
             "agency_code": code, "satisfied": content, "at": at}
            for about, code, content in parties
        ]  # fmt: skip

    def _supervise(self, life: Life, words: str, _: float, __: int, at: datetime) -> Done:
        return words, {"asked_from": None, "next_due_at": life.limit(State.SUPERVISED, at)}

    def _rule(self, life: Life, _: str, luck: float, actor: int, at: datetime) -> Done:
        finding = Ruling.ACCOUNTABLE if luck < 0.5 else Ruling.PROPER
        words = phrases.RULINGS[finding]
        if finding is Ruling.ACCOUNTABLE:
            life.account(Why.RULED, words, at, actor)
        changes = {"outcome": Outcome.RULED, "ruling": finding}
        return f"{RULING_NAMES[finding]}：{words}", changes

    def _verify(self, life: Life, _: str, luck: float, actor: int, at: datetime) -> Done:
        finding = _FINDINGS[int(luck * len(_FINDINGS))]
        how, words = phrases.FINDINGS[finding]
        changes = {"verifier_id": actor, "verified_at": at, "verified_as": finding}
        return f"{how}，{FINDING_NAMES[finding]}：{words}", changes

    def _call_back(self, life: Life, _: str, luck: float, actor: int, at: datetime) -> Done:
        words, satisfied = phrases.CALLS[luck < 0.3]
        assert life.call_back is not None
        life.call_back |= {
            "state": "done", "channel": "phone", "done_at": at, "satisfied": satisfied,
            "words": words, "staff_id": actor,
        }  # fmt: skip
        return words, {"called_back_at": at}

    def _part(self, life: Life, words: str, _: float, actor: int, at: datetime) -> Done:
        part = next(p for p in life.parts if p["state"] == "waiting")
        part |= {"state": "done", "words": words, "actor_id": actor, "done_at": at}
        return f"{catalogue().agency_name(part['agency_code'])}：{words}", {}

    def _release(self, life: Life, words: str, _: float, actor: int, at: datetime) -> Done:
        part = next(p for p in life.parts if p["state"] == "waiting")
        part |= {"state": "released", "actor_id": actor, "done_at": at}
        return f"{catalogue().agency_name(part['agency_code'])}：{words}", {}

    def _urge(self, life: Life, words: str, _: float, __: int, at: datetime) -> Done:
        staff = [life.row["owner_id"], *self.people.leads(life.row["agency_code"])]
        life.tell(staff, alerts.URGE, words, at)
        return words, {}

    def _takeover(self, life: Life, words: str, _: float, actor: int, __: datetime) -> Done:
        return words, {"owner_id": actor}

    def _flag(self, life: Life, step: dict[str, Any], luck: float) -> None:
        by = self.people.of[Role.HANDLER, life.row["agency_code"]][0]
        at: datetime = step["at"] + timedelta(minutes=20)
        row = {"by_id": by, "reason": phrases.FLAG_REASON, "at": at, "upheld": None,
               "ruled_by_id": None, "ruled_at": None}  # fmt: skip
        life.flagged.append((step, row))


def _read(life: Life, at: datetime) -> dict[str, Any]:
    """Who judges on his page has read it; who answers an SMS is judged by its report."""
    told = life.row["told_at"]
    if life.by_sms or (told and told < at):
        return {}
    return {"told_at": at - _ON_HIS_PAGE, "told_how": Told.PAGE}


def _elsewhere(life: Life, luck: float) -> str:
    """Whose it really is: a co-handler's, else the service desk's or another bureau's."""
    place = int(luck * len(BUREAUS))
    others = [*life.row["co_agency_codes"], DESK, BUREAUS[place].code, BUREAUS[place - 1].code]
    return next(code for code in others if code != life.row["agency_code"])
