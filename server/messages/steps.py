"""What becomes of a message next (no database)."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from server.catalogue.models import Policy
from server.kit.clock import BEIJING
from server.messages.rules import (
    ASK_AFTER,
    FINAL,
    TRIES,
    UNASKED,
    WAITS,
    MessageState,
    Purpose,
    next_in_hours,
    start_of_day,
    wait_after,
)
from sms.gateway import Refused, Report, Retry

CLOCKS_DIFFER = timedelta(minutes=1)
"""At most, the provider's and ours."""
GIVE_UP_ASKING = timedelta(days=1)
NUMBERS_FAULT = frozenset({
    "isv.MOBILE_NUMBER_ILLEGAL", "isv.DOMESTIC_NUMBER_NOT_SUPPORTED", "isv.CUSTOMER_REFUSED",
})  # fmt: skip
"""No one can mend these here. BLACK_KEY_CONTROL_LIMIT is about forbidden words in the variables."""


class Step(NamedTuple):
    """Where a message goes next, and why."""

    state: MessageState
    code: str | None
    next_at: datetime | None = None
    perhaps_sent: bool = False


def obstacle(
    purpose: Purpose, not_after: datetime | None, now: datetime, policy: Policy, *,
    opted_out: bool, sent_today: int,
) -> Step | None:  # fmt: skip
    """Why a message does not go out now, if so. The code that he has just asked for goes to one who opted
    out too, and finds room for one on a full day."""
    asked_for = purpose is Purpose.PROOF
    if opted_out and not asked_for:
        return Step(MessageState.CANCELLED, "opted_out")
    later, why = now, ""
    if sent_today >= policy.daily_messages + asked_for:
        later, why = _tomorrow(now, policy), "daily_limit"
    elif purpose in UNASKED:
        later, why = next_in_hours(now, policy.hour_from, policy.hour_to), "hours"
    if not_after is not None and later > not_after:
        return Step(MessageState.CANCELLED, "expired")
    return Step(MessageState.QUEUED, why, later) if later > now else None


def _tomorrow(now: datetime, policy: Policy) -> datetime:
    morning = start_of_day(now) + timedelta(days=1)
    return next_in_hours(morning, policy.hour_from, policy.hour_to)


def after_refusal(refused: Refused, tries: int, now: datetime, policy: Policy) -> Step:
    """A message that was surely not taken."""
    if refused.code in NUMBERS_FAULT:
        return Step(MessageState.FAILED, refused.code)
    if refused.retry in (Retry.PERMANENT, Retry.UNKNOWN) or tries >= TRIES:
        return Step(MessageState.DEAD, refused.code)
    if refused.retry is Retry.BUDGET:
        return Step(MessageState.QUEUED, refused.code, _tomorrow(now, policy))
    return Step(MessageState.QUEUED, refused.code, now + wait_after(tries, WAITS))


def days_around(sent_at: datetime) -> list[date]:
    """The provider files a message under its own day: around midnight that may be the other one."""
    near = (sent_at - CLOCKS_DIFFER, sent_at + CLOCKS_DIFFER)
    return sorted({at.astimezone(BEIJING).date() for at in near})


def after_silence(sent_at: datetime, now: datetime, code: str) -> Step:
    """A message that was perhaps taken: asked about ever more rarely, in the end by a person."""
    if now >= sent_at + GIVE_UP_ASKING:
        return Step(MessageState.DEAD, code, perhaps_sent=True)
    later = (sent_at + wait for wait in ASK_AFTER if sent_at + wait > now)
    next_at = next(later, now + ASK_AFTER[-1])
    return Step(MessageState.LOST, code, next_at, perhaps_sent=True)


def is_of_an_earlier_try(at: datetime | None, sent_at: datetime) -> bool:
    """A message that a person sent again keeps its OutId, so old news of it still comes in."""
    return at is not None and at < sent_at - CLOCKS_DIFFER


def settled_by(
    report: Report, state: MessageState, sent_at: datetime | None
) -> MessageState | None:
    """The state after the report; None if the report changes nothing."""
    if state in FINAL:
        return None
    if report.delivered:
        return MessageState.DELIVERED
    if sent_at is None or is_of_an_earlier_try(report.at, sent_at):
        return None
    return MessageState.FAILED
