"""A good call for every operation, and the scene in which it is made."""

from collections.abc import Awaitable, Callable

from kit.appeals_calls import APPEALS
from kit.clerks_calls import CLERKS
from kit.desk_calls import DESK, a_suspicion
from kit.evidence_calls import EVIDENCE
from kit.first_calls import FIRST, Call, Scene, all_operations, undo_time_is_over
from kit.grievances_calls import GRIEVANCES
from kit.objection_calls import OBJECTION

__all__ = ["CALLS", "Call", "Scene", "a_suspicion", "all_operations", "undo_time_is_over"]

CALLS: dict[str, Callable[[Scene], Awaitable[Call]]] = {
    **FIRST,
    **APPEALS,
    **EVIDENCE,
    **DESK,
    **GRIEVANCES,
    **CLERKS,
    **OBJECTION,
}
