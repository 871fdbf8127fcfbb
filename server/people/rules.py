"""Roles and what they are for (pure)."""

from datetime import datetime, timedelta
from enum import StrEnum

LOCK_AFTER = 5
LOCKED_FOR = timedelta(minutes=15)
SESSION_IDLE = timedelta(minutes=30)
SESSION_LIFE = timedelta(hours=12)
TOKEN_LIFE = timedelta(hours=2)
SEEN_STEP = timedelta(minutes=1)
"""A session's last sight is written at most this often."""


class Role(StrEnum):
    HANDLER = "handler"
    AGENCY_LEAD = "agency_lead"
    SUPERVISOR = "supervisor"
    ADJUDICATOR = "adjudicator"
    AUDITOR = "auditor"
    ADMIN = "admin"


ROLE_NAMES = {
    Role.HANDLER: "经办人",
    Role.AGENCY_LEAD: "部门负责人",
    Role.SUPERVISOR: "督办员",
    Role.ADJUDICATOR: "复核员",
    Role.AUDITOR: "审计员",
    Role.ADMIN: "管理员",
}
OF_AN_AGENCY = frozenset({Role.HANDLER, Role.AGENCY_LEAD})
SEES_ORDERS = frozenset({Role.HANDLER, Role.AGENCY_LEAD, Role.SUPERVISOR})


def session_ended(started_at: datetime, seen_at: datetime, now: datetime) -> bool:
    return now - seen_at > SESSION_IDLE or now - started_at > SESSION_LIFE


def locked_until(failures: int, now: datetime) -> datetime | None:
    """After so many failures in a row the account rests."""
    return now + LOCKED_FOR if failures >= LOCK_AFTER else None
