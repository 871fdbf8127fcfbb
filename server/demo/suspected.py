"""核查 and 作废 in the invented city: a few of every kind, and some that people have looked at."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from server.catalogue.models import Policy
from server.demo.city import BUREAUS
from server.demo.dice import id_at
from server.demo.life import People, Row
from server.integrity.rules import Rule
from server.people.rules import Role
from server.reviews.rules import Excluded, ReviewChannel, ReviewState, is_bad
from server.workorders.opening import working

Place = tuple[str, str]
"""Agency and window."""
_FOUND = timedelta(seconds=20)
"""So long after the rating the watch has seen it."""
_DAY = timedelta(days=1)
_SHARED = {"receipts": 5, "visits": 5, "days": 30, "threshold": 4}
_PLOT: tuple[tuple[Rule, float, str, dict[str, int]], ...] = (
    (Rule.QUICK, 0.3, "open", {"seconds": 3, "threshold": 8}),
    (Rule.QUICK, 1, "open", {"seconds": 5, "threshold": 8}),
    (Rule.SAME_DEVICE, 2, "open", _SHARED), (Rule.SAME_DEVICE, 2.1, "open", _SHARED),
    (Rule.SAME_DEVICE, 2.2, "open", _SHARED),
    (Rule.SAME_WORDS, 4, "proposed", {"ratings": 6, "elsewhere": 1, "days": 30, "threshold": 4}),
    (Rule.UNDONE, 9, "cleared", {"taken_back": 3, "bad": 7, "days": 30, "threshold": 3}),
    (Rule.INSIDER, 12, "confirmed", {"ratings": 4, "threshold": 3}),
    (Rule.BURST, 15, "open", {"ratings": 9, "minutes": 10, "threshold": 8}),
)  # fmt: skip
"""Rule, days ago, state, evidence: about ratings that praise."""
_PROPOSED, _AGREED = "看了窗口录像，评价时没有办事群众在场。", "录像已复看，属实。"
_CLEARED = "三条都是办事人自己点错后改的，录像和叫号记录对得上。"


@dataclass
class _Desk:
    rng: Random
    now: datetime
    policy: Policy
    supervisor: int
    adjudicator: int
    suspicions: list[Row] = field(default_factory=list)
    looks: list[Row] = field(default_factory=list)
    exclusions: list[Row] = field(default_factory=list)
    voids: list[Row] = field(default_factory=list)

    def suspect(
        self, rule: Rule, receipt: Row, review: Row | None, at: datetime, evidence: Mapping[str, object]
    ) -> Row:  # fmt: skip
        due = working(at, self.policy.supervise_days).at
        row: Row = {
            "id": len(self.suspicions) + 1, "region_code": receipt["region_code"],
            "agency_code": receipt["agency_code"], "window_code": receipt["window_code"],
            "receipt_id": receipt["id"], "review_id": review["id"] if review else None,
            "rule": str(rule), "evidence": json.dumps(evidence), "at": at, "due_at": due,
            "state": "open", "proposed_by": None, "proposed_at": None, "proposal": "",
            "decided_by": None, "decided_at": None, "decision": "",
            "overdue_at": due + timedelta(seconds=1) if due < self.now else None,
        }  # fmt: skip
        self.suspicions.append(row)
        return row

    def look(self, row: Row, state: str, review: Row) -> None:
        first, second = row["at"] + _DAY, row["at"] + 2 * _DAY
        if state == "cleared":
            self._decided(row, state, self.supervisor, first, _CLEARED)
        elif state in ("proposed", "confirmed"):
            row |= {"proposed_by": self.supervisor, "proposed_at": first, "proposal": _PROPOSED}
            row["state"] = "proposed"
            self._note(row, self.supervisor, first, "proposed", _PROPOSED)
        if state == "confirmed":
            self._decided(row, state, self.adjudicator, second, _AGREED)
            self._exclude(row, review, second)

    def _decided(self, row: Row, state: str, by: int, at: datetime, words: str) -> None:
        row |= {
            "state": state,
            "decided_by": by,
            "decided_at": at,
            "decision": words,
            "overdue_at": None,
        }
        self._note(row, by, at, "agreed" if state == "confirmed" else "cleared", words)

    def _note(self, row: Row, by: int, at: datetime, act: str, words: str) -> None:
        self.looks.append({
            "id": len(self.looks) + 1, "suspicion_id": row["id"], "at": at, "staff_id": by,
            "act": act, "words": words,
        })  # fmt: skip

    def _exclude(self, row: Row, review: Row, at: datetime) -> None:
        review["state"] = ReviewState.EXCLUDED
        self.exclusions.append({
            "id": id_at(self.rng, at), "region_code": row["region_code"],
            "agency_code": row["agency_code"], "review_id": review["id"],
            "reason": str(Excluded.GAMED), "words": f"{_PROPOSED}\n{_AGREED}",
            "first_id": self.supervisor, "second_id": self.adjudicator, "at": at, "case_id": None,
            "person_key": None, "lifted_at": None,
        })  # fmt: skip

    def ask_to_void(
        self, receipt: Row, by: str, at: datetime, reason: str, lead: int | None
    ) -> None:
        if lead is not None:
            receipt["voided_at"] = at + timedelta(hours=2)
        self.voids.append({
            "id": len(self.voids) + 1, "region_code": receipt["region_code"],
            "agency_code": receipt["agency_code"], "receipt_id": receipt["id"], "reason": reason,
            "asked_by": by, "asked_at": at, "state": "asked" if lead is None else "voided",
            "decided_by": lead, "decided_at": receipt["voided_at"], "words": "",
        })  # fmt: skip


def suspected(
    rng: Random, now: datetime, policy: Policy, issued: Mapping[int, Row], rated: Sequence[Row],
    people: People,
) -> dict[str, list[Row]]:  # fmt: skip
    """Also sets aside what was excluded, and marks what was voided."""
    (supervisor,), adjudicator = people.all_of(Role.SUPERVISOR), people.all_of(Role.ADJUDICATOR)[0]
    desk = _Desk(rng, now, policy, supervisor, adjudicator)
    _praised(desk, issued, rated)
    _voided(desk, issued, rated, people)
    desk.suspicions.sort(key=lambda row: row["id"])
    return {
        "suspicions": desk.suspicions, "suspicion_looks": desk.looks, "exclusions": desk.exclusions,
        "voids": desk.voids,
    }  # fmt: skip


def _praised(desk: _Desk, issued: Mapping[int, Row], rated: Sequence[Row]) -> None:
    left = list(_on_a_slip(issued, rated, bad=False))
    shared: Place | None = None
    for rule, days, state, evidence in _PLOT:
        same = [row for row in left if _place(issued, row) == shared]
        review = _latest(
            same if rule is Rule.SAME_DEVICE and same else left, desk.now - days * _DAY
        )
        left.remove(review)
        shared = _place(issued, review) if rule is Rule.SAME_DEVICE else None
        row = desk.suspect(
            rule, issued[review["receipt_id"]], review, review["at"] + _FOUND, evidence
        )
        desk.look(row, state, review)


def _voided(desk: _Desk, issued: Mapping[int, Row], rated: Sequence[Row], people: People) -> None:
    bad = _latest(list(_on_a_slip(issued, rated, bad=True)), desk.now - 4 * _DAY)
    receipt = issued[bad["receipt_id"]]
    asked, lead = bad["at"] + timedelta(hours=5), people.leads(receipt["agency_code"])[0]
    by = f"staff:{people.owner(receipt['agency_code'])}"
    desk.ask_to_void(receipt, by, asked, "窗口录错办件编号", lead)
    hours = {"hours": 5, "threshold_days": 7}
    desk.suspect(Rule.VOIDED, receipt, bad, receipt["voided_at"] + _FOUND, hours)
    with_reviews = {row["receipt_id"] for row in rated}
    bureau = BUREAUS[0]
    fresh = [
        row for row in issued.values()
        if row["agency_code"] == bureau.code and row["channel"] == "window"
        and row["id"] not in with_reviews and row["issued_at"] < desk.now - timedelta(hours=3)
    ]  # fmt: skip
    waiting, pressed = fresh[-1], fresh[-2]
    at = waiting["issued_at"] + timedelta(hours=1)
    desk.ask_to_void(waiting, f"client:{bureau.key}-system", at, "同一办件重复登记", None)
    how = {"how": ["asked", "watched"]}
    desk.suspect(Rule.PRESSED, pressed, None, pressed["issued_at"] + timedelta(minutes=9), how)


def _on_a_slip(issued: Mapping[int, Row], rated: Iterable[Row], *, bad: bool) -> Iterator[Row]:
    """At a window, with the slip in the hand: what nobody has drawn for a call-back."""
    for row in rated:
        receipt = issued[row["receipt_id"]]
        if (
            row["state"] is ReviewState.STANDING and row["channel"] is ReviewChannel.RECEIPT_QR
            and (is_bad(row["level"]) if bad else row["level"] == 5) and not row["real_name"]
            and receipt["window_code"] and receipt["channel"] == "window"
        ):  # fmt: skip
            yield row


def _place(issued: Mapping[int, Row], review: Row) -> Place:
    receipt = issued[review["receipt_id"]]
    return receipt["agency_code"], receipt["window_code"]


def _latest(of: Sequence[Row], before: datetime) -> Row:
    earlier = (row for row in of if row["at"] < before)
    return max(earlier, key=lambda row: row["at"], default=of[0])
