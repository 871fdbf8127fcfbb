# ruff: noqa: E501, SIM905
"""What people answer to "请回复数字评价服务": an own corpus, and what must hold for every text."""

import re
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sms import Reading, read

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.tsv"))
NAMES = {"非常满意": 5, "满意": 4, "基本满意": 3, "不满意": 2, "非常不满意": 1}
ASKING = st.sampled_from(["level", "reason", "verdict"])
# Surrogates, NUL and unassigned characters included, and the words of the trade in any order.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
PIECES = st.lists(
    st.sampled_from(
        "1 2 3 4 5 0 10 五 一 分 星 楼 号窗口 分钟 非常满意 满意 基本满意 不满意 非常不满意 很好 一般 差 很差 不 不是 没有 我选 给 "
        "谢谢 好的 排队太久 态度很好 ， 。 ！ ？ 、 ~ - ( ) \n A B C TD 退订 👍 ❌ 如果 下次 吗 的 了 吧 \u200b \u202e".split(
            " "
        )
    ),
    max_size=8,
).map("".join)


class Row(NamedTuple):
    asking: str
    text: str
    kind: str
    level: str
    reasons: str
    content: str
    words: str
    difficulty: str
    why: str

    def matches(self, got: Reading) -> bool:
        content = {None: "", True: "true", False: "false"}[got.content]
        said = (got.kind, str(got.level or ""), "".join(got.reasons), content)
        right = said == (self.kind, self.level, self.reasons, self.content)
        return right and self.words in ("*", got.words)


def unescape(field: str) -> str:
    r"""\n, \t and \u200b stand for what a table cannot show."""
    named = {"n": "\n", "t": "\t"}
    return re.sub(
        r"\\(n|t|u[0-9a-f]{4})", lambda m: named.get(m[1]) or chr(int(m[1][1:], 16)), field
    )


def rows() -> list[Row]:
    lines = [line for path in CORPUS for line in path.read_text("utf-8").split("\n")[1:] if line]
    return [Row(*map(unescape, line.split("\t"))) for line in lines]


def test_the_corpus_is_read_rightly_and_no_level_is_invented() -> None:
    all_rows = rows()
    assert len(all_rows) > 1_000
    wrong = [(row, got) for row in all_rows if not row.matches(got := read(row.text, row.asking))]
    invented = [row.text for row, got in wrong if got.level and str(got.level) != row.level]
    assert not invented
    total, missed = Counter(r.difficulty for r in all_rows), Counter(r.difficulty for r, _ in wrong)
    share = {name: 1 - missed[name] / count for name, count in total.items()}
    print({name: f"{value:.2%} of {total[name]}" for name, value in share.items()})
    assert share["easy"] == 1, wrong
    assert share["medium"] >= 0.99, wrong
    assert share["hard"] >= 0.98, wrong


def test_no_two_lines_of_the_corpus_contradict_each_other() -> None:
    expected: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for row in rows():
        expected.setdefault((row.asking, row.text), set()).add(row[2:6])
    assert not [text for text, found in expected.items() if len(found) > 1]


@settings(max_examples=2_000, deadline=None)
@given(text=ANY_TEXT | PIECES, asking=ASKING)
def test_nothing_that_a_phone_can_send_makes_it_fail(text: str, asking: str) -> None:
    got = read(text, asking)
    assert (got.level is not None) == (got.kind == "level")
    assert (got.content is not None) == (got.kind == "verdict")
    assert got.level in (None, 1, 2, 3, 4, 5)
    if got.kind == "unclear":
        assert got.words == text.strip()


# An oracle of its own: every spelling of each level, and nothing of the parser.
SPELLINGS = {
    1: "1一壹①❶㈠ ⑴ 非常不满意 很差",
    2: "2二贰②❷ 不满意 差",
    3: "3三叁③❸ 基本满意 一般",
    4: "4四肆④❹ 满意",
    5: "5五伍⑤❺ 非常满意 很好",
}


def could_say(text: str, level: int) -> bool:
    """Does a stretch between marks start or end with a digit or a name of this level?"""
    words = SPELLINGS[level].split()
    shown = [
        name
        for word in words
        for name in ([word] if word in NAMES or word in "很好很差一般" else word)
    ]
    bare = re.sub(r"[\u200b\u202e\s]", "", text)
    stretches = [bare, *re.split(r"[^\w]+", re.sub(r"[\u200b\u202e]", "", text))]
    frames = r"^(?:我选|选|我|给|我给|好的|谢谢)*|(?:的|了|吧|分|星|谢谢|好的)*$"
    cut = stretches + [re.sub(frames, "", stretch) for stretch in stretches]
    return any(one.startswith(name) or one.endswith(name) for one in cut for name in shown)


@settings(max_examples=3_000, deadline=None)
@given(PIECES)
def test_a_level_is_only_read_where_the_text_says_it_at_a_start_or_an_end(text: str) -> None:
    if level := read(text).level:
        assert could_say(text, level), (text, level)


NEGATIONS = (
    "不 不是 没有 没 并不 并非 不太 不怎么 谈不上 说不上 从不 未必 不能 不会 难以 唔 無 别".split()
)
AROUND = ["", " ", "，", "。", "\n"]


@pytest.mark.parametrize("negation", NEGATIONS)
def test_a_negation_before_a_good_level_never_leaves_it(negation: str) -> None:
    good = ["非常满意", "满意", "基本满意", "很好", "5", "5分", "4", "五星", "给5分", "我满意"]
    for level in good:
        for between in AROUND:
            for end in ("", "！", "，谢谢", " 谢谢"):
                got = read(negation + between + level + end)
                assert got.level is None or got.level <= 2, (negation, between, level, end)


# A part of the visit, a guess or a boast: dictation sets a comma after each.
NOT_TOLD = (
    "停车 环境 二楼 3号窗口 小李 保安 群众 我儿子 少数人 表面 嘴上 文件上 口号 考核指标 恐怕 估计 看样子 差不多 "
    "一开始 起初 承诺 保证 追求 虽然 即使 无论 为了 别说 更不用说"
).split()


@pytest.mark.parametrize("before", NOT_TOLD)
def test_a_name_after_a_word_that_tells_nothing_is_no_level(before: str) -> None:
    for name in (*NAMES, "5分", "1分"):
        for mark in ("，", "。", " ", "："):
            assert read(before + mark + name).level is None, (before, mark, name)


CLASSIFIERS = (
    "个 条 张 份 次 趟 遍 位 名 口 家 户 层 楼 号 栋 单元 室 排 座 间 套 台 本 页 件 组 分钟 秒 小时 天 日 周 星期 月 年 岁 元 块钱 毛 "
    "万 米 公里 斤 度 折 倍 % ℃ 号线 号窗口 窗口 楼大厅 点钟 点半 个工作日 分之一 分局 环 区 期 人以上 G 级 股 把 回 段 里 门"
).split()


@pytest.mark.parametrize("unit", CLASSIFIERS)
def test_a_digit_that_counts_or_names_something_is_no_level(unit: str) -> None:
    for digit in "12345５⑤五":
        for gap in ("", " "):
            for before in ("", "等了", "第", "我在"):
                for after in ("", "才办好", "，谢谢", "没人"):
                    text = before + digit + gap + unit + after
                    assert read(text).level is None, text


INVISIBLE = st.text(
    st.sampled_from("\u200b\u200d\u2060\ufeff\u202e\u2066\u2069\ufe0f\xad\0"), max_size=3
)
CLEAN = st.sampled_from(["5", "4分", "非常满意", "不满意，态度差", "5楼", "4或5", "1 排队两个小时", "退订", "不是5", "好"])  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(CLEAN, st.lists(INVISIBLE, min_size=20, max_size=20))
def test_invisible_characters_change_nothing(text: str, noise: list[str]) -> None:
    noisy = "".join(mark + char for mark, char in zip(noise, text + " ", strict=False))
    got, plain = read(noisy), read(text)
    assert (got.kind, got.level) == (plain.kind, plain.level)


@given(CLEAN, st.sampled_from([("“", "”"), ("【", "】"), ("(", ")"), ("「", "」"), ("", "！！！"), ("", "。"), ("\n", "\n"), ("'", "'"), ("", "……"), ("《", "》")]))  # fmt: skip
def test_outer_punctuation_changes_nothing(text: str, marks: tuple[str, str]) -> None:
    got, plain = read(marks[0] + text + marks[1]), read(text)
    assert (got.kind, got.level) == (plain.kind, plain.level)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["5", "1", "2分", "非常不满意", "不满意", "满意"]),
    st.text(st.characters(categories=["Lo", "Lu", "Ll", "Nd"]), min_size=1, max_size=30),
)
def test_what_else_was_said_is_never_lost(level: str, said: str) -> None:
    assume(read(said).kind != "level")  # the same level again is understood, not lost
    found = read(f"{level}，{said}")
    assert said.strip() in found.words or found.kind == "opt_out"


@pytest.mark.parametrize(
    "text",
    [
        "5" * 1_000_000,
        "满意，" * 350_000,
        "不" * 1_000_000,
        "\u200b" * 999_999 + "5",
        "5 谢" + "谢" * 999_999,
        "（" * 1_000_000,
        "A、" * 500_000,
    ],
    ids=["digits", "names", "negations", "invisible", "thanks", "brackets", "letters"],
)
def test_a_megabyte_takes_under_a_second(text: str) -> None:
    for asking in ("level", "reason", "verdict"):
        started = time.process_time()
        read(text, asking)
        assert time.process_time() - started < 1


def test_the_longest_reply_that_is_read_is_read_fast() -> None:
    for piece in ("满意", "5", "非常", "不", "谢谢", "好的谢谢", "服务", "很", "退订", "不要再发", "a", "a、", "5 ", "我对", "对处理", "哈哈", "一"):  # fmt: skip
        for end in ("", "x", "5"):
            text = (piece * 2_000)[:1_990] + end
            for asking in ("level", "reason", "verdict"):
                started = time.process_time()
                read(text, asking)
                assert time.process_time() - started < 1, (piece, asking)
