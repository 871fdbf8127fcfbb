"""When a review may be appealed against, who may rule, and what follows (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.appeals.refusals import (
    AlreadyVoted,
    AppealClosed,
    AppealEnded,
    NotAppealable,
    NotCalledBack,
    NotImpartial,
    ReasonMismatch,
    StatementPending,
)
from server.kit.errors import Fault
from server.reviews.rules import Excluded, ReviewState, is_bad


class AppealState(StrEnum):
    OPEN = "open"
    CONFIRMING = "confirming"
    """Upheld as malicious, and not for the first time about one person: a supervisor decides."""
    UPHELD = "upheld"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


ENDED = frozenset({AppealState.UPHELD, AppealState.REFUSED, AppealState.WITHDRAWN})


class Round(StrEnum):
    APPEAL = "appeal"
    """The reviewed side's, against the review."""
    OBJECTION = "objection"
    """The citizen's, against its exclusion; once."""


GROUNDS = (Excluded.MISTAKEN, Excluded.MALICIOUS, Excluded.NOT_OURS)
"""What the reviewed side can know and claim; the other reasons are found by comparing ratings."""
RULERS = 2


def check_appeal(
    *, of_a_review: bool, level: int | None, state: ReviewState, until: datetime, now: datetime
) -> None:
    """A bad review that counts, while the days run from when the agency saw it."""
    if not of_a_review or level is None or not is_bad(level):
        raise NotAppealable("只有群众的差评可以申诉")
    if state is not ReviewState.STANDING:
        raise NotAppealable("这条评价现在不计入，或正在核实，不用申诉")
    if now > until:
        raise AppealClosed


# Who may rule


@dataclass(frozen=True, kw_only=True)
class Ties:
    """All that binds one member of staff to one case."""

    agency: str | None = None
    sides: frozenset[str] = frozenset()
    """The lead, its co-handlers, the desk, and who issued the receipt."""
    kin: frozenset[str] = frozenset()
    """Their superiors and subordinates."""
    appellant: bool = False
    acted: bool = False
    accountable: bool = False
    ruled_before: bool = False
    stood_back: bool = False


def bias(ties: Ties) -> str:
    """Why he may not rule, in words for him; empty if nothing stands against it."""
    reasons = (
        (ties.appellant, "申诉是您提出的"),
        (ties.agency in ties.sides, "您属于被评价或参与办理的部门"),
        (ties.agency in ties.kin, "您的部门是当事部门的上级或下级"),
        (ties.acted, "您参与办理过这张工单"),
        (ties.accountable, "这张工单的问责记录里有您"),
        (ties.ruled_before, "前一次复核是您裁定的"),
        (ties.stood_back, "您已经回避这件申诉"),
    )
    return next((words for holds, words in reasons if holds), "")


# What two hold


@dataclass(frozen=True)
class Ballot:
    upheld: bool
    reason: Excluded | None = None


@dataclass(frozen=True, kw_only=True)
class Docket:
    """A case as it stands when somebody wants to vote."""

    round: Round
    state: AppealState
    bias: str = ""
    voted: bool = False
    statement_given: bool = False
    statement_until: datetime | None = None
    must_be_called: bool = False
    """A real-name review whose rater nobody has spoken with yet."""


def may_still_state(given: bool, until: datetime | None, now: datetime) -> bool:
    return not given and until is not None and now <= until


def check_ruler(docket: Docket) -> None:
    if docket.bias:
        raise NotImpartial(f"{docket.bias}，须回避")
    if docket.state is not AppealState.OPEN:
        raise AppealEnded
    if docket.voted:
        raise AlreadyVoted


def check_vote(docket: Docket, ballot: Ballot, now: datetime) -> None:
    check_ruler(docket)
    if may_still_state(docket.statement_given, docket.statement_until, now):
        raise StatementPending
    if docket.round is Round.APPEAL and ballot.upheld and docket.must_be_called:
        raise NotCalledBack
    wants_reason = docket.round is Round.APPEAL and ballot.upheld
    if wants_reason != (ballot.reason is not None) or (ballot.reason or GROUNDS[0]) not in GROUNDS:
        raise ReasonMismatch(errors=[Fault("reason", ReasonMismatch.code, ReasonMismatch.title)])


@dataclass(frozen=True)
class Outcome:
    upheld: bool
    reason: Excluded | None = None


def outcome(round_: Round, ballots: Sequence[Ballot]) -> Outcome | None:
    """None until two have voted. In doubt for the citizen, in both rounds: his review goes only if
    both say so and for the same reason, and stays gone only if both say so again."""
    if len(ballots) < RULERS:
        return None
    if round_ is Round.OBJECTION:
        return Outcome(any(ballot.upheld for ballot in ballots))
    reasons = {ballot.reason if ballot.upheld else None for ballot in ballots}
    if len(reasons) > 1 or None in reasons:
        return Outcome(False)
    return Outcome(True, reasons.pop())


def needs_confirmation(result: Outcome, earlier: int) -> bool:
    """Four eyes may find one review malicious; that a person is malicious takes two more."""
    return result.upheld and result.reason is Excluded.MALICIOUS and earlier > 0
