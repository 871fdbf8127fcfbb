"""随机抽取回访 in the invented city: what was drawn of each day, who was asked, and what he said."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from server.catalogue.models import Policy
from server.catalogue.service import catalogue
from server.demo import phrases, plots
from server.demo.city import REGIONS
from server.demo.days import DAYS, Month
from server.demo.dice import id_at
from server.demo.life import Life, People, Row
from server.demo.lives import Fate
from server.demo.opinions import Opinion
from server.kit.clock import BEIJING
from server.kit.query_codes import CROCKFORD
from server.reviews.callbacks import SAMPLE
from server.reviews.rules import ReviewChannel, ReviewState, is_bad
from server.reviews.sampling import FROM_HOUR, bounds, share
from server.reviews.snapshot import Given, Verdict, snapshot_of
from server.workorders.opening import working

_DRAWN = timedelta(seconds=2)
_ANSWERED = 0.5
_REPLIED = timedelta(minutes=25)
_UNHAPPY = 2
"""The first of those who were asked so many days ago or more says no."""


@dataclass(frozen=True)
class Asked:
    """A rater who was drawn; by SMS, since nobody in the demo's past was signed in."""

    opinion: Opinion
    call_back: Row
    at: datetime
    """When the phone was asked, or will be."""
    reply: str = ""
    replied_at: datetime | None = None


@dataclass
class Sampled:
    samples: list[Row] = field(default_factory=list)
    call_backs: list[Row] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    """The orders that a "no" opened."""


def sampled(
    rng: Random, month: Month, said: Sequence[Opinion], issued: Mapping[int, Row], people: People
) -> Sampled:
    found = Sampled()
    last = (month.now - timedelta(hours=FROM_HOUR)).date()
    for back in range(DAYS, 0, -1):
        for region in REGIONS:
            _draw(rng, month, found, region, last - timedelta(days=back), said, issued)
    _answers(rng, month, found, issued, people)
    return found


def _draw(
    rng: Random, month: Month, found: Sampled, region: str, day: date, said: Iterable[Opinion],
    issued: Mapping[int, Row],
) -> None:  # fmt: skip
    start, end = bounds(day)
    frame = [
        o for o in said
        if start <= o.at < end and not is_bad(o.level) and o.state is ReviewState.STANDING
        and o.channel is ReviewChannel.SMS and issued[o.visit.number]["region_code"] == region
    ]  # fmt: skip
    seed, permille = f"{rng.getrandbits(256):064x}", catalogue().policy(region).sample_permille
    before = [s for s in found.samples if s["region_code"] == region]
    count = share(
        len(frame), permille, sum(s["population"] * s["permille"] for s in before),
        sum(s["drawn"] for s in before),
    )  # fmt: skip
    at = end + timedelta(hours=FROM_HOUR) + _DRAWN
    number = len(found.samples) + 1
    found.samples.append({
        "id": number, "region_code": region, "day": day, "seed": seed, "permille": permille,
        "population": len(frame), "drawn": count, "drawn_at": at,
    })  # fmt: skip
    ranked = sorted(frame, key=lambda o: hashlib.sha256(bytes.fromhex(seed) + o.id.bytes).digest())
    for opinion in ranked[:count]:
        _ask(rng, found, opinion, issued[opinion.visit.number], number, at)


def _ask(
    rng: Random, found: Sampled, opinion: Opinion, receipt: Row, sample: int, at: datetime
) -> None:
    policy = catalogue().policy(receipt["region_code"])
    call_back = {
        "id": id_at(rng, at), "region_code": receipt["region_code"],
        "agency_code": receipt["agency_code"], "review_id": opinion.id, "sample_id": sample,
        "order_number": None, "kind": SAMPLE, "state": "asked", "channel": None, "made_at": at,
        "due_at": working(at, policy.callback_days).at, "done_at": None, "satisfied": None,
        "words": "", "staff_id": None,
    }  # fmt: skip
    found.call_backs.append(call_back)
    asked_at = at.replace(hour=policy.hour_from) + timedelta(seconds=rng.randrange(1, 90))
    found.asked.append(Asked(opinion, call_back, asked_at))


def _answers(
    rng: Random, month: Month, found: Sampled, issued: Mapping[int, Row], people: People
) -> None:
    """Half of them say something; one of them that he was not satisfied at all."""
    unhappy = False
    for place, asked in enumerate(found.asked):
        at, luck = asked.at + _REPLIED, rng.random()
        days = (month.now - at).days
        if days >= 1 and not unhappy and days <= _UNHAPPY + 6:
            unhappy = True
            found.asked[place] = replace(
                asked, reply=f"不满意 {phrases.RECALLED_NO}", replied_at=at
            )
            _done(asked.call_back, at, False, phrases.RECALLED_NO)
            found.lives.append(_order(rng, month, asked, issued, people, at))
        elif days >= 1 and luck < _ANSWERED:
            found.asked[place] = replace(asked, reply="满意", replied_at=at)
            _done(asked.call_back, at, True, "")
        elif asked.call_back["due_at"] < month.now:
            ended = asked.call_back["due_at"] + _DRAWN
            asked.call_back.update(state="unreachable", done_at=ended)


def _done(call_back: Row, at: datetime, satisfied: bool, words: str) -> None:
    call_back |= {
        "state": "done", "channel": ReviewChannel.SMS, "done_at": at, "satisfied": satisfied,
        "words": words,
    }  # fmt: skip


def _order(
    rng: Random, month: Month, asked: Asked, issued: Mapping[int, Row], people: People, at: datetime
) -> Life:
    """The review stays as it is; a person verifies what was behind it."""
    opinion, receipt = asked.opinion, issued[asked.opinion.visit.number]
    policy = catalogue().policy(receipt["region_code"])
    row = _row(opinion, receipt, policy, at)
    row["number"] = f"{at.year}{''.join(rng.choices(CROCKFORD, k=10))}"
    asked.call_back["order_number"] = row["number"]
    life = Life(opinion, at, row)
    fate = Fate(rng, month, policy, people)
    fate.open(life)
    fate.follow(rng, life, (plots.ACCEPT,))
    return life


def _row(opinion: Opinion, receipt: Row, policy: Policy, at: datetime) -> Row:
    given = Given(
        id=opinion.id, query_code="", receipt=receipt, contact=None, channel=opinion.channel,
        verdict=Verdict(level=opinion.level, tags=opinion.tags, comment=phrases.RECALLED_NO),
        policy=policy, at=opinion.at, undo_until=at,
    )  # fmt: skip
    contact, answer = working(at, policy.contact_days), working(at, policy.callback_days)
    return asdict(snapshot_of(given, SAMPLE)) | {
        "opened_on": at.astimezone(BEIJING).date(), "contact_due_at": contact.at,
        "due_at": answer.at, "provisional": contact.provisional or answer.provisional,
        "answer_days": policy.callback_days,
    }  # fmt: skip
