"""When a review may be appealed against, who may rule, and what follows (pure)."""

from enum import StrEnum


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
