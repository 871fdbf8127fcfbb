"""Finds what new ratings belong to, and asks each rule about it. In the caller's transaction."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from server.catalogue.service import catalogue
from server.integrity import patterns, traces
from server.integrity.patterns import Finding, Limits, Seen
from server.integrity.rules import Rule


def longest(threshold: str) -> int:
    """Of every region's policy: what is fetched must be enough for each of them."""
    policies = [catalogue().policy(""), *catalogue().policies.values()]
    return max(getattr(policy, threshold) for policy in policies)


def limits_of(seen: Seen) -> Limits:
    return Limits.of(catalogue().policy(seen.region_code))


class Round:
    """What is new."""

    def __init__(self, seen: Sequence[Seen], undone: Sequence[int], since: datetime) -> None:
        self.seen, self.since = seen, since
        self.reviews: list[UUID] = [one.review_id for one in seen]
        self.receipts: list[int] = [*(one.receipt_id for one in seen), *undone]
        self.first = min((one.at for one in seen), default=since)

    @property
    def back(self) -> datetime:
        """From when on groups are fetched."""
        return self.first - timedelta(days=longest("same_days"))

    def spans(
        self, seen: Iterable[Seen], before: timedelta, after: timedelta = timedelta(0)
    ) -> list[traces.Span]:
        """Of each window where these are."""
        moments: dict[tuple[str, str], list[datetime]] = {}
        for one in seen:
            if one.window_code is not None:
                moments.setdefault((one.agency_code, one.window_code), []).append(one.at)
        return [(*where, min(at) - before, max(at) + after) for where, at in moments.items()]


async def findings(new: Round) -> list[Finding]:
    found: list[Finding] = []
    for finder in FINDERS:
        found += await finder(new)
    return found


async def _quick(new: Round) -> list[Finding]:
    return [f for one in new.seen if not one.undone for f in patterns.quick(one, limits_of(one))]


async def _hasty(new: Round) -> list[Finding]:
    found = [one for one in new.seen if one.window_code and patterns.is_hasty(one, limits_of(one))]
    most, below = timedelta(days=longest("same_days")), 2 * longest("quick_seconds")
    flagged: list[Finding] = []
    for span in new.spans(found, most):
        for group in (await traces.at_windows([span], f"t.seconds < {below}")).values():
            limits = limits_of(group[0])
            if patterns.hasty(group, 0, limits):
                flagged += patterns.hasty(group, await traces.slips(span), limits)
    return flagged


async def _shared(new: Round) -> list[Finding]:
    if not new.seen:
        return []
    groups = {
        Rule.SAME_DEVICE: await traces.sharing("device_key", new.reviews, new.back),
        Rule.SAME_PHONE: await traces.sharing("phone_key", new.reviews, new.back),
        Rule.SAME_PERSON: await traces.by_persons(new.reviews, new.back),
    }
    return [
        finding
        for rule, of in groups.items()
        for group in of.values()
        for finding in patterns.shared(rule, group, limits_of(group[0]))
    ]


async def _insiders(new: Round) -> list[Finding]:
    """Also of ratings that were there before the list was."""
    groups = await traces.by_insiders(new.reviews, new.since)
    return [f for group in groups.values() for f in patterns.insider(group, limits_of(group[0]))]


async def _bursts(new: Round) -> list[Finding]:
    most = timedelta(minutes=longest("burst_minutes"))
    windows = await traces.at_windows(new.spans(new.seen, most, most))
    return [f for group in windows.values() for f in patterns.burst(group, limits_of(group[0]))]


async def _same_words(new: Round) -> list[Finding]:
    worded = [one for one in new.seen if one.words and one.window_code and not one.undone]
    most = timedelta(days=longest("same_days"))
    windows = await traces.at_windows(new.spans(worded, most), "t.words <> ''")
    found: list[Finding] = []
    for (window, agency), group in windows.items():
        said = {
            one.words: one
            for one in worded
            if (one.window_code, one.agency_code) == (window, agency)
        }
        for words, one in said.items():
            found += await _repeated(words, one, group)
    return found


async def _repeated(words: str, one: Seen, window: Sequence[Seen]) -> list[Finding]:
    limits = limits_of(one)
    same = patterns.repeated(words, window, limits)
    if not same:
        return []
    variants = {other.words for other in same}
    elsewhere = await traces.uses(variants, one, same[0].at - limits.span)
    return patterns.same_words(same, elsewhere, limits)


async def _undone(new: Round) -> list[Finding]:
    windows = await traces.taken_back(new.receipts, new.back) if new.receipts else []
    return [
        f for better, bad in windows for f in patterns.undone(better, bad, limits_of(better[0]))
    ]


async def _voided(new: Round) -> list[Finding]:
    found = await traces.voided(new.receipts, new.since)
    return [f for bad, asked_at in found for f in patterns.voided(bad, asked_at, limits_of(bad))]


async def _reissued(new: Round) -> list[Finding]:
    if not new.seen:
        return []
    pairs = await traces.reissued(new.reviews, timedelta(hours=longest("reissued_hours")))
    return [f for bad, later in pairs for f in patterns.reissued(bad, later, limits_of(later))]


FINDERS: tuple[Callable[[Round], Awaitable[list[Finding]]], ...] = (
    _quick, _hasty, _shared, _insiders, _bursts, _same_words, _undone, _voided, _reissued,
)  # fmt: skip
