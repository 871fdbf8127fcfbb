"""What two thousand of them said, and over which channel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from server.catalogue.models import Tag
from server.demo.city import BUREAUS, LINXI, slow_matters, table
from server.demo.days import Month, at_home, lately
from server.demo.dice import id_at, one
from server.demo.visits import COUNT, Visit
from server.receipts.rules import Channel, open_until
from server.reviews.rules import ReviewChannel, ReviewState, is_bad

REVIEWS = 2000
UNDONE, AGAIN = 40, 25
"""Taken back; rated anew afterwards."""
LATE = 3
"""In the place of a default rating."""
AWAITING = ((9, 1), (5, 2), (2, 1))
"""Bad by SMS and still without a reason: so many hours ago, this level."""
_C = ReviewChannel
_LEVELS: dict[int, float] = {5: 57, 4: 26, 3: 8, 2: 5.6, 1: 3.4}
_LEVELS_WHERE_IT_IS_SLOW: dict[int, float] = {5: 30, 4: 24, 3: 16, 2: 17, 1: 13}
_CHANNELS = {
    Channel.WINDOW: {_C.RECEIPT_QR: 55, _C.KIOSK: 20, _C.MINI_PROGRAM: 12, _C.SMS: 8, _C.PAPER: 5},
    Channel.ONLINE: {_C.WEB: 75, _C.SMS: 15, _C.MINI_PROGRAM: 10},
    Channel.MOBILE: {_C.MINI_PROGRAM: 60, _C.WEB: 25, _C.SMS: 15},
    Channel.SELF_SERVICE: {_C.RECEIPT_QR: 80, _C.SMS: 20},
    Channel.HOTLINE: {_C.PHONE: 60, _C.SMS: 40},
}
_MINUTES = {
    _C.KIOSK: (1, 4),
    _C.PAPER: (5, 30),
    _C.RECEIPT_QR: (2, 300),
    _C.WEB: (1, 120),
    _C.SMS: (3, 1200),
}
_MINUTES_LATER = (40, 6 * 1440)
_COMMENTED = {5: 0.25, 4: 0.3, 3: 0.4, 2: 0.75, 1: 0.85}
_TAGGED = (0, 1, 1, 1, 2, 2, 3)
_REAL_NAME = 0.15
MARGIN = timedelta(minutes=15)
"""So that every undo time is over."""


@dataclass(frozen=True)
class Opinion:
    id: UUID
    visit: Visit
    level: int
    tags: list[str]
    comment: str
    channel: ReviewChannel
    real_name: bool
    at: datetime
    latest: datetime
    """By which it had to be said: the receipt's end, or now."""
    state: ReviewState = ReviewState.STANDING
    undone_at: datetime | None = None


def opinions(
    rng: Random, month: Month, visits: Sequence[Visit], tags: Sequence[Tag], review_days: int
) -> list[Opinion]:
    """In the order of time."""
    chosen = sorted(rng.sample(range(COUNT), REVIEWS - AGAIN - LATE))
    early = [place for place in chosen if place < COUNT * 0.9]
    undone = set(rng.sample(early, UNDONE))
    again = set(rng.sample(sorted(undone), AGAIN))
    pen = _Pen(rng, month, tags, review_days)
    found: list[Opinion] = []
    for place in chosen:
        first = pen.opinion(visits[place])
        if place in undone:
            gone = first.at + timedelta(seconds=rng.randrange(40, 540))
            first = replace(first, state=ReviewState.UNDONE, undone_at=gone)
            if place in again:
                later = timedelta(seconds=rng.randrange(30, 200))
                found.append(replace(pen.opinion(visits[place]), at=gone + later))
        found.append(first)
    taken = set(chosen)
    found += _late(rng, pen, [visit for place, visit in enumerate(visits) if place not in taken])
    found = list(_without_reasons(found, month.now))
    return sorted(found, key=lambda opinion: (opinion.at, opinion.visit.number))


def _late(rng: Random, pen: "_Pen", unrated: Sequence[Visit]) -> Iterator[Opinion]:
    """Some days after the end, where the system had already rated by default."""
    ours = {bureau.code for bureau in BUREAUS if bureau.region == LINXI}
    early = [v for v in unrated if v.agency_code in ours and v.number < COUNT * 0.4]
    for visit in sorted(rng.sample(early, LATE), key=lambda visit: visit.number):
        until = open_until(visit.form.handled_at, pen.review_days)
        at = at_home(until, timedelta(hours=rng.uniform(10, 70)))
        yield replace(pen.opinion(visit), at=at, latest=at, channel=_C.WEB)


def _without_reasons(found: list[Opinion], now: datetime) -> Iterator[Opinion]:
    """The last ones by SMS have not yet said why, and still have the time to."""
    last = sorted(
        (o for o in found if o.channel is _C.SMS and o.state is ReviewState.STANDING),
        key=lambda opinion: opinion.visit.number,
    )[-len(AWAITING) :]
    silent = {o.id: awaiting for o, awaiting in zip(last, AWAITING, strict=True)}
    for opinion in found:
        if opinion.id not in silent:
            yield opinion
            continue
        hours, level = silent[opinion.id]
        at = max(lately(now, hours), opinion.visit.issued_at + timedelta(minutes=4))
        yield replace(
            opinion, level=level, tags=[], comment="", state=ReviewState.AWAITING_REASON,
            at=min(at, opinion.latest),
        )  # fmt: skip


class _Pen:
    def __init__(self, rng: Random, month: Month, tags: Sequence[Tag], review_days: int) -> None:
        self.rng, self.month, self.review_days = rng, month, review_days
        self.slow = slow_matters()
        self.tags = {
            level: [t.code for t in tags if t.level == level and t.primary] * 2
            + [t.code for t in tags if t.level == level and not t.primary]
            for level in _LEVELS
        }
        rows = table("comments")
        self.words = {n: [r["text"] for r in rows if r["level"] == str(n)] for n in _LEVELS}

    def opinion(self, visit: Visit) -> Opinion:
        rng, phone = self.rng, visit.form.applicant and visit.form.applicant.phone
        levels = _LEVELS_WHERE_IT_IS_SLOW if visit.form.matter_code in self.slow else _LEVELS
        level = one(rng, levels)
        channels = dict(_CHANNELS[Channel(visit.form.channel)])
        if not phone:
            channels.pop(_C.SMS, None)
        channel = one(rng, channels)
        commented, word = rng.random() < _COMMENTED[level], rng.choice(self.words[level])
        count, named = rng.choice(_TAGGED), rng.random() < _REAL_NAME
        tags = list(dict.fromkeys(rng.sample(self.tags[level], count or 1)))
        if not count and not (is_bad(level) and not commented):
            tags = []
        if channel is _C.SMS and not is_bad(level):
            tags = []  # a phone is asked for reasons after a bad review only
        latest = min(self.month.now - MARGIN, open_until(visit.form.handled_at, self.review_days))
        at = self._moment(visit, latest, *_MINUTES.get(channel, _MINUTES_LATER))
        return Opinion(
            id=id_at(rng, at), visit=visit, level=level, tags=tags, channel=channel, at=at,
            latest=latest,
            comment=word if commented else "",
            real_name=bool(named and phone and channel is not _C.SMS),
        )  # fmt: skip

    def _moment(self, visit: Visit, latest: datetime, low: int, high: int) -> datetime:
        """After the receipt, before it closes, and not just now."""
        later, share = timedelta(seconds=60 * self.rng.uniform(low, high)), self.rng.random()
        at = at_home(visit.issued_at, later)
        if at > latest:
            at = visit.issued_at + 0.9 * share * (latest - visit.issued_at)
        return max(at, visit.issued_at)
