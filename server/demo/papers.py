"""Paper forms of the invented city: those that were keyed in, and some that nobody has used yet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from server.catalogue.service import Catalogue
from server.demo.days import Month
from server.demo.dice import id_at
from server.demo.life import People
from server.demo.opinions import Opinion
from server.kit import query_codes as codes
from server.people.rules import Role
from server.reviews.rules import ReviewChannel

Row = dict[str, Any]
_LEFT = 3
"""Of every pile."""


def forms(
    rng: Random, month: Month, said: Iterable[Opinion], issued: Mapping[int, Row], people: People,
    known: Catalogue,
) -> list[Row]:  # fmt: skip
    """One for every review by paper, from a pile of its window or hall."""
    pile = _Pile(rng, month, people, known)
    piles: dict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for opinion in said:
        if opinion.channel is ReviewChannel.PAPER:
            receipt = issued[opinion.visit.number]
            place = receipt["hall_code"], receipt["window_code"]
            used = {"entered_at": opinion.at, "entered_by": pile.operator(receipt)}
            piles[place].append(pile.blank(place) | used | _stub(opinion.id))
    for place, rows in piles.items():
        rows += [pile.blank(place) for _ in range(_LEFT)]
    return [row for rows in piles.values() for row in rows]


def with_operators(rated: Iterable[Row], papers: Iterable[Row]) -> list[Row]:
    operators = {form["review_id"]: form["entered_by"] for form in papers}
    return [row | {"entered_by": operators.get(row["id"])} for row in rated]


def _stub(review_id: Any) -> Row:
    return {"review_id": review_id, "stub_key": codes.query_key(codes.query_code(review_id))}


class _Pile:
    """The supervisor printed them all before the month began."""

    def __init__(self, rng: Random, month: Month, people: People, known: Catalogue) -> None:
        self.rng, self.people, self.known = rng, people, known
        self.supervisor = people.all_of(Role.SUPERVISOR)[0]
        self.at = month.starts[0] - timedelta(days=1)

    def blank(self, place: tuple[str, str | None]) -> Row:
        form = id_at(self.rng, self.at)
        hall, window = place
        return {
            "id": form, "key": codes.query_key(codes.query_code(form)),
            **_stub(id_at(self.rng, self.at)), "region_code": self.known.halls[hall].region_code,
            "hall_code": hall, "window_code": window, "printed_at": self.at,
            "printed_by": self.supervisor, "entered_at": None, "entered_by": None,
        }  # fmt: skip

    def operator(self, receipt: Mapping[str, Any]) -> int:
        """The hall's service desk; not of what may be about itself."""
        desk = self.known.halls[receipt["hall_code"]].desk_agency_code
        matter = self.known.matters.get(receipt["matter_code"])
        of_a_matter = (matter.agency_code, *matter.co_agency_codes) if matter else ()
        if desk in (receipt["agency_code"], *of_a_matter) or (matter and not matter.agency_code):
            return self.supervisor
        return self.people.owner(desk)
