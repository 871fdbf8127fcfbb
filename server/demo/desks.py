"""What hangs on the orders of the invented city: parts, rungs, alerts, records, flags, call-backs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from server.catalogue.service import Catalogue
from server.demo import phrases
from server.demo.days import Month
from server.demo.dice import id_at
from server.demo.life import Life, People, Row
from server.demo.samples import Sampled
from server.people.rules import Role
from server.reviews.rules import is_bad
from server.workorders.accountability import Why
from server.workorders.opening import working
from server.workorders.rules import Move

_SETTLED = timedelta(days=6)
"""After so long a supervisor has written down what followed, and what he thinks of a flag."""
_OPEN = 4
"""Records of which nothing has followed yet, however long ago."""


def around(
    lives: Iterable[Life], known: Catalogue, month: Month, people: People, drawn: Sampled
) -> dict[str, list[Row]]:
    """In the order in which they can be written; gives the steps their ids."""
    all_lives = list(lives)
    (supervisor,) = people.all_of(Role.SUPERVISOR)
    steps = _in_order(all_lives)
    for number, step in enumerate(steps, start=1):
        step["id"] = number
    return {
        "work_order_steps": steps,
        "order_parts": [part for life in all_lives for part in life.parts],
        "escalations": _by_time(row for life in all_lives for row in life.escalations),
        "alerts": _by_time(row for life in all_lives for row in life.alerts),
        "accountability": _followed(
            [*(row for life in all_lives for row in life.accountability),
             *_officers(all_lives, known, month)],
            month.now, supervisor,
        ),
        "flags": list(_flags(all_lives, month.now, supervisor)),
        "opinions": _by_time(row for life in all_lives for row in life.verdicts),
        "samples": drawn.samples,
        "call_backs": [*(life.call_back for life in all_lives if life.call_back), *drawn.call_backs],
    }  # fmt: skip


def _in_order(lives: Iterable[Life]) -> list[Row]:
    """As they were written: an order is opened before its clock starts."""
    told = (
        (life.opened_at if step["move"] == Move.OPEN else step["at"], step)
        for life in lives for step in life.steps
    )  # fmt: skip
    return [step for _, step in sorted(told, key=lambda one: one[0])]


def _by_time(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["at"])


def _followed(rows: list[Row], now: datetime, supervisor: int) -> list[Row]:
    listed = _by_time(rows)
    for row in listed[:-_OPEN]:
        at: datetime = row["at"] + timedelta(days=2)
        if row["at"] < now - _SETTLED:
            row |= {
                "followed": phrases.FOLLOWED, "followed_at": at, "followed_by_id": supervisor,
            }  # fmt: skip
    return listed


def _flags(lives: Iterable[Life], now: datetime, supervisor: int) -> Iterator[Row]:
    for life in lives:
        for step, flag in life.flagged:
            ruled = flag["at"] < now - _SETTLED
            ruling = {
                "upheld": True, "ruled_by_id": supervisor, "ruled_at": flag["at"] + timedelta(days=1),
            }  # fmt: skip
            yield {"step_id": step["id"]} | flag | (ruling if ruled else {})


def call_back(rng: Random, life: Life, days: int) -> Row | None:
    """百分百回访: made with the order of whoever gave his name."""
    if not life.row["real_name"]:
        return None
    at = life.row["visible_from"]
    return {
        "id": id_at(rng, at), "region_code": life.row["region_code"],
        "agency_code": life.row["agency_code"], "review_id": life.opinion.id, "sample_id": None,
        "order_number": life.number, "kind": "real_name", "state": "waiting", "channel": None,
        "made_at": at, "due_at": working(at, days).at, "done_at": None,
        "satisfied": None, "words": "", "staff_id": None,
    }  # fmt: skip


def _officers(lives: Iterable[Life], known: Catalogue, month: Month) -> Iterator[Row]:
    """G15: who was rated badly again and again."""
    times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for life in lives:
        visit, bad = life.opinion.visit, is_bad(life.opinion.level)
        if bad and life.counts and visit.form.officer_number:
            times[visit.agency_code, visit.form.officer_number].append(life.row["visible_from"])
    for (agency_code, officer), bad_at in sorted(times.items()):
        region_code = known.agencies[agency_code].region_code
        policy = known.policy(region_code)
        for ordinal, (at, many) in enumerate(
            _too_often(sorted(bad_at), policy.repeat_bad), start=1
        ):
            if at < month.now:
                words = f"{policy.repeat_days} 天内有 {many} 件差评（{policy.repeat_bad} 件起列入）"
                yield {
                    "region_code": region_code, "agency_code": agency_code, "order_number": None,
                    "staff_id": None, "officer_number": officer, "ordinal": ordinal,
                    "why": str(Why.REPEATED), "words": words, "at": at, "by_id": None,
                    "followed": None, "followed_at": None, "followed_by_id": None,
                }  # fmt: skip


def _too_often(bad_at: list[datetime], most: int) -> Iterator[tuple[datetime, int]]:
    """When it is counted, once an hour, that it was once too often since it was counted last."""
    since: list[datetime] = []
    for at in bad_at:
        since.append(at)
        if most and len(since) >= most:
            counted = at.replace(minute=37, second=1, microsecond=0)
            counted += timedelta(hours=counted <= at)
            many = sum(one <= counted for one in bad_at) - sum(one < since[0] for one in bad_at)
            yield counted, many
            since = [one for one in since if one > counted]
