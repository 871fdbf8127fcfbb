"""What may happen to an order of the invented city: deeds, how long each takes, and in what order."""

from dataclasses import dataclass, replace

from server.people.rules import Role
from server.workorders.moves import CITIZEN, SYSTEM
from server.workorders.rules import Move, Record


@dataclass(frozen=True)
class Deed:
    """One move or record, and who makes it."""

    what: Move | Record
    by: str
    hours: tuple[float, float]
    """After what went before: an office's hours, or a citizen's."""
    lately: float | None = None
    """So many hours ago, if that is later."""
    abusive: bool = False


Plot = tuple[Deed, ...]
_H, _L, _S = Role.HANDLER, Role.AGENCY_LEAD, Role.SUPERVISOR

ACCEPT = Deed(Move.ACCEPT, _H, (0.3, 6))
VERIFY = Deed(Record.VERIFY, _H, (0.5, 4))
CALL = Deed(Record.CALL_BACK, _H, (0.5, 6))
MESSAGE = Deed(Record.MESSAGE, _H, (0.5, 4))
REPLY = Deed(Record.MESSAGE, CITIZEN, (0.5, 9))
ABUSE = replace(REPLY, abusive=True)
PART = Deed(Record.PART, _H, (1, 8))
ANSWER = Deed(Move.ANSWER, _H, (2, 16))
RETURN = Deed(Move.RETURN, _L, (1, 4))
REASSIGN = Deed(Move.REASSIGN, _S, (2, 6))
REFUSE = Deed(Move.REFUSE, _S, (2, 6))
ASK = Deed(Move.ASK, _H, (1, 5))
RESUME = Deed(Move.RESUME, CITIZEN, (3, 40))
PLAN = Deed(Move.PLAN, _L, (2, 8))
EXTEND = Deed(Move.EXTEND, _L, (8, 16))
URGE = Deed(Record.URGE, _S, (8, 12))
TAKEOVER = Deed(Record.TAKEOVER, _S, (2, 6))
RELEASE = Deed(Record.RELEASE, _S, (2, 6))
SUPERVISE = Deed(Move.SUPERVISE, _S, (1, 6))
RULE = Deed(Move.RULE, _S, (8, 20))
CONFIRM = Deed(Move.CONFIRM, CITIZEN, (1, 60))
CONTEST = Deed(Move.CONTEST, CITIZEN, (1, 40))
DISMISS = Deed(Move.DISMISS, SYSTEM, (8, 24))
MERGE = Deed(Move.MERGE, _L, (0.5, 1))

USUAL: dict[Plot, float] = {
    (ACCEPT, ANSWER, CONFIRM): 44,
    (ACCEPT, ANSWER): 22,
    (ACCEPT, ANSWER, CONTEST, SUPERVISE, ANSWER, CONFIRM): 8,
    (ACCEPT, ANSWER, CONTEST, SUPERVISE, RULE): 4,
    (ACCEPT, ANSWER, CONTEST, RULE): 2,
    (ACCEPT, PLAN, EXTEND, ANSWER, CONFIRM): 5,
    (ACCEPT, ASK, RESUME, ANSWER, CONFIRM): 7,
    (RETURN, REASSIGN, ACCEPT, ANSWER, CONFIRM): 4,
    (ACCEPT, RETURN, REFUSE, ANSWER): 4,
}
"""Who was answered and says nothing is silent: the order ends by itself."""


@dataclass(frozen=True)
class Pinned:
    """The first order at or after this share of the month that fits has this fate, and no other."""

    share: float
    plot: Plot
    needs: str = ""
    """`joint`: co-handling agencies; `named`: a real name; `desk`: a service desk has it."""


_JUDGED = (ACCEPT, ANSWER, CONTEST)
PINNED = (
    Pinned(0.02, (RETURN, REASSIGN, ACCEPT, VERIFY, ANSWER, CONFIRM), "desk"),
    Pinned(0.04, (*_JUDGED, SUPERVISE, RULE)),
    Pinned(0.06, (ACCEPT, VERIFY, PART, RELEASE, ANSWER, CONFIRM), "joint"),
    Pinned(0.08, (ACCEPT, ANSWER)),
    Pinned(0.12, (ACCEPT, DISMISS)),
    Pinned(0.20, (*_JUDGED, RULE)),
    Pinned(0.25, (ACCEPT, PLAN)),
    Pinned(0.32, (*_JUDGED, SUPERVISE)),
    Pinned(0.36, (RETURN,)),
    Pinned(0.40, (SUPERVISE, TAKEOVER, URGE)),
    Pinned(0.44, (ACCEPT, VERIFY, ANSWER), "named"),
    Pinned(0.45, (ACCEPT, DISMISS)),
    Pinned(0.52, (*_JUDGED, SUPERVISE, URGE)),
    Pinned(0.55, (*_JUDGED,)),
    Pinned(0.58, (SUPERVISE,)),
    Pinned(0.61, (ACCEPT, MESSAGE, ABUSE, MESSAGE, ANSWER, CONTEST, SUPERVISE)),
    Pinned(0.64, ()),
    Pinned(0.68, (ACCEPT, VERIFY, PLAN, EXTEND)),
    Pinned(0.70, (RETURN, REASSIGN, ACCEPT, ANSWER), "desk"),
    Pinned(0.72, (ACCEPT, DISMISS)),
    Pinned(0.74, (ACCEPT,)),
    Pinned(0.78, (ACCEPT, VERIFY, PART), "joint"),
    Pinned(0.82, (ACCEPT, PLAN)),
    Pinned(0.83, (ACCEPT, VERIFY, ANSWER, replace(CONTEST, lately=3))),
    Pinned(0.84, (ACCEPT, ANSWER)),
    Pinned(0.85, (ACCEPT, RETURN)),
    Pinned(0.86, (ACCEPT, VERIFY, ANSWER, replace(CONTEST, lately=6))),
    Pinned(0.87, (ACCEPT, VERIFY), "named"),
    Pinned(0.88, (ACCEPT,)),
    Pinned(0.90, (ACCEPT, VERIFY, MESSAGE, REPLY)),
    Pinned(0.905, (ACCEPT, MESSAGE, replace(ABUSE, lately=4))),
    Pinned(0.91, (ACCEPT, replace(ASK, lately=7))),
    Pinned(0.92, (ACCEPT,), "joint"),
    Pinned(0.93, (ACCEPT, replace(RETURN, lately=2))),
    Pinned(0.95, ()),
    Pinned(0.96, (ACCEPT, replace(ASK, lately=5))),
    Pinned(0.97, ()),
    Pinned(0.99, ()),
)
"""Oldest first: every state is there, every desk has something to do, and some have stood too long."""
MERGES = (0.38, 0.5, 0.8)
"""From here on the next order whose agency has an older one under way is merged into it."""
