"""Those who took no slip along, and scanned the code on the wall or filled in a paper form."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from server.catalogue.service import Catalogue
from server.demo.opinions import Opinion
from server.demo.visits import Visit
from server.kit.privacy import vault
from server.receipts.rules import WALL, Channel
from server.reviews.rules import ReviewChannel, ReviewState

Row = dict[str, Any]
_ONE_OF = 4
_PRINTED = frozenset({ReviewChannel.RECEIPT_QR, ReviewChannel.PAPER})


def without_slips(said: Iterable[Opinion], came: Iterable[Visit]) -> list[Opinion]:
    """In the order of time. Some who came to a window once and left no phone; chosen by their number,
    so that it does not depend on the day."""
    said = list(said)
    cases = Counter(visit.form.case_number for visit in came)
    times = Counter(opinion.visit.number for opinion in said)
    turned = [
        _turned(o, _fits(o) and cases[o.visit.form.case_number] == times[o.visit.number] == 1)
        for o in said
    ]
    return sorted(turned, key=lambda opinion: (opinion.at, opinion.visit.number))


def _turned(opinion: Opinion, fits: bool) -> Opinion:
    """A paper form is never about a slip: whoever has one rates with it."""
    if opinion.channel is ReviewChannel.PAPER:
        return opinion if fits else replace(opinion, channel=ReviewChannel.RECEIPT_QR)
    if fits and opinion.visit.number % _ONE_OF == 0:
        at = opinion.visit.form.handled_at
        return replace(opinion, channel=ReviewChannel.STATIC_QR, at=at)
    return opinion


def _fits(opinion: Opinion) -> bool:
    form = opinion.visit.form
    return (
        form.channel is Channel.WINDOW
        and not (form.applicant and form.applicant.phone) and not opinion.real_name
        and opinion.channel in _PRINTED and opinion.state is ReviewState.STANDING
    )  # fmt: skip


def visit_row(receipt: Row, known: Catalogue) -> Row:
    """The same hour at the same window, of which nobody issued a receipt. A third scanned the hall's own
    code; every second does not say what it was about."""
    number, window_code = receipt["id"], receipt["window_code"]
    hall = known.halls[known.windows[receipt["agency_code"], window_code].hall_code]
    of_hall, says_matter = number % 3 == 0, number % 8 == 0
    matter = known.matters[receipt["matter_code"]] if says_matter else None
    leading = (matter.agency_code if matter else None) or hall.desk_agency_code
    agency_code = leading if of_hall else receipt["agency_code"]
    key = vault().fingerprint(f"demo {number}", "idempotency")
    return receipt | _nobody(receipt) | {
        "agency_code": agency_code, "region_code": known.agencies[agency_code].region_code,
        "hall_code": hall.code, "window_code": None if of_hall else window_code,
        "matter_code": matter.code if matter else "", "case_number": key,
        "digest": vault().fingerprint(key, "receipt"),
    }  # fmt: skip


def _nobody(receipt: Mapping[str, Any]) -> Row:
    """What only a window's system would know."""
    return {
        "channel": WALL, "service_number": 1, "officer_number": None, "stage": None, "applicant": None,
        "phone_key": None, "issued_at": receipt["handled_at"],
    }  # fmt: skip
