"""Who is in the console at one request, and the rooms that his role opens: the one table of both."""

from dataclasses import dataclass, field
from typing import NamedTuple

from server.catalogue.service import catalogue
from server.kit import uploads
from server.kit.clock import clock
from server.people.rules import OF_AN_AGENCY, ROLE_NAMES, SEES_ORDERS, Role
from server.people.service import Member
from server.web import paper_doors
from server.workorders.calendar_alarm import calendar_alarm

HOME, LOGIN = "/console", "/console/login"
INTAKE, LEDGER, SAMPLES = "/console/intake", "/console/accountability", "/console/samples"
SUSPICIONS, VOIDS = "/console/suspicions", "/console/receipts/voids"
APPEALS, EXCLUSIONS = "/console/appeals", "/console/exclusions"
MESSAGES, QUESTIONNAIRES = "/console/messages", "/console/questionnaires"
KIOSKS, WALLS = "/console/kiosks", "/console/walls"
SEES_LEDGER = frozenset({Role.SUPERVISOR, Role.AUDITOR})
SEES_SUSPICIONS = frozenset({Role.SUPERVISOR, Role.ADJUDICATOR, Role.AUDITOR})
SEES_EXCLUSIONS = SEES_SUSPICIONS | {Role.ADMIN}
SEES_MESSAGES = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.AUDITOR})
SEES_QUESTIONNAIRES = frozenset({Role.AGENCY_LEAD, Role.SUPERVISOR})
KEEPS_KIOSKS = frozenset({Role.ADMIN, Role.AGENCY_LEAD})
SEES_WALLS = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.AGENCY_LEAD})


class Room(NamedTuple):
    address: str
    name: str
    roles: frozenset[Role]
    key: str = ""
    """With Alt; named among the keys at the foot of the page."""


_ROOMS = (
    Room(INTAKE, "登记诉求", SEES_ORDERS), Room(LEDGER, "问责", SEES_LEDGER, "k"),
    Room(SUSPICIONS, "核查", SEES_SUSPICIONS, "c"), Room(VOIDS, "作废", OF_AN_AGENCY),
    Room(SAMPLES, "抽样回访", frozenset({Role.AUDITOR})), Room(APPEALS, "申诉", SEES_SUSPICIONS),
    Room(EXCLUSIONS, "不予采纳", SEES_EXCLUSIONS), Room(MESSAGES, "短信", SEES_MESSAGES, "m"),
    Room(QUESTIONNAIRES, "问卷", SEES_QUESTIONNAIRES), Room(KIOSKS, "评价器", KEEPS_KIOSKS),
    Room(WALLS, "墙上的码", SEES_WALLS),
)  # fmt: skip


@dataclass(frozen=True)
class Visit:
    """A signed-in member of staff at one request, with what he sent."""

    member: Member
    csrf: str
    form: dict[str, str] = field(default_factory=dict)
    upload: uploads.Upload | None = None

    @property
    def role_name(self) -> str:
        return ROLE_NAMES[self.member.role]

    @property
    def place(self) -> str:
        """The agency or region he acts for."""
        if self.member.agency_code:
            return catalogue().agency_name(self.member.agency_code)
        region = catalogue().regions.get(self.member.region_code)
        return region.name if region else ""

    @property
    def alarm(self) -> str | None:
        """That a calendar is missing, for those who can have it loaded."""
        told = self.member.role in (Role.ADMIN, Role.SUPERVISOR)
        return calendar_alarm(clock.now()) if told else None

    @property
    def rooms(self) -> list[Room]:
        """Of the header, beside the desk itself."""
        own = [room for room in _ROOMS if self.member.role in room.roles]
        return own + [Room(first, "纸质评价表", frozenset()) for first, _ in self.paper_rooms[:1]]

    @property
    def paper_rooms(self) -> list[tuple[str, str]]:
        return paper_doors.rooms(self.member)

    @property
    def sees_orders(self) -> bool:
        return self.member.role in SEES_ORDERS

    @property
    def sees_suspicions(self) -> bool:
        return self.member.role in SEES_SUSPICIONS
