"""Whatever a service is called, the provider takes our message and a phone can read it."""

import csv

import pytest
from catalogue.city import CITY, COUNTY, PROVINCE
from hypothesis import example, given
from hypothesis import strategies as st

from server.catalogue import service
from server.catalogue.models import Policy, Region, Wording
from server.catalogue.service import Catalogue
from server.catalogue.sheets import national_tags
from server.catalogue.wordings import LETTERS, PURPOSES, faults, shipped
from server.messages.rules import Purpose
from server.messages.wording import _SHORTENED, Composed, compose, fit
from sms import read
from sms.templates import check, check_wording, count_characters, placeholders

VALUES = {
    "date": "7月1日", "hall": "市民中心", "item": "户口迁移", "agency": "公安局", "answer": "已核实",
    "code": "ABCD-EFGH-JKLM-NPQR", "due": "12月31日",
} | dict.fromkeys(LETTERS, "排队太久")  # fmt: skip
SIGN = "政务服务"


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """A province, its city and the city's county."""
    above = {PROVINCE: None, CITY: PROVINCE, COUNTY: CITY}
    regions = {c: Region(code=c, name=c, parent_code=parent) for c, parent in above.items()}
    known = Catalogue(regions=regions)
    monkeypatch.setattr(service, "_current", known)
    return known


def say(known: Catalogue, region: str, text: str, variant: int = 1, code: str = "SMS_1") -> None:
    known.wordings[region, "notice", variant] = Wording(
        region_code=region, purpose="notice", variant=variant, template_code=code, text=text
    )


def notice(region: str = COUNTY, **values: str) -> Composed:
    return compose(region, Purpose.NOTICE, VALUES | values)


def test_every_purpose_has_both_wordings_and_nothing_in_them_is_at_fault() -> None:
    assert set(PURPOSES) == set(Purpose)
    assert set(shipped()) == {(purpose, variant) for purpose in Purpose for variant in (1, 2)}
    for (purpose, _), wording in shipped().items():
        assert list(faults(purpose, wording.text)) == []


def test_the_second_wording_of_a_notice_does_not_speak_of_rating() -> None:
    for purpose in ("notice", "reminder"):
        assert "评价" in shipped()[purpose, 1].text
        assert "评价" not in shipped()[purpose, 2].text


@pytest.mark.parametrize(
    "purpose",
    [Purpose.NOTICE, Purpose.REMINDER, Purpose.UNCLEAR, Purpose.ACCEPTED, Purpose.CLOSED],
)
def test_a_message_that_is_sent_back_to_us_is_no_rating(known: Catalogue, purpose: Purpose) -> None:
    for variant in (1, 2):
        known.policies[CITY] = Policy(region_code=CITY, wording=variant)
        assert read(compose(COUNTY, purpose, VALUES).text).kind == "unclear"


def test_the_text_is_what_the_phone_shows(known: Catalogue) -> None:
    known.policies[PROVINCE] = Policy(region_code=PROVINCE, sms_sign="云汀政务")
    composed = notice()
    assert composed.text == (
        "【云汀政务】您7月1日在市民中心办理的户口迁移已办结。"
        "请回复数字评价服务:5非常满意4满意3基本满意2不满意1非常不满意"
    )
    assert (composed.sign, composed.template, composed.parts) == ("云汀政务", "", 1)
    assert composed.variables == {"date": "7月1日", "hall": "市民中心", "item": "户口迁移"}


def test_the_nearest_region_that_has_a_wording_gives_it(known: Catalogue) -> None:
    say(known, PROVINCE, "省：${item}", code="SMS_330000")
    assert (notice().text, notice().template) == ("【政务服务】省：户口迁移", "SMS_330000")
    say(known, CITY, "市：${item}")
    assert notice().text == "【政务服务】市：户口迁移"
    assert notice(PROVINCE).text == "【政务服务】省：户口迁移"


def test_a_region_that_was_refused_its_wording_takes_the_second(known: Catalogue) -> None:
    say(known, CITY, "一：${item}")
    known.policies[COUNTY] = Policy(region_code=COUNTY, wording=2)
    assert "满意程度" in notice().text, "nobody has a second one of their own: the shipped one"
    say(known, CITY, "二：${item}", variant=2)
    assert notice().text == "【政务服务】二：户口迁移"
    assert notice(CITY).text == "【政务服务】一：户口迁移"


def test_a_region_that_nobody_knows_has_words_too(known: Catalogue) -> None:
    assert notice("999999999999").parts == 1


def test_what_is_empty_has_a_plain_word(known: Catalogue) -> None:
    assert "在公安局办理" in notice(hall=" ").text
    assert "在网上办理的业务已办结" in notice(hall="", agency="", item="\n").text
    assert compose(CITY, Purpose.REASON, {"a": "排队太久"}).variables["h"] == "其他"


def test_a_long_matter_is_shortened_until_it_is_one_message(known: Catalogue) -> None:
    composed = notice(item="城乡居民基本养老保险待遇申领" * 2)
    assert count_characters(composed.text) == 70
    assert composed.variables["item"].startswith("城乡居民基本养老")
    assert composed.variables["item"].endswith("…")
    assert composed.variables["hall"] == "市民中心"


def test_then_the_hall_is_shortened_and_eight_characters_of_the_matter_stay(
    known: Catalogue,
) -> None:
    composed = notice(item="城乡居民基本养老保险待遇申领", hall="高新技术产业开发区政务服务中心")
    assert count_characters(composed.text) == 70
    assert composed.variables["item"] == "城乡居民基本养老…"
    assert composed.variables["hall"].startswith("高新技术产业")


def test_where_one_message_is_out_of_reach_nothing_is_shortened(known: Catalogue) -> None:
    say(known, CITY, "您${date}在${hall}办理的${item}已经办结。" + "字" * 60)
    composed = notice(item="城乡居民基本养老保险待遇申领")
    assert composed.parts == 2
    assert composed.variables["item"] == "城乡居民基本养老保险待遇申领"


def test_the_national_reasons_are_listed_whole_in_two_messages(known: Catalogue) -> None:
    rows = list(csv.DictReader(national_tags().decode("utf-8-sig").splitlines()))
    for variant in (1, 2):
        known.policies[CITY] = Policy(region_code=CITY, wording=variant)
        for level in "12":
            texts = [row["text"] for row in rows if row["level"] == level]
            composed = compose(CITY, Purpose.REASON, dict(zip(LETTERS, texts, strict=True)))
            assert list(composed.variables.values()) == texts
            assert composed.parts == 2


@pytest.mark.parametrize("purpose", [Purpose.ACCEPTED, Purpose.CLOSED])
def test_news_of_an_order_is_one_message_whatever_the_matter_is_called(
    known: Catalogue, purpose: Purpose
) -> None:
    names = {"item": "城乡居民基本养老保险待遇申领", "agency": "人力资源和社会保障局"}
    for variant in (1, 2):
        known.policies[CITY] = Policy(region_code=CITY, wording=variant)
        composed = compose(COUNTY, purpose, VALUES | names)
        assert (composed.parts, composed.variables["code"]) == (1, VALUES["code"])
        assert composed.variables["item"].startswith("城乡居民基本养老")
        bare = compose(COUNTY, purpose, {})
        assert bare.parts == 1 and "业务" in bare.text


def test_an_answer_is_cut_where_the_provider_would_refuse_it(known: Catalogue) -> None:
    answer = compose(CITY, Purpose.ANSWER, VALUES | {"answer": "已核实，" * 20})
    assert count_characters(answer.variables["answer"]) == 35
    assert answer.variables["code"] == VALUES["code"]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("关于【重点】企业", "关于「重点」企业"),
        ("住房 公积金\n提取\t", "住房 公积金 提取"),
        ("见 www.a.cn/b", "见 www．a．cn/b"),
        ("https://a", "https：//a"),
        ("10.0.0.1 登记", "10．0．0．1 登记"),
        ("3.5 元工本费", "3.5 元工本费"),
        ("户\u200b口\u202e迁移\ud800", "户口迁移"),
    ],
)
def test_what_the_provider_would_refuse_in_a_name_is_disarmed(
    known: Catalogue, written: str, sent: str
) -> None:
    assert notice(item=written).variables["item"] == sent


def test_an_emoji_is_two_characters_and_never_cut_in_two(known: Catalogue) -> None:
    for length in (17, 18, 34, 35, 40):
        for start in ("", "好"):
            value = compose(CITY, Purpose.THANKS, {"item": start + "😀" * length}).variables["item"]
            assert count_characters(value) <= 35
            value.encode()


NAMES = st.sampled_from(["date", "hall", "item", *LETTERS])
WRITTEN = st.lists(
    NAMES.map(lambda name: f"${{{name}}}") | st.text(max_size=20), max_size=12
).map("".join)  # fmt: skip
LINKS = st.sampled_from(["www.", "://", ".cn", "a.com", "1.2.3.4", "【", "】", "\n", "\x00", "1.5"])
ANYTHING = st.lists(st.text(max_size=20) | LINKS, max_size=6).map("".join)
SHORTENED = st.sampled_from([(), _SHORTENED[Purpose.NOTICE]])


@given(WRITTEN, st.dictionaries(NAMES, ANYTHING), SHORTENED)
@example("字${item}", {"item": "1.2.3.4.5.com"}, ())
@example("字${item}", {"item": "a" * 34 + "😀"}, ())
def test_whatever_the_values_are_the_provider_has_nothing_to_refuse(
    text: str, values: dict[str, str], shortened: tuple[tuple[str, int], ...]
) -> None:
    fitted = fit(SIGN, text, values, shortened)
    assert set(fitted) == set(placeholders(text))
    assert set(check(SIGN, text, fitted).problems) == set(check_wording(text))


@given(st.fixed_dictionaries(dict.fromkeys(("date", "hall", "item"), ANYTHING)))
def test_a_shortened_message_keeps_eight_characters_of_its_matter(values: dict[str, str]) -> None:
    text = shipped()["notice", 1].text
    whole = fit(SIGN, text, values, ())
    fitted = fit(SIGN, text, values, _SHORTENED[Purpose.NOTICE])
    if fitted != whole:
        assert check(SIGN, text, fitted).messages == 1
        assert check(SIGN, text, whole).messages == 2
    for name, least in (("item", 8), ("hall", 4)):
        if fitted[name] != whole[name]:
            assert fitted[name].endswith("…")
            assert whole[name].startswith(fitted[name][:-1])
            assert count_characters(fitted[name]) >= least - 1
