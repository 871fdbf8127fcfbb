# ruff: noqa: E501
"""Each rule at its edges: one less, exactly, and the whole group."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from server.catalogue.models import Policy
from server.integrity import patterns
from server.integrity.patterns import Finding, Limits, Seen
from server.integrity.phrases import alike, plain
from server.integrity.rules import Rule
from server.kit.clock import BEIJING

NOON = datetime(2026, 9, 7, 12, tzinfo=BEIJING)
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
LIMITS = Limits(
    quick_seconds=8, quick_many=5, same_device=6, same_phone=6, same_person=6, same_days=30, insider=1,
    burst_count=4, burst_minutes=10, same_words=3, undone_bad=3, voided_days=30, reissued_hours=24,
)  # fmt: skip
SHARED = [Rule.SAME_DEVICE, Rule.SAME_PHONE, Rule.SAME_PERSON]


def seen(at: datetime = NOON, **changed: object) -> Seen:
    given = Seen(
        review_id=uuid4(), receipt_id=1, region_code="", agency_code="A", window_code="A1",
        channel="receipt_qr", level=5, at=at, seconds=120, undone=False, words="",
    )  # fmt: skip
    return replace(given, **changed)  # type: ignore[arg-type]


def told(findings: list[Finding]) -> set[UUID]:
    return {finding.seen.review_id for finding in findings}


def ids(group: list[Seen]) -> set[UUID]:
    return {one.review_id for one in group}


def test_the_limits_are_the_policys() -> None:
    assert Limits.of(Policy(region_code="", burst_count=77)).burst_count == 77


# quick


@pytest.mark.parametrize(
    ("channel", "seconds", "suspicious"),
    [
        ("receipt_qr", 7, True), ("receipt_qr", 8, False), ("mini_program", 7, True),
        ("web", 3, True), ("web", 4, False), ("kiosk", 1, True), ("kiosk", 2, False),
        ("sms", 0, True), ("receipt_qr", -3, True), ("paper", 0, False), ("phone", 0, False),
        ("static_qr", None, False),
    ],
)  # fmt: skip
def test_nobody_rates_before_he_can_have_read(
    channel: str, seconds: int | None, suspicious: bool
) -> None:
    found = patterns.quick(seen(channel=channel, seconds=seconds), LIMITS)
    assert bool(found) is suspicious


def test_the_evidence_of_haste_is_seconds_and_threshold() -> None:
    (found,) = patterns.quick(seen(channel="kiosk", seconds=1), LIMITS)
    assert found.evidence == {"seconds": 1, "threshold": 2}


def test_a_window_where_slips_are_rated_at_once_has_a_habit() -> None:
    hasty = [seen(NOON + n * DAY, seconds=15) for n in range(5)]
    assert patterns.hasty(hasty[:4], 4, LIMITS) == []
    found = patterns.hasty([*hasty, seen(seconds=90)], 50, LIMITS)
    assert told(found) == ids(hasty)
    assert found[0].evidence == {"ratings": 5, "of": 50, "seconds": 16, "days": 30, "threshold": 5}
    assert patterns.hasty(hasty, 51, LIMITS) == [], "of so many five had it in their hand"
    for changed in ({"seconds": 16}, {"channel": "kiosk"}, {"channel": "web"}, {"undone": True}):
        assert patterns.hasty([replace(one, **changed) for one in hasty], 5, LIMITS) == []  # type: ignore[arg-type]


# the same device, phone, person


def visited(hours: list[float], **changed: object) -> list[Seen]:
    return [seen(NOON + n * HOUR, **changed) for n in hours]


@pytest.mark.parametrize("rule", SHARED)
def test_a_group_is_flagged_as_a_whole_once_it_is_large_enough(rule: Rule) -> None:
    weekly = visited([n * 5 * 24 for n in range(6)])
    assert patterns.shared(rule, weekly[:5], LIMITS) == []

    found = patterns.shared(rule, weekly, LIMITS)

    assert told(found) == ids(weekly), "the first as well as the last"
    assert found[0].evidence == {"receipts": 6, "visits": 6, "days": 30, "threshold": 6}


def test_what_lies_further_apart_than_the_span_is_no_group() -> None:
    slow = visited([n * 6.01 * 24 for n in range(6)])
    assert patterns.shared(Rule.SAME_DEVICE, slow, LIMITS) == []


def test_half_as_many_visits_in_one_day_are_enough() -> None:
    assert patterns.shared(Rule.SAME_DEVICE, visited([0, 2]), LIMITS) == []
    assert len(patterns.shared(Rule.SAME_DEVICE, visited([0, 2, 4]), LIMITS)) == 3
    assert patterns.shared(Rule.SAME_DEVICE, visited([0, 20, 24.5]), LIMITS) == []


def test_an_accountant_with_many_clients_is_one_visitor() -> None:
    """Nine receipts within an hour, every week."""
    clients = visited([week * 7 * 24 + n / 10 for week in range(4) for n in range(9)])
    assert patterns.shared(Rule.SAME_DEVICE, clients, LIMITS) == []


def test_nobody_settles_more_than_ten_things_in_one_visit() -> None:
    pile = visited([n / 100 for n in range(30)])
    assert len(patterns.visits(pile)) == 3
    assert len(patterns.shared(Rule.SAME_DEVICE, pile, LIMITS)) == 30


def test_a_visit_is_when_the_receipts_were_issued_not_when_they_were_rated() -> None:
    all_day = [seen(NOON + 9 * HOUR + n * MINUTE, seconds=3600 * (9 - 2 * n)) for n in range(4)]
    assert len(patterns.shared(Rule.SAME_PERSON, all_day, LIMITS)) == 4


@pytest.mark.parametrize("changed", [{"channel": "kiosk"}, {"channel": "paper"}, {"undone": True}])
def test_the_tablet_paper_and_what_was_taken_back_are_nobodys_device(
    changed: dict[str, object],
) -> None:
    assert patterns.shared(Rule.SAME_DEVICE, visited([0, 2, 4, 6], **changed), LIMITS) == []


# insiders


def test_one_rating_by_an_insider_is_enough_unless_the_policy_says_more() -> None:
    group = [seen(), seen(), seen(undone=True)]
    assert told(patterns.insider(group, LIMITS)) == ids(group[:2])
    assert patterns.insider(group, replace(LIMITS, insider=3)) == []
    assert len(patterns.insider(group, replace(LIMITS, insider=2))) == 2


# bursts


def late(minutes: list[float], **changed: object) -> list[Seen]:
    return [seen(NOON + n * MINUTE, **({"seconds": 3600} | changed)) for n in minutes]


def test_more_late_ratings_than_a_window_gets_by_chance_are_a_burst() -> None:
    assert patterns.burst(late([0, 1, 2]), LIMITS) == []
    assert len(patterns.burst(late([0, 1, 2, 10]), LIMITS)) == 4
    assert patterns.burst(late([0, 1, 2, 10.1]), LIMITS) == []


def test_a_counter_that_is_fast_is_no_burst_until_no_counter_is_that_fast() -> None:
    at_once = late([n / 2 for n in range(7)], seconds=30)
    assert patterns.burst(at_once, LIMITS) == []
    assert len(patterns.burst([*at_once, *late([3.9], seconds=30)], LIMITS)) == 8
    assert len(patterns.burst(late([0, 1, 2, 3], seconds=600), LIMITS)) == 4, (
        "late from ten minutes on"
    )
    assert patterns.burst(late([0, 1, 2, 3], seconds=599), LIMITS) == []


@pytest.mark.parametrize("channel", ["sms", "paper", "phone"])
def test_what_was_asked_for_or_keyed_in_at_once_is_no_burst(channel: str) -> None:
    assert patterns.burst(late([n / 5 for n in range(20)], channel=channel), LIMITS) == []


def test_a_code_on_a_wall_can_have_a_burst() -> None:
    assert len(patterns.burst(late([0, 1, 2, 3], channel="static_qr", seconds=None), LIMITS)) == 4


# the same words

TOLD = "王姐业务熟练，耐心讲解每一个步骤，真正为群众着想"


@pytest.mark.parametrize(
    "written",
    [
        "王姐业务熟练 耐心讲解每一个步骤 真正为群众着想", "王姐业务熟练，耐心讲解每一个步骤，真正为群众着想👍👍",
        "耐心讲解每一个步骤！王姐业务熟练！真正为群众着想", "王姐业务熟练，细心讲解每一个步骤，真正为群众着想。",
        "王姐业务很熟练，耐心讲解每一个步骤，真正为百姓着想", "１王姐业务熟练、耐心讲解每一个步骤，真正为群众着想",
    ],
)  # fmt: skip
def test_a_sentence_is_known_again_whatever_was_changed_about_it(written: str) -> None:
    assert alike(plain(TOLD), plain(written))


@pytest.mark.parametrize(
    "written",
    [
        "窗口的小伙子帮我妈把表格填好了，还领她去复印", "等了十来分钟就叫到号，就是停车不方便",
        "李老师把政策讲得明明白白，群众非常满意",
    ],
)  # fmt: skip
def test_another_sentence_is_another_one(written: str) -> None:
    assert not alike(plain(TOLD), plain(written))


@pytest.mark.parametrize(
    "written",
    ["很好", "服务热情", "👍👍👍", "", "12345678901", "办事很快！！！！！！", "工作人员态度好"],
)
def test_a_short_phrase_is_no_sentence(written: str) -> None:
    assert plain(written) == ""


def worded(*texts: str) -> list[Seen]:
    return [seen(NOON + n * DAY, words=plain(text)) for n, text in enumerate(texts)]


def test_a_sentence_repeated_at_one_window_is_flagged_with_its_variants() -> None:
    group = worded(
        TOLD, "中午也有人值班，电话里说的和现场一样", TOLD + "🌹", TOLD.replace("群众", "百姓")
    )
    said = plain(TOLD)

    assert patterns.repeated(said, group[:3], LIMITS) == []
    same = patterns.repeated(said, group, LIMITS)

    assert ids(same) == ids([group[0], *group[2:]])
    found = patterns.same_words(same, 2, LIMITS)
    assert told(found) == ids(same)
    assert found[0].evidence == {"ratings": 3, "elsewhere": 2, "days": 30, "threshold": 3}


def test_what_others_write_elsewhere_as_often_is_a_phrase() -> None:
    same = patterns.repeated(plain(TOLD), worded(TOLD, TOLD, TOLD), LIMITS)
    assert patterns.same_words(same, 3, LIMITS) == []


# taken back, voided, issued again


def test_bad_ratings_taken_back_again_and_again_at_one_window() -> None:
    better = [seen(NOON + n * DAY) for n in range(3)]
    assert patterns.undone(better[:2], 2, LIMITS) == []
    assert told(patterns.undone(better, 15, LIMITS)) == ids(better)
    assert patterns.undone(better, 16, LIMITS) == [], "of so many bad ones three slips are nothing"
    spread = [seen(NOON + n * 16 * DAY) for n in range(3)]
    assert patterns.undone(spread, 3, LIMITS) == []


def test_a_receipt_voided_after_its_bad_rating() -> None:
    bad = seen(level=2)
    (found,) = patterns.voided(bad, NOON + 50 * HOUR, LIMITS)
    assert found.evidence == {"hours": 50, "threshold_days": 30}
    assert patterns.voided(bad, NOON - MINUTE, LIMITS) == [], "asked for before anybody rated"
    assert patterns.voided(bad, NOON + 30 * DAY, LIMITS) == []
    assert patterns.voided(seen(level=3), NOON + HOUR, LIMITS) == []


def test_the_better_rating_of_a_receipt_issued_again_is_flagged_not_the_bad_one() -> None:
    bad, later = seen(level=1), seen(NOON + 3 * HOUR, seconds=600)
    (found,) = patterns.reissued(bad, later, LIMITS)
    assert found.seen is later and found.evidence == {"hours": 2, "threshold_hours": 24}
    assert patterns.reissued(bad, seen(NOON + 5 * MINUTE, seconds=600), LIMITS) == [], (
        "issued before"
    )
    assert patterns.reissued(bad, seen(NOON + 24 * HOUR, seconds=0), LIMITS) == []
    assert patterns.reissued(bad, replace(later, level=1), LIMITS) == []
    assert patterns.reissued(bad, replace(later, undone=True), LIMITS) == []


def test_a_threshold_of_nothing_puts_its_rule_to_rest() -> None:
    off = Limits(
        **{
            name: 0 if name not in ("same_days", "burst_minutes") else 30
            for name in Limits.__slots__
        }
    )
    many = [seen(NOON + n * MINUTE, seconds=3600, words=plain(TOLD)) for n in range(50)]
    assert patterns.quick(seen(seconds=0), off) == []
    assert [found for rule in SHARED for found in patterns.shared(rule, many, off)] == []
    assert (
        patterns.hasty(many, 1, off)
        + patterns.insider(many, off)
        + patterns.burst(many, off)
        + patterns.undone(many, 1, off)
        == []
    )
    assert patterns.repeated(plain(TOLD), many, off) == []
    assert patterns.voided(seen(level=1), NOON, off) == []
    assert patterns.reissued(seen(level=1), seen(seconds=0), off) == []


def test_evidence_is_numbers_alone() -> None:
    found = patterns.burst(late([0, 1, 2, 3]), LIMITS) + patterns.shared(
        Rule.SAME_DEVICE, visited([0, 2, 4]), LIMITS
    )
    assert found and all(type(n) is int for one in found for n in one.evidence.values())
