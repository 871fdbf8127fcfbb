"""Who comes to which of the rooms of paper forms."""

from server.catalogue.models import Hall
from server.kit.errors import Denied
from server.people.rules import OF_AN_AGENCY, Role
from server.people.service import Member
from server.reviews import paper

PAPER = "/console/paper"
ENTRY, ENTERED = f"{PAPER}/entry", f"{PAPER}/entered"
PRINTS = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.AGENCY_LEAD})
KEYS_IN = PRINTS | {Role.HANDLER}
SEES_ENTERED = frozenset({Role.SUPERVISOR, Role.AUDITOR})


def halls(member: Member) -> list[Hall]:
    """Whose forms he works with; an agency without any has no business in these rooms."""
    found = paper.halls_of(member)
    if not found and member.role in OF_AN_AGENCY:
        raise Denied
    return found


def rooms(member: Member) -> list[tuple[str, str]]:
    """Address and name, the first one first; none for the reviewed side."""
    if member.role in OF_AN_AGENCY and not paper.halls_of(member):
        return []
    known = (
        (PAPER, "印空白表", PRINTS), (ENTRY, "录入", KEYS_IN), (ENTERED, "录入登记", SEES_ENTERED),
    )  # fmt: skip
    return [(address, name) for address, name, roles in known if member.role in roles]
