"""What would be refused is said before it is sent, in words and with its price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.gateway import RETRY, Retry
from sms.templates import check, check_wording, count_messages, render

# domain.md 4.2's sample, which is said there to have 63 characters with its placeholders.
SAMPLE = "您${date}在${hall}办理的${item}已办结。请回复数字评价服务:5非常满意4满意3基本满意2不满意1非常不满意"
FILLED = {"date": "11月21日", "hall": "市民中心", "item": "居住证"}


def codes(template: str, variables: dict[str, str]) -> list[str]:
    return [problem.code for problem in check("杭州政务", template, variables).problems]


class TestAGoodMessage:
    def test_is_shown_whole_counted_and_without_problems(self) -> None:
        checked = check("杭州政务", SAMPLE, FILLED)
        assert checked.text.startswith("【杭州政务】您11月21日在市民中心办理的居住证已办结")
        assert checked.problems == ()
        assert (checked.characters, checked.messages) == (len(checked.text), 1)

    def test_shows_nothing_personal_in_its_repr(self) -> None:
        assert "居住证" not in repr(check("杭州政务", SAMPLE, FILLED))

    @pytest.mark.parametrize(
        ("length", "messages"), [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)]
    )
    def test_costs_one_up_to_70_and_then_one_for_each_67(self, length: int, messages: int) -> None:
        assert count_messages("字" * length) == messages

    def test_counts_the_signature(self) -> None:
        assert check("杭州政务", "字" * 64, {}).messages == 1
        assert check("杭州政务", "字" * 65, {}).messages == 2

    def test_counts_an_emoji_twice_as_the_network_does(self) -> None:
        assert count_messages("😀" * 35) == 1
        assert count_messages("😀" * 35 + "。") == 2

    @pytest.mark.parametrize(
        "value", ["一", "字" * 35, "3.5分", "A12.3", "2026-11-21", "10:08", "B座3.4楼"]
    )
    def test_may_say_all_this_in_a_variable(self, value: str) -> None:
        assert codes("办理的${item}已办结", {"item": value}) == []


class TestAVariable:
    @pytest.mark.parametrize("value", ["", " ", "　", "字" * 36, "😀" * 18])
    def test_has_1_to_35_characters(self, value: str) -> None:
        assert codes("办理的${item}已办结", {"item": value}) == ["isv.PARAM_LENGTH_LIMIT"]

    @pytest.mark.parametrize(
        "link",
        [
            "http://a.cn",
            "见www.x.y",
            "gov.cn/abc",
            "点t.cn看",
            "HTTPS://A",
            "10.0.0.1",
            "a-b.COM。",
        ],
    )
    def test_holds_no_link(self, link: str) -> None:
        assert codes("办理的${item}已办结", {"item": link}) == ["isv.PARAM_NOT_SUPPORT_URL"]

    @pytest.mark.parametrize("value", ["a\nb", "a\x00", "\ud800"])
    def test_holds_nothing_invisible(self, value: str) -> None:
        assert codes("办理的${item}已办结", {"item": value}) == ["isv.UNSUPPORTED_CONTENT"]

    def test_holds_no_brackets_of_a_signature(self) -> None:
        assert codes("办${item}结", {"item": "【银行】"}) == ["isv.TEMPLATE_PARAMS_ILLEGAL"]

    def test_that_is_missing_is_named_and_stays_visible(self) -> None:
        checked = check("杭州政务", SAMPLE, {"date": "1", "hall": "2"})
        (problem,) = checked.problems
        assert (problem.code, problem.placeholder) == ("isv.TEMPLATE_MISSING_PARAMETERS", "item")
        assert "item" in problem.words and "${item}" in checked.text

    def test_that_nobody_asked_for_is_not_sent(self) -> None:
        assert codes("已办结", {"phone": "x"}) == ["isv.TEMPLATE_PARAMS_ILLEGAL"]

    def test_is_never_repeated_in_the_words(self) -> None:
        checked = check("杭州政务", "办${item}结", {"item": "13800138000" * 4})
        assert "13800138000" not in "".join(problem.words for problem in checked.problems)

    def test_is_put_in_as_it_is(self) -> None:
        assert render("a", "x${b}y${c}", {"b": "${c}", "c": r"\1"}) == r"【a】x${c}y\1"


class TestAWording:
    @pytest.mark.parametrize("template", ["${a}${b}好", "好${a} ${b}", "好${a}\n${b}好"])
    def test_has_text_between_its_variables(self, template: str) -> None:
        (problem,) = check_wording(template)
        assert "a" in problem.words and "b" in problem.words

    def test_names_each_variable_once(self) -> None:
        (problem,) = check_wording("${a}和${a}和${a}")
        assert problem.placeholder == "a"

    @pytest.mark.parametrize(
        "template", ["您${1}好", "您${日期}好", "您${ a }好", "您${a", "您${}好"]
    )
    def test_writes_its_variables_rightly(self, template: str) -> None:
        assert [problem.code for problem in check_wording(template)] == ["isv.SMS_TEMPLATE_ILLEGAL"]

    @pytest.mark.parametrize("template", ["", "${a}", "【银行】您好", "字" * 501])
    def test_is_words_of_its_own_without_a_signature(self, template: str) -> None:
        assert len(list(check_wording(template))) == 1

    def test_of_the_sample_is_right(self) -> None:
        assert list(check_wording(SAMPLE)) == []


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_whatever_is_written_is_answered_with_codes_of_the_table(sign, template, given_) -> None:
    checked = check(sign, template, given_)
    assert checked.messages >= 1
    assert all(RETRY[problem.code] is Retry.PERMANENT for problem in checked.problems)
