"""What a grievance is about, and who answers for it: 谁办理、谁负责, and never nobody."""

from dataclasses import dataclass, field

from server.catalogue.models import Hall, Matter, Window
from server.catalogue.service import Catalogue, catalogue
from server.kit.errors import Fault, Invalid, Unavailable
from server.workorders.rules import route


class UnknownPlace(Invalid):
    code = "unknown_place"
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
        raise UnknownPlace(errors=[Fault("hall_code", UnknownPlace.code, UnknownPlace.title)])
    if window_code and window is None:
        raise UnknownPlace(errors=[Fault("window_code", UnknownPlace.code, UnknownPlace.title)])
    if matter_code and matter is None:
        raise UnknownMatter(errors=[Fault("matter_code", UnknownMatter.code, UnknownMatter.title)])
    if agency_code and agency_code not in known.agencies:
        raise UnknownAgency(errors=[Fault("agency_code", UnknownAgency.code, UnknownAgency.title)])
    return About(hall, window, matter, agency_code or None)


def front_desk(known: Catalogue) -> str:
    """Of the hall that stands highest among the regions; of several the one with the first code. Without
    any hall the highest agency."""
    heights = [
        *((len(list(known.upward(h.region_code))), 0, h.code, h.desk_agency_code) for h in known.halls.values()),
        *((len(list(known.upward(a.region_code))), 1, a.code, a.code) for a in known.agencies.values()),
    ]  # fmt: skip
    if not heights:
        raise NoDesk
    first = min((one for one in heights if one[1] == 0), default=None) or min(heights)
    return first[3]
