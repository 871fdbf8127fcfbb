"""The patterns of gaming (pure): each rule of rules.py as a comparison of ratings.

A rule that counts a group flags all of it once it is large enough, also those that came first. A
threshold of 0 puts its rule to rest. Evidence holds counts, seconds and thresholds, never a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from server.integrity.phrases import alike
from server.integrity.rules import Rule
from server.reviews.rules import ReviewChannel, is_bad

VISIT, VISIT_RECEIPTS = timedelta(hours=1), 10
"""Who settles several things in one visit, for his family or for his clients, is one visitor once."""
_HANDED_IN = frozenset({ReviewChannel.PAPER, ReviewChannel.PHONE, ReviewChannel.SYSTEM})
"""Keyed in by others, when they had the time: no moment and no device is the citizen's own."""
_SOONER = {ReviewChannel.KIOSK: 4, ReviewChannel.WEB: 2}
"""The tablet lies under the hand, the platform's page is on the screen already: a part of the seconds
that a slip takes which has to be printed, unfolded and scanned."""
SLIPS = frozenset({ReviewChannel.RECEIPT_QR, ReviewChannel.MINI_PROGRAM})
"""Scanned by the citizen's own phone."""
_DAY = timedelta(days=1)
_HASTY = 0.1
"""Of the slips rated at a window so many are not rated at once."""
_PRESSED = 0.2
"""Of the bad ratings so many are not taken back for better ones by themselves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One rating as the rules see it."""

    review_id: UUID
    receipt_id: int
    region_code: str
    agency_code: str
    window_code: str | None
    channel: str
    level: int
    at: datetime
    seconds: int | None
    undone: bool
    words: str

    @property
    def issued_at(self) -> datetime:
        """A visit without a slip began when it was rated."""
        return self.at - timedelta(seconds=self.seconds or 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Of the region's policy."""

    quick_seconds: int
    quick_many: int
    same_device: int
    same_phone: int
    same_person: int
    same_days: int
    insider: int
    burst_count: int
    burst_minutes: int
    same_words: int
    undone_bad: int
    voided_days: int
    reissued_hours: int

    @classmethod
    def of(cls, policy: Any) -> Self:
        return cls(**{field.name: getattr(policy, field.name) for field in fields(cls)})

    @property
    def span(self) -> timedelta:
        return timedelta(days=self.same_days)

    @property
    def burst(self) -> timedelta:
        return timedelta(minutes=self.burst_minutes)


@dataclass(frozen=True)
class Finding:
    rule: Rule
    seen: Seen
    evidence: Mapping[str, int]


def _all(rule: Rule, group: Iterable[Seen], **evidence: int) -> list[Finding]:
    return [Finding(rule, seen, evidence) for seen in group]


def crowded(times: Sequence[datetime], span: timedelta, least: int) -> set[int]:
    """Of moments in order, the places of all that lie with `least` others or more within a span."""
    found: set[int] = set()
    first = 0
    for last, moment in enumerate(times):
        while moment - times[first] > span:
            first += 1
        if last - first + 1 >= least:
            found.update(range(first, last + 1))
    return found


def quick(seen: Seen, limits: Limits) -> list[Finding]:
    """Rated before anybody can have read what he rates."""
    if seen.channel in _HANDED_IN or seen.seconds is None or not limits.quick_seconds:
        return []
    least = max(1, limits.quick_seconds // _SOONER.get(ReviewChannel(seen.channel), 1))
    if seen.seconds >= least:
        return []
    return _all(Rule.QUICK, [seen], seconds=seen.seconds, threshold=least)


def is_hasty(seen: Seen, limits: Limits) -> bool:
    """Of a slip: sooner than most, though somebody may have had his phone in his hand."""
    if seen.channel not in SLIPS or seen.seconds is None or seen.undone:
        return False
    return seen.seconds < 2 * limits.quick_seconds


def hasty(window: Iterable[Seen], slips: int, limits: Limits) -> list[Finding]:
    """At one window it is the habit, not the one who was quick. `slips`: all that were rated there."""
    quickly = sorted((s for s in window if is_hasty(s, limits)), key=lambda seen: seen.at)
    least = limits.quick_many
    places = crowded([s.at for s in quickly], limits.span, least) if least else set()
    if not places or len(places) < _HASTY * slips:
        return []
    return _all(
        Rule.QUICK, [quickly[place] for place in sorted(places)], ratings=len(places),
        of=slips, seconds=2 * limits.quick_seconds, days=limits.same_days, threshold=least,
    )  # fmt: skip


def visits(group: Iterable[Seen]) -> list[list[Seen]]:
    """Ratings by the visit in which their receipts were issued."""
    found: list[list[Seen]] = []
    for seen in sorted(group, key=lambda seen: seen.issued_at):
        last = found[-1] if found else []
        if last and seen.issued_at - last[0].issued_at < VISIT and len(last) < VISIT_RECEIPTS:
            last.append(seen)
        else:
            found.append([seen])
    return found


def shared(rule: Rule, group: Iterable[Seen], limits: Limits) -> list[Finding]:
    """One device, phone or person over many visits to one agency: in all, or half as many in a day. At
    the window's tablet and on paper everybody has the same device, and the phone is the receipt's."""
    least = {
        Rule.SAME_DEVICE: limits.same_device, Rule.SAME_PHONE: limits.same_phone,
        Rule.SAME_PERSON: limits.same_person,
    }[rule]  # fmt: skip
    left_out = _HANDED_IN | {ReviewChannel.KIOSK}
    own = [seen for seen in group if seen.channel not in left_out and not seen.undone]
    if not least:
        return []
    found = visits(own)
    begun = [visit[0].issued_at for visit in found]
    many = crowded(begun, limits.span, least) | crowded(begun, _DAY, max(2, (least + 1) // 2))
    flagged = [seen for place in sorted(many) for seen in found[place]]
    return _all(
        rule, flagged, receipts=len(flagged), visits=len(many), days=limits.same_days,
        threshold=least,
    )  # fmt: skip


def insider(group: Sequence[Seen], limits: Limits) -> list[Finding]:
    """Ratings of his own agency by one phone or WeChat of its staff."""
    own = [seen for seen in group if not seen.undone]
    if not limits.insider or len(own) < limits.insider:
        return []
    return _all(Rule.INSIDER, own, ratings=len(own), threshold=limits.insider)


def burst(window: Iterable[Seen], limits: Limits) -> list[Finding]:
    """More at once than a window can have served: ratings of slips that were issued long before, or so
    many that no counter is that fast. What people answer by SMS comes when the messages went out."""
    if not limits.burst_count:
        return []
    left_out = _HANDED_IN | {ReviewChannel.SMS}
    own = [seen for seen in window if seen.channel not in left_out and not seen.undone]
    own.sort(key=lambda seen: seen.at)
    late = [s for s in own if s.seconds is None or timedelta(seconds=s.seconds) >= limits.burst]
    found: dict[UUID, Seen] = {}
    for group, least in ((late, limits.burst_count), (own, 2 * limits.burst_count)):
        places = crowded([seen.at for seen in group], limits.burst, least)
        found |= {group[place].review_id: group[place] for place in places}
    return _all(
        Rule.BURST, found.values(), ratings=len(found), minutes=limits.burst_minutes,
        threshold=limits.burst_count,
    )  # fmt: skip


def repeated(said: str, window: Iterable[Seen], limits: Limits) -> list[Seen]:
    """Of one window the ratings with this sentence or a variant of it, if they are many enough."""
    same = [seen for seen in window if not seen.undone and seen.words and alike(said, seen.words)]
    same.sort(key=lambda seen: seen.at)
    least = limits.same_words
    places = crowded([seen.at for seen in same], limits.span, least) if least else set()
    return [same[place] for place in sorted(places)]


def same_words(same: Sequence[Seen], elsewhere: int, limits: Limits) -> list[Finding]:
    """A sentence that is at home at this window: what is written as often at other agencies is a
    phrase. `same` as `repeated` gives it."""
    if not same or elsewhere >= len(same):
        return []
    return _all(
        Rule.SAME_WORDS, same, ratings=len(same), elsewhere=elsewhere, days=limits.same_days,
        threshold=limits.same_words,
    )  # fmt: skip


def undone(better: Sequence[Seen], bad: int, limits: Limits) -> list[Finding]:
    """At one window bad ratings are taken back for better ones: again and again, and not only as often
    as a finger slips. `better`: those that followed; `bad`: all bad ones, also those taken back."""
    least = limits.undone_bad
    places = crowded([seen.at for seen in better], limits.span, least) if least else set()
    if not places or len(places) < _PRESSED * bad:
        return []
    return _all(
        Rule.UNDONE, [better[place] for place in sorted(places)], taken_back=len(places), bad=bad,
        days=limits.same_days, threshold=least,
    )  # fmt: skip


def voided(bad: Seen, asked_at: datetime, limits: Limits) -> list[Finding]:
    """Somebody asked for the receipt to be voided after it had been rated badly."""
    after = asked_at - bad.at
    if not is_bad(bad.level) or not timedelta(0) <= after < timedelta(days=limits.voided_days):
        return []
    hours = int(after.total_seconds() // 3600)
    return _all(Rule.VOIDED, [bad], hours=hours, threshold_days=limits.voided_days)


def reissued(bad: Seen, later: Seen, limits: Limits) -> list[Finding]:
    """The same service got another receipt soon after its bad rating, and that was rated better."""
    after = later.issued_at - bad.at
    soon = timedelta(0) <= after < timedelta(hours=limits.reissued_hours)
    if not (soon and is_bad(bad.level) and later.level > bad.level) or later.undone:
        return []
    hours = int(after.total_seconds() // 3600)
    return _all(Rule.REISSUED, [later], hours=hours, threshold_hours=limits.reissued_hours)
