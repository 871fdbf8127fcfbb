"""Who is at the door of the API."""

from sanic import Request

from server.kit.errors import Denied
from server.kit.web import Optionally
from server.people import citizens, service, tokens
from server.people.rules import Role


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise tokens.BadToken
    return token.strip()


class AgencySystem:
    """A window system or online platform, signed in by client credentials."""

    security = "agency"

    async def __call__(self, request: Request) -> service.Caller:
        return await service.caller_of(_bearer(request))


class StaffWith:
    """A member of staff with one of these roles."""

    security = "staff"

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles or Role)

    async def __call__(self, request: Request) -> service.Member:
        member = await service.member_of(_bearer(request))
        if member.role not in self.roles:
            raise Denied
        return member


class SignedIn:
    """A citizen from the mini-program."""

    security = "citizen"

    def __init__(self, *, erased_too: bool = False) -> None:
        self._erased_too = erased_too

    async def __call__(self, request: Request) -> citizens.Rater:
        return await citizens.rater_of(_bearer(request), erased_too=self._erased_too)


AGENCY_SYSTEM = AgencySystem()
CITIZEN = SignedIn()
CITIZEN_OR_FORGOTTEN = SignedIn(erased_too=True)
"""For being forgotten, which may be asked for twice."""
ANYONE_OR_CITIZEN = Optionally(CITIZEN)
