"""The due times of one order, from its row and its steps: the same at the move and at any time later."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from server.catalogue.service import catalogue
from server.kit.clock import BEIJING
from server.workorders.deadlines import (
    Course,
    Due,
    Unit,
    answer_due,
    due_or_provisional,
    pauses_of,
    still_days,
)
from server.workorders.models import Step, WorkOrder
from server.workorders.opening import working
from server.workorders.rules import Move, Record, State

_LIMITS = {
    State.RETURNED: "ruling_days",
    State.CONTESTED: "contact_days",
    State.SUPERVISED: "supervise_days",
}
"""Of the state's next act, in working days from the move that led there."""
_ENTERS: defaultdict[State, frozenset[str]] = defaultdict(
    lambda: frozenset(Move) - {Move.EXTEND},
    # Whose order comes to an answer that stands has his own days to judge it.
    {State.ANSWERED: frozenset({Move.ANSWER, Record.JOINED})},
)


def due_times(order: WorkOrder, steps: Sequence[Step]) -> dict[str, Any]:
    """`steps`: all, oldest first, the last of them leading to the order's state."""
    policy = catalogue().policy(order.region_code)
    contact = working(_contact_from(order, steps), policy.contact_days)
    answer, promised = answer_until(order, steps), _promised(order, steps)
    if promised:
        answer = min(answer, promised, key=_moment)
    following = _next_due(order, steps, contact, answer)
    if promised and order.state == State.ASKING:
        following = min(following, promised, key=_moment)
    return {
        "contact_due_at": contact.at, "due_at": answer.at, "next_due_at": following.at,
        "provisional": contact.provisional or answer.provisional or following.provisional,
    }  # fmt: skip


def _moment(due: Due) -> datetime:
    return due.at


def answer_until(order: WorkOrder, steps: Sequence[Step]) -> Due:
    """By the order's own time."""
    return answer_due(course(order, steps), catalogue().calendar)


def _promised(order: WorkOrder, steps: Sequence[Step]) -> Due | None:
    """What the citizen of a merged order was promised: a merge never moves it back. What comes after
    does as it would have moved his own."""
    since, until = order.promised_from, order.promised_until
    if since is None or until is None:
        return None
    later = [step for step in steps if step.at > since]
    if any(step.move == Move.PLAN for step in later):
        return None
    extended = any(step.move == Move.EXTEND for step in later)
    return answer_due(
        Course(
            start=since, days=0, extension=(order.extension_days or 0) if extended else 0,
            planned_on=since.astimezone(BEIJING).date(), planned_until=until,
            pauses=pauses_of(later), cap=catalogue().policy(order.region_code).ask_days,
        ),
        catalogue().calendar,
    )  # fmt: skip


def course(order: WorkOrder, steps: Sequence[Step]) -> Course:
    policy = catalogue().policy(order.region_code)
    planned = [step.at for step in steps if step.move == Move.PLAN]
    return Course(
        start=order.visible_from, days=order.answer_days or policy.simple_days,
        extension=order.extension_days or 0,
        planned_on=planned[-1].astimezone(BEIJING).date() if planned else None,
        planned_until=order.planned_until, pauses=pauses_of(steps), cap=policy.ask_days,
    )  # fmt: skip


def ask_days_left(order: WorkOrder, steps: Sequence[Step]) -> int:
    of = course(order, steps)
    return of.cap - still_days(of.pauses, of.cap, catalogue().calendar)


def latest_plan(order: WorkOrder, steps: Sequence[Step]) -> date:
    """限期整改 ends with the complex limit; the clock stood still for it too."""
    of = course(order, steps)
    days = max(of.days, catalogue().policy(order.region_code).complex_days)
    longest = Course(start=of.start, days=days, pauses=of.pauses, cap=of.cap)
    return answer_due(longest, catalogue().calendar).at.date()


def limit(order: WorkOrder, state: State, since: datetime) -> Due:
    """When the next act is due in a state whose limit counts from the move that led to it."""
    policy = catalogue().policy(order.region_code)
    if state is State.ANSWERED:
        return due_or_provisional(since, policy.silence_days, Unit.NATURAL, catalogue().calendar)
    return working(since, getattr(policy, _LIMITS[state]))


def _next_due(order: WorkOrder, steps: Sequence[Step], contact: Due, answer: Due) -> Due:
    state = State(order.state)
    if state is State.ASSIGNED:
        return contact
    if state in (State.ACCEPTED, State.PLANNED):
        return answer
    entered = [s.at for s in steps if s.state == state and s.move in _ENTERS[state]]
    since = entered[-1] if entered else order.visible_from
    if state is State.ASKING:
        return working(since, ask_days_left(order, steps))
    return limit(order, state, since)


def _contact_from(order: WorkOrder, steps: Sequence[Step]) -> datetime:
    """A new agency has its own time for the first contact."""
    moved = [step.at for step in steps if step.move == Move.REASSIGN]
    return moved[-1] if moved else order.visible_from
