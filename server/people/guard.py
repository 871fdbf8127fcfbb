"""Who is at the door of the API."""

from sanic import Request

from server.kit.errors import Denied
from server.people import service, tokens
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


AGENCY_SYSTEM = AgencySystem()
