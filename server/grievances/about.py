"""What a grievance is about, and who answers for it: 谁办理、谁负责, and never nobody."""

from dataclasses import dataclass, field

from server.catalogue.models import Agency, Hall, Matter, Window
from server.catalogue.service import Catalogue, catalogue
from server.kit.errors import Fault, Invalid, Unavailable
from server.workorders.rules import route


class UnknownHall(Invalid):
    code = "unknown_hall"
    title = "没有这个大厅或窗口，请重新选择，或不选"


class UnknownMatter(Invalid):
    code = "unknown_matter"
    title = "没有这个事项，请重新选择，或不选"


class UnknownAgency(Invalid):
    code = "unknown_agency"
    title = "没有这个部门"


class NoDesk(Unavailable):
    code = "no_desk"
    title = "这里还没有可以受理的部门，请稍后再试"


@dataclass(frozen=True)
class About:
    """As the catalogue knows it; every part may be empty."""

    hall: Hall | None = None
    window: Window | None = None
    matter: Matter | None = None
    agency_code: str | None = None
    """Whose it is in the opinion of the clerk who took it in."""
    lead: str = field(init=False)
    co_agencies: list[str] = field(init=False)

    def __post_init__(self) -> None:
        """The matter's own agency; else whom the clerk named, who sits at the window, the hall's desk,
        and in the end the desk of the city's first hall."""
        matter, seated = self.matter, self.window.agency_code if self.window else None
        lead, others = route(
            matter_agency=matter.agency_code if matter else self.agency_code or seated,
            co_agencies=matter.co_agency_codes if matter else [],
            hall_desk=self.hall.desk_agency_code if self.hall else None,
            issuer=self.agency_code or seated or front_desk(catalogue()),
        )  # fmt: skip
        object.__setattr__(self, "lead", lead)
        object.__setattr__(self, "co_agencies", others)

    @property
    def region_code(self) -> str:
        agency = catalogue().agencies.get(self.lead)
        if agency:
            return agency.region_code
        return self.hall.region_code if self.hall else ""


def find(
    hall_code: str | None = None, window_code: str | None = None, matter_code: str | None = None,
    agency_code: str | None = None,
) -> About:  # fmt: skip
    """Codes as they came; an empty one names nothing."""
    known = catalogue()
    hall = known.halls.get(hall_code or "")
    window = known.seats.get(hall_code or "", {}).get(window_code or "")
    matter = known.matters.get(matter_code or "")
    if hall_code and hall is None:
        raise UnknownHall(errors=[Fault("hall_code", UnknownHall.code, UnknownHall.title)])
    if window_code and window is None:
        raise UnknownHall(errors=[Fault("window_code", UnknownHall.code, UnknownHall.title)])
    if matter_code and matter is None:
        raise UnknownMatter(errors=[Fault("matter_code", UnknownMatter.code, UnknownMatter.title)])
    if agency_code and agency_code not in known.agencies:
        raise UnknownAgency(errors=[Fault("agency_code", UnknownAgency.code, UnknownAgency.title)])
    return About(hall, window, matter, agency_code or None)


def front_desk(known: Catalogue) -> str:
    """Of the hall that stands highest among the regions; of several the one with the first code. Without
    any hall the highest agency."""

    def height(place: Hall | Agency) -> tuple[int, str]:
        return sum(1 for _ in known.upward(place.region_code)), place.code

    if known.halls:
        return min(known.halls.values(), key=height).desk_agency_code
    if known.agencies:
        return min(known.agencies.values(), key=height).code
    raise NoDesk
