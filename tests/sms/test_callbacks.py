"""What the provider pushes, as it is written on its pages and as it comes on bad days."""

import json
import time
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from provider import CHINA

from sms.callbacks import (
    Malformed,
    NotAnArray,
    identity,
    is_array,
    origin,
    read_replies,
    read_reports,
    read_time,
)
from sms.gateway import Reply, Report

PHONE, WORDS = "13800138000", "排队两个小时"
AT = datetime(2026, 11, 21, 10, 8, 0, tzinfo=CHINA)
UP = {
    "phone_number": PHONE, "content": WORDS, "send_time": "2026-11-21 10:08:00",
    "dest_code": "1069", "sequence_id": "1234567890",
}  # fmt: skip
DOWN = {
    "phone_number": PHONE, "send_time": "2026-11-21 10:08:00", "biz_id": "900^0",
    "report_time": "2026-11-21 10:08:03", "success": True, "err_code": "DELIVERED",
    "err_msg": "用户接收成功", "sms_size": "1", "out_id": "invitation-1",
}  # fmt: skip


def without(item: dict, *names: str) -> dict:
    return {name: value for name, value in item.items() if name not in names}


def reply(**changes: object) -> Reply | Malformed:
    (item,) = read_replies(json.dumps([{**UP, **changes}]))
    return item


def report(**changes: object) -> Report | Malformed:
    (item,) = read_reports(json.dumps([{**DOWN, **changes}]))
    return item


class TestAReply:
    def test_is_read_as_the_page_writes_it(self) -> None:
        assert reply() == Reply("1234567890", PHONE, WORDS, AT, "1069")

    @pytest.mark.parametrize(
        "written",
        ["1234567890", '"1234567890"', "1234567890.0", "1.23456789E9", '" 1234567890 "'],
    )
    def test_has_one_id_however_its_number_is_written(self, written: str) -> None:
        body = json.dumps([UP]).replace('"1234567890"', written)
        (item,) = read_replies(body)
        assert isinstance(item, Reply) and item.provider_id == "1234567890"

    @pytest.mark.parametrize("nothing", [None, "", 0, "0", "null", " ", [], {}, True])
    def test_without_an_id_is_known_by_its_origin(self, nothing: object) -> None:
        item = reply(sequence_id=nothing)
        assert isinstance(item, Reply) and item.provider_id is None
        assert identity(item) == origin(item)

    @pytest.mark.parametrize(
        "phone",
        ["+8613800138000", "8613800138000", "008613800138000", "138 0013 8000", "+86 138-0013-8000",
         13800138000, 8613800138000, 1.38001380e10, "１３８００１３８０００"],
    )  # fmt: skip
    def test_has_one_phone_however_it_is_written(self, phone: object) -> None:
        item = reply(phone_number=phone)
        assert isinstance(item, Reply) and item.phone == PHONE

    @pytest.mark.parametrize(
        ("written", "phone"),
        [("85291234567", "+85291234567"), ("0085291234567", "+85291234567"), ("+14155550100",) * 2],
    )
    def test_from_abroad_keeps_its_country(self, written: str, phone: str) -> None:
        item = reply(phone_number=written)
        assert isinstance(item, Reply) and item.phone == phone

    @pytest.mark.parametrize(
        "written",
        ["2026-11-21 10:08:00", "20261121100800", 20261121100800, "20261121100800123",
         1795226880, 1795226880000, "1795226880", "2026/11/21 10:08", "2026-11-21T10:08:00+08:00",
         "2026-11-21T02:08:00Z", "2026-11-21 10:08:00.250", 1.795226880e12],
    )  # fmt: skip
    def test_has_one_time_however_it_is_written(self, written: object) -> None:
        item = reply(send_time=written)
        assert isinstance(item, Reply) and item.at == AT

    @pytest.mark.parametrize(
        "text",
        ["", " ", "😀👍🏽", "5\n谢谢", "'; drop table x; --", "㐂" * 2000, "<script>", "1\t"],
    )
    def test_keeps_its_words_as_they_are(self, text: str) -> None:
        item = reply(content=text)
        assert isinstance(item, Reply) and item.text == text

    def test_with_half_an_emoji_or_a_nul_can_still_be_stored(self) -> None:
        item = reply(content="1\ud83d\x00 好")
        assert isinstance(item, Reply) and item.text == "1\ufffd\ufffd 好"
        item.text.encode()

    def test_with_a_number_as_content_is_its_digits(self) -> None:
        item = reply(content=5)
        assert isinstance(item, Reply) and item.text == "5"

    def test_takes_no_notice_of_fields_it_does_not_know(self) -> None:
        assert reply(sign_name="签名", later={"a": [1]}) == reply()

    @pytest.mark.parametrize(
        "changes",
        [{"phone_number": None}, {"phone_number": "10086"}, {"phone_number": "138****8000"},
         {"phone_number": ["13800138000"]}, {"content": None}, {"content": True},
         {"content": {"a": 1}}, {"send_time": "yesterday"}, {"send_time": None},
         {"send_time": "2026-13-41 10:08:00"}, {"send_time": 99999999999999999999},
         {"send_time": "0001-01-01 00:00:00"}, {"send_time": "9999-12-31 23:59:59"}],
    )  # fmt: skip
    def test_that_cannot_be_read_is_set_aside_with_a_reason(self, changes: dict) -> None:
        item = reply(**changes)
        assert isinstance(item, Malformed) and next(iter(changes)) in item.reason
        assert json.loads(item.raw)["dest_code"] == "1069"
        assert PHONE not in repr(item) and WORDS not in repr(item)


class TestAReport:
    def test_is_read_as_the_page_writes_it(self) -> None:
        later = AT + timedelta(seconds=3)
        assert report() == Report("900^0", "invitation-1", PHONE, True, "DELIVERED", AT, later)

    @pytest.mark.parametrize("yes", [True, "true", "TRUE", 1, "1"])
    def test_says_yes_in_many_ways(self, yes: object) -> None:
        item = report(success=yes)
        assert isinstance(item, Report) and item.delivered

    @pytest.mark.parametrize("no", [False, "false", 0, "0"])
    def test_says_no_in_many_ways(self, no: object) -> None:
        item = report(success=no, err_code="MOBILE_NOT_ON_SERVICE")
        assert isinstance(item, Report)
        assert (item.delivered, item.code) == (False, "MOBILE_NOT_ON_SERVICE")

    def test_without_a_verdict_follows_its_code(self) -> None:
        delivered, failed = report(success=None), report(success=None, err_code="MK:0001")
        assert isinstance(delivered, Report) and delivered.delivered
        assert isinstance(failed, Report) and not failed.delivered

    def test_needs_only_one_of_its_two_ids(self) -> None:
        for name in ("biz_id", "out_id"):
            (item,) = read_reports(json.dumps([without(DOWN, name, "phone_number", "send_time")]))
            assert isinstance(item, Report) and item.phone is None and item.at is None

    def test_without_any_id_or_any_verdict_is_set_aside(self) -> None:
        body = json.dumps([without(DOWN, "biz_id", "out_id"), without(DOWN, "success", "err_code")])
        assert all(isinstance(item, Malformed) for item in read_reports(body))

    def test_may_have_numbers_for_ids(self) -> None:
        item = report(biz_id=12345678901234567890123, out_id=42)
        assert isinstance(item, Report)
        assert (item.provider_id, item.out_id) == ("12345678901234567890123", "42")


class TestABatch:
    def test_loses_nothing_to_the_bad_items_in_it(self) -> None:
        bad = [None, 1, "x", [], {}, [UP], float("nan"), {**UP, "phone_number": "x"}]
        items = read_replies(json.dumps([UP, *bad, UP]))
        assert [isinstance(item, Reply) for item in items] == [True, *[False] * 8, True]
        assert [i.index for i in items if isinstance(i, Malformed)] == list(range(1, 9))

    def test_loses_only_the_words_with_a_broken_byte(self) -> None:
        body = json.dumps([UP, UP], ensure_ascii=False).encode()
        broken = body.replace("时".encode(), b"\xff", 1)
        first, second = read_replies(broken)
        assert isinstance(first, Reply) and first.text == "排队两个小\ufffd"
        assert isinstance(second, Reply) and second.text == WORDS

    @pytest.mark.parametrize(
        "body",
        [b"", b"null", b"{}", b'"x"', b"1", b"[", b"\xff\xfe", b"[" * 100_000, b"<html>", b"[]x",
         json.dumps([UP])[:-1], "[\ud800"],
    )  # fmt: skip
    def test_that_is_no_array_is_said_to_be_none(self, body: bytes | str) -> None:
        for read in (read_replies, read_reports):
            with pytest.raises(NotAnArray) as caught:
                read(body)
            assert caught.value.__context__ is None and not caught.value.args

    def test_may_be_empty_or_begin_with_a_mark(self) -> None:
        assert read_replies(b"[]") == []
        assert len(read_replies(b"\xef\xbb\xbf" + json.dumps([UP]).encode())) == 1

    @pytest.mark.parametrize(
        ("body", "found"),
        [
            (b"[]", True), (b" [1]\n", True), (b'\xef\xbb\xbf["x"]', True), (b'["\xff"]', True),
            (b'["\\ud800", "a\nb"]', True), (b"[NaN]", True), (b"[" * 9000 + b"]" * 9000, True),
            (b"[" * 9000, False), (b"", False), (b"{}", False), (b"null", False), (b"[1,]", False),
            (b"[1][2]", False), (b'["\\x41"]', False), (b"\x1f\x8b\x08", False),
        ],
    )  # fmt: skip
    def test_is_known_before_its_items_are_read(self, body: bytes, found: bool) -> None:
        assert is_array(body) is found
        if found:
            read_replies(body)

    def test_loses_only_the_item_that_is_nested_too_deeply(self) -> None:
        up, deep = json.dumps(UP), "[" * 9000 + '"],{\\""' + "]" * 9000
        for hostile in (deep, deep[:-1], '{"a":' * 9000 + "1" + "}" * 9000):
            items = read_replies(f"[{up}, {hostile}, {up}]")
            assert isinstance(items[0], Reply)
            assert isinstance(items[1], Malformed) and items[1].index == 1
            assert len(items) == 3 or hostile == deep[:-1]

    def test_of_numbers_without_end_harms_only_its_own_item(self) -> None:
        body = json.dumps([UP]).replace('"1234567890"', "9" * 100_000)
        huge = f'[{body[1:-1]}, {json.dumps({**UP, "sequence_id": 1})[:-1]}, "n": 1E999999999}}]'
        assert [isinstance(item, Reply) for item in read_replies(huge)] == [True, True]

    def test_of_500_is_read_in_a_moment(self) -> None:
        ups = json.dumps([{**UP, "sequence_id": n} for n in range(500)]).encode()
        downs = json.dumps([{**DOWN, "biz_id": f"{n}^0"} for n in range(500)]).encode()
        started = time.process_time()
        assert len(read_replies(ups)) == len(read_reports(downs)) == 500
        assert time.process_time() - started < 0.1


class TestIdentity:
    def test_is_the_same_for_the_same_news(self) -> None:
        assert identity(reply()) == identity(reply(sequence_id=1234567890, later=1))  # type: ignore[arg-type]
        assert origin(reply()) == origin(reply(sequence_id=7, send_time="20261121100800"))  # type: ignore[arg-type]
        assert identity(report()) == identity(report(report_time=None))  # type: ignore[arg-type]

    def test_differs_when_a_second_person_wrote(self) -> None:
        assert identity(reply()) != identity(reply(phone_number="13900139000"))  # type: ignore[arg-type]

    @pytest.mark.parametrize("change", [{"content": "1"}, {"send_time": "2026-11-21 10:08:01"}])
    def test_of_an_origin_differs_with_words_and_time(self, change: dict) -> None:
        assert origin(reply()) != origin(reply(**change))  # type: ignore[arg-type]

    def test_of_a_report_differs_when_the_verdict_does(self) -> None:
        assert identity(report()) != identity(report(success=False))  # type: ignore[arg-type]


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from([PHONE, WORDS, "2026-11-21 10:08:00", "20261121100800", "DELIVERED", "0"])
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
almost = st.builds(
    lambda base, changes: {**base, **changes},
    st.sampled_from([UP, DOWN, {}]),
    st.dictionaries(st.sampled_from([*UP, *DOWN]), anything, max_size=4),
)


class TestWhateverComes:
    @settings(max_examples=150, deadline=None)
    @given(st.lists(almost | anything, max_size=6))
    def test_every_item_has_its_place_and_nothing_raises(self, items: list[object]) -> None:
        for read in (read_replies, read_reports):
            found = read(json.dumps(items))
            assert len(found) == len(items)
            for item in found:
                if isinstance(item, Malformed):
                    assert item.reason and item.raw
                    item.raw.encode()
                else:
                    assert identity(item) == identity(item)
                    "".join(identity(item)).encode()

    @settings(max_examples=150, deadline=None)
    @given(st.binary() | st.text() | anything.map(json.dumps))
    def test_every_body_is_read_or_is_no_array(self, body: bytes | str) -> None:
        for read in (read_replies, read_reports):
            with suppress(NotAnArray):
                assert isinstance(read(body), list)

    @given(st.text() | st.integers() | st.from_regex(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"))
    def test_every_time_is_a_time_of_this_century_or_none(self, value: object) -> None:
        found = read_time(value)
        assert found is None or found.utcoffset() == timedelta(hours=8)
