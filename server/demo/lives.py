"""How each bad review's order has fared: deeds that the product's own rules allow, until today."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from random import Random

from server.catalogue.models import Policy
from server.demo import plots
from server.demo.city import DESK, table
from server.demo.climbing import Time
from server.demo.days import Month, at_home, lately
from server.demo.deeds import Deeds
from server.demo.dice import one
from server.demo.life import Life, People
from server.demo.plots import MERGES, PINNED, USUAL, Deed, Pinned, Plot
from server.kit.errors import Refusal
from server.workorders.moves import CITIZEN, SYSTEM
from server.workorders.rules import Move, State

_VERIFIED, _CALLED, _TALKED = 0.85, 0.9, 0.12
_A_LITTLE = timedelta(seconds=40)


class Fate:
    """Plays the orders' lives one after the other."""

    def __init__(self, rng: Random, month: Month, policy: Policy, people: People) -> None:
        self.rng, self.month, self.policy, self.people = rng, month, policy, people
        self.time = Time(month, policy, people)
        self.deeds = Deeds(policy, people, table("answers"))
        self.under_way: list[Life] = []
        """Older ones, into which another may be merged."""

    def play(self, lives: Sequence[Life]) -> None:
        """Oldest first."""
        chosen = {place: pinned.plot for place, pinned in _places(lives)}
        merging = {int(share * len(lives)) for share in MERGES}
        usual = [one(self.rng, USUAL) for _ in lives]
        for place, life in enumerate(lives):
            rng = Random(self.rng.getrandbits(64))  # noqa: S311
            plot = _whole(rng, life, usual[place])
            if place in chosen:
                plot = _with_parts(life, chosen[place])
            self.open(life)
            if {at for at in merging if at <= place} and self._merged(rng, life):
                merging.remove(min(merging))
                plot = ()
            self.follow(rng, life, plot)

    def follow(self, rng: Random, life: Life, plot: Plot) -> None:
        """As far as it has come."""
        for deed in plot:
            if not self._do(rng, life, deed):
                break
        self.time.pass_until(life, self.month.now)
        self.time.settle(life)
        self.under_way.append(life)

    def open(self, life: Life) -> None:
        life.row |= {
            "owner_id": self.people.owner(life.row["agency_code"]),
            "next_due_at": life.row["contact_due_at"],
        }  # fmt: skip
        life.parts = [
            {"order_id": life.number, "agency_code": code, "state": "waiting", "words": "",
             "actor_id": None, "done_at": None}
            for code in life.row["co_agency_codes"]
        ]  # fmt: skip
        life.write(Move.OPEN, life.row["visible_from"], SYSTEM)

    def withdraw(self, life: Life, at: datetime) -> None:
        self.open(life)
        life.write(Move.WITHDRAW, at, CITIZEN)

    def _do(self, rng: Random, life: Life, deed: Deed) -> bool:
        """False when it has not come to that yet, or cannot any more."""
        at = self._when(rng, life, deed)
        self.time.pass_until(life, min(at, self.month.now))
        at = max(at, life.steps[-1]["at"] + _A_LITTLE)
        if at >= self.month.now:
            return False
        whose = life.row["agency_code"]
        if deed is plots.PART:
            whose = life.waiting_part() or whose
        actor = self._actor(rng, life, deed, whose)
        try:
            life.check(deed.what, deed.by, actor, at)
        except Refusal:
            return False
        self.deeds.do(rng, life, deed, actor, at)
        return True

    def _actor(self, rng: Random, life: Life, deed: Deed, whose: str) -> int | None:
        """Who accepted an order goes on with it."""
        found = self.people.any(rng, deed.by, whose)
        mine = found is not None and whose == life.row["agency_code"]
        if mine and deed.by == plots.ACCEPT.by and life.state is not State.ASSIGNED:
            owner: int = life.row["verifier_id"] or life.row["owner_id"]
            return owner
        return found

    def _when(self, rng: Random, life: Life, deed: Deed) -> datetime:
        last, hours = life.moved_at(), rng.uniform(*deed.hours)
        if deed.what is Move.SUPERVISE and life.state is not State.CONTESTED:
            last = max(last, life.row["next_due_at"])
        if deed.by == CITIZEN:
            at = at_home(last, timedelta(hours=hours))
        else:
            at = self.month.after_work(last, hours)
        return max(at, lately(self.month.now, deed.lately)) if deed.lately else at

    def _merged(self, rng: Random, life: Life) -> bool:
        """Into an older order of its agency that is still under way when it is accepted."""
        at = self.month.after_work(life.row["visible_from"], rng.uniform(*plots.MERGE.hours))
        for older in self.under_way:
            if _takes(older, life, at):
                lead = self.people.any(rng, plots.MERGE.by, life.row["agency_code"])
                life.check(Move.MERGE, plots.MERGE.by, lead, at)
                life.write(
                    Move.MERGE, at, plots.MERGE.by, lead, f"并入工单 {older.number}",
                    merged_into=older.number,
                )  # fmt: skip
                return True
        return False


def _takes(older: Life, life: Life, at: datetime) -> bool:
    closed = older.row["closed_at"]
    return (
        older.row["agency_code"] == life.row["agency_code"]
        and (closed is None or closed > at)
        and older.row["visible_from"] < at
        and older.row["merged_into"] is None
        and older.row["returns"] == 0
    )


_FITS: dict[str, Callable[[Life], bool]] = {
    "": lambda life: not life.row["co_agency_codes"] and not life.row["real_name"],
    "joint": lambda life: bool(life.row["co_agency_codes"]),
    "named": lambda life: bool(life.row["real_name"] and not life.row["co_agency_codes"]),
    "desk": lambda life: life.row["agency_code"] == DESK and not life.row["co_agency_codes"],
}


def _places(lives: Sequence[Life]) -> Iterable[tuple[int, Pinned]]:
    """Where each pinned fate falls: nobody has two."""
    taken: set[int] = set()
    for pinned in sorted(PINNED, key=lambda pinned: not pinned.needs):
        start = int(pinned.share * len(lives))
        around = [*range(start, len(lives)), *range(start - 1, -1, -1)]
        for place in around:
            if place not in taken and _suits(lives[place], pinned):
                taken.add(place)
                yield place, pinned
                break


def _suits(life: Life, pinned: Pinned) -> bool:
    return _FITS[pinned.needs](life) and not (life.by_sms and _talks(pinned.plot))


def _talks(plot: Plot) -> bool:
    """With a phone the agency talks by SMS, which is another story."""
    return any(deed.what in (Move.ASK, plots.MESSAGE.what) for deed in plot)


def _whole(rng: Random, life: Life, plot: Plot) -> Plot:
    """With what belongs to it: verification, call-back, parts, a word or two."""
    chances = [rng.random() for _ in range(3)]
    if life.by_sms and _talks(plot):
        plot = (plots.ACCEPT, plots.ANSWER, plots.CONFIRM)
    silent = all(deed.by != CITIZEN for deed in plot)
    beside: list[Deed] = []
    if chances[0] < _VERIFIED:
        beside.append(plots.VERIFY)
    if life.row["real_name"] and (silent or chances[1] < _CALLED):
        beside.append(plots.CALL)
    if chances[2] < _TALKED and not life.by_sms:
        beside += [plots.MESSAGE, plots.REPLY]
    found: list[Deed] = []
    for deed in plot:
        found.append(deed)
        if deed is plots.ACCEPT:
            found += beside
    return _with_parts(life, tuple(found))


def _with_parts(life: Life, plot: Plot) -> Plot:
    """Before the lead answers, its co-handlers have done their part."""
    if plots.ANSWER not in plot or {plots.PART, plots.RELEASE} & set(plot):
        return plot
    place = plot.index(plots.ANSWER)
    parts = (plots.PART,) * len(life.row["co_agency_codes"])
    return (*plot[:place], *parts, *plot[place:])
