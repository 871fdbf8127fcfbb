"""What the product does by itself while time passes over an order: its ladder, and its silent end."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from server.catalogue.models import Policy
from server.demo.days import Month
from server.demo.life import Life, People
from server.people.rules import Role
from server.workorders.accountability import Why
from server.workorders.ladder import Ladder, Rung, ladder_of, listed_at, next_climb
from server.workorders.moves import SYSTEM
from server.workorders.rules import Move, Outcome, Record, State, Told
from server.workorders.rungs import supervises

_SOON = timedelta(seconds=2)
_CAUSES = {
    Ladder.AGENCY: "部门逾期未办", Ladder.SUPERVISION: "督办逾期未处理",
    Ladder.UNTOLD: "已答复，尚不能证明群众已知晓答复",
}  # fmt: skip
_WHY = {
    Ladder.AGENCY: Why.OVERDUE, Ladder.SUPERVISION: Why.SUPERVISION_LATE,
    Ladder.UNTOLD: Why.TOLD_NOBODY,
}  # fmt: skip


class Time:
    """The ticks of the worker, for one order after the other."""

    def __init__(self, month: Month, policy: Policy, people: People) -> None:
        self.month, self.policy, self.people = month, policy, people

    def pass_until(self, life: Life, end: datetime) -> None:
        """All that falls due before that moment."""
        while not life.over:
            at, rung = self._next(life)
            if at is None or at >= end:
                return
            self._fall_due(life, at + _SOON, rung)

    def _next(self, life: Life) -> tuple[datetime | None, Rung | None]:
        """After which moment something happens, and which rung it is, if it is one."""
        due_at = life.row["next_due_at"]
        if life.state is State.ASKING:
            return due_at, None
        if life.state is State.ANSWERED and _closes(life):
            return due_at, None
        rungs = self._rungs(life, due_at)
        listed = min((self._listed(at) for at in life.to_list), default=None)
        if listed and life.state is State.SUPERVISED and (not rungs[0] or listed <= rungs[0]):
            return listed, None
        return rungs

    def _rungs(self, life: Life, due_at: datetime) -> tuple[datetime | None, Rung | None]:
        ladder = ladder_of(life.state)
        done = life.climbed.get((due_at, ladder), set()) if ladder else set()
        at = next_climb(life.state, due_at, self.policy, self.month.calendar, done)
        if at is None:
            return None, None
        left = [rung for rung in Rung if rung not in done]
        rung = left[0] if ladder is Ladder.AGENCY else next(r for r in left if r is not Rung.WARN)
        if ladder is Ladder.SUPERVISION and rung is not Rung.OVERDUE:
            rung = Rung.LIST
        return max(at, life.row["visible_from"]), rung

    def _listed(self, due_at: datetime) -> datetime:
        return listed_at(due_at, self.policy, self.month.calendar)

    def _fall_due(self, life: Life, at: datetime, rung: Rung | None) -> None:
        ladder = ladder_of(life.state)
        if life.state is State.ASKING:
            back = State(life.row["asked_from"])
            life.write(Move.RESUME, at, SYSTEM, timed=True, state=back, asked_from=None)
        elif rung is not None and ladder:
            self._climb(life, ladder, rung, life.row["next_due_at"], at)
        elif life.state is State.ANSWERED:
            how = life.row["told_how"] or (Told.SMS if life.by_sms else Told.NO_CHANNEL)
            life.write(
                Move.SILENCE, at, SYSTEM, outcome=Outcome.SILENT, told_how=how,
                told_at=life.row["told_at"] or at,
            )  # fmt: skip
        else:
            missed = min(life.to_list)
            life.to_list.remove(missed)
            self._climb(life, Ladder.AGENCY, Rung.LIST, missed, at)

    def _climb(
        self, life: Life, ladder: Ladder, rung: Rung, due_at: datetime, at: datetime
    ) -> None:
        life.climbed.setdefault((due_at, ladder), set()).add(rung)
        by_rule = supervises(life.state, rung)
        group, staff = self._told(life, ladder, rung)
        words = _words(ladder, rung, group, by_rule)
        later = by_rule and life.state is not State.CONTESTED
        life.escalations.append({
            "order_id": life.number, "region_code": life.row["region_code"], "due_at": due_at,
            "rung": int(rung), "ladder": str(ladder), "at": at,
            "listed_at": self._listed(due_at) if later else None,
        })  # fmt: skip
        kind = Ladder.UNTOLD if ladder is Ladder.UNTOLD else rung.name.lower()
        late = ladder is Ladder.AGENCY and rung is not Rung.WARN and life.row["due_at"] < at
        life.tell([*staff, *(self._missing(life) if late else ())], kind, words, at)
        life.write(Record.ESCALATE, at, SYSTEM, None, words)
        if rung is Rung.LIST:
            life.account(_WHY[ladder], words, at)
            self._forget(life, due_at)
        if by_rule:
            self._supervise(life, due_at, at, later)

    def _supervise(self, life: Life, due_at: datetime, at: datetime, later: bool) -> None:
        life.write(
            Move.SUPERVISE, at, SYSTEM, None, "超过期限，系统转为督办",
            asked_from=None, next_due_at=life.limit(State.SUPERVISED, at),
        )  # fmt: skip
        if later:
            life.to_list.append(due_at)

    def _forget(self, life: Life, due_at: datetime) -> None:
        for row in life.escalations:
            if row["due_at"] == due_at:
                row["listed_at"] = None

    def _told(self, life: Life, ladder: Ladder, rung: Rung) -> tuple[str, Sequence[int]]:
        if ladder is Ladder.SUPERVISION or rung >= Rung.SUPERVISORS:
            return "督办员", self.people.all_of(Role.SUPERVISOR)
        if rung is Rung.LEADS:
            return "部门负责人", self.people.leads(life.row["agency_code"])
        return "经办人", [life.row["owner_id"]]

    def _missing(self, life: Life) -> list[int]:
        """Whose part is not there."""
        codes = [part["agency_code"] for part in life.parts if part["state"] == "waiting"]
        roles = (Role.HANDLER, Role.AGENCY_LEAD)
        return [one for code in codes for role in roles for one in self.people.of[role, code]]

    def settle(self, life: Life) -> None:
        """Which alerts were opened, what the ladder has noted, and what it leaves undone."""
        now = self.month.now
        if life.state is not State.SUPERVISED:
            for row in life.escalations:
                row["listed_at"] = None
        moved = now if life.over else life.moved_at()
        for alert in life.alerts:
            opened = alert["at"] + timedelta(hours=3)
            if opened < now and alert["at"] < max(moved, life.alerts[-1]["at"]):
                alert["seen_at"] = opened
        told = life.row["told_at"]
        if told and told >= now:
            life.row |= {"told_at": None, "told_how": None}
        due_at = life.row["next_due_at"]
        if due_at and (life.state is not State.ANSWERED or due_at < now):
            life.row |= {"climb_due": due_at, "climbs_at": self._rest(life)}

    def _rest(self, life: Life) -> datetime | None:
        due_at: datetime = life.row["next_due_at"]
        return due_at if life.state is State.ASKING else self._rungs(life, due_at)[0]


def _closes(life: Life) -> bool:
    """Silence ends it: the citizen was told, and called if he gave his name."""
    return not life.row["real_name"] or life.row["called_back_at"] is not None


def _words(ladder: Ladder, rung: Rung, group: str, by_rule: bool) -> str:
    """As rungs has it."""
    cause = "期限将到" if rung is Rung.WARN else _CAUSES[ladder]
    if rung is Rung.LIST:
        return f"{cause}，已列入问责名单"
    told = f"，已提醒{group}" if rung <= Rung.OVERDUE else f"，已报{group}"
    return f"{cause}{told}{'，转为督办' if by_rule else ''}"
