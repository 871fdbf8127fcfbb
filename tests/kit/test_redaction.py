# ruff: noqa: E501
"""What leads to a person is masked; what a complaint is about stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit.redaction import MASK, redact

PHONES = [
    "13800138000", "138 0013 8000", "138-0013-8000", "138 001 38000", "1 3 8 0 0 1 3 8 0 0 0",
    "+8613800138000", "+86 138 0013 8000", "+86-138-0013-8000", "8613800138000", "86 13800138000",
    "0086 13800138000", "008613800138000", "１３８００１３８０００", "１３８－００１３－８０００", "（13800138000）",
    "(86)13800138000", "138.0013.8000", "138·0013·8000", "138\u200b0013\u200b8000", "138\u00a00013\u00a08000",
    "138\u30000013\u30008000", "138—0013—8000", "138_0013_8000", "138/0013/8000", "138  0013  8000",
    "电话13800138000。", "a13800138000b", "0571-87654321", "010 12345678", "0571 87654321",
    "057187654321", "(0571)87654321",
]  # fmt: skip
IDENTITIES = [
    "330106199001011234", "33010619900101123X", "33010619900101123x", "身份证330106199001011234号",
    "330106 19900101 1234", "３３０１０６１９９００１０１１２３４", "91330100MA27XW1234", "33010619900101123Ｘ",
]  # fmt: skip
OTHERS = [
    "wang@example.com", "wang.xiao-ming+1@mail.example.com.cn", "wang＠example.com",
    "邮箱是wang_1@qq.com谢谢", "6222021234567890123", "6222 0212 3456 7890 123", "6222-0212-3456-7890",
    "京A12345", "浙A·D12345", "沪AD12345", "粤B 12345", "微信号abc_12345", "微信：wang12345", "QQ 123456789",
    "加vx:wang12345", "办件编号330100-2026-0042", "受理号：SL20261121001",
]  # fmt: skip


@pytest.mark.parametrize("secret", PHONES + IDENTITIES + OTHERS, ids=ascii)
def test_a_number_that_leads_to_a_person_is_masked(secret: str) -> None:
    shown = redact(f"窗口态度差，{secret}，请回复")
    assert MASK in shown
    assert sum(char.isdigit() for char in shown) <= 4, shown
    assert "@" not in shown
    assert shown.startswith("窗口态度差，")
    assert shown.endswith("，请回复")


@pytest.mark.parametrize(
    "words",
    [
        "等了2小时", "3楼没有人", "2026年11月21日上午10点", "2026-11-21 10:08:00", "排了120个号", "12345热线打不通",
        "收费1500元", "跑了3趟，第4次才办成", "5号窗口", "A12窗口", "等了90分钟还没叫到A1024号", "差100%", "95分",
        "国办发〔2019〕51号", "办事指南第3.2条", "1个工作日变成15个工作日", "要交5份材料各3张复印件", "网址是http",
        "一楼二楼三楼都问过", "下午2:30-5:00", "2026.11.21", "110和12315都说不管", "京东买的打印机", "粤菜馆旁边",
        "GB/T 39734-2020", "面积是120.35平方米", "1000000元的房子", "第20261121号文件",
    ],
)  # fmt: skip
def test_ordinary_numbers_stay(words: str) -> None:
    assert redact(words) == words


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("我是王小明", f"我是{MASK}"),
        ("王小明王小明", MASK * 2),
        ("找小王", "找小王"),
        ("编号11330100MB1234567X-20261121-0001", f"编号{MASK}"),
        ("回拨 5550100 即可", f"回拨 {MASK} 即可"),
    ],
)
def test_the_raters_own_name_phone_and_case_number_are_masked(words: str, shown: str) -> None:
    known = ("王小明", "5550100", "11330100MB1234567X-20261121-0001", "")
    assert redact(words, known=known) == shown


def test_a_single_letter_name_does_not_mask_every_such_letter() -> None:
    assert redact("王府井大街的窗口", known=("王",)) == "王府井大街的窗口"


def test_the_longer_of_two_known_secrets_goes_first() -> None:
    assert redact("王小明月", known=("王小", "王小明月")) == MASK


@pytest.mark.parametrize("known", ["王小明", "abc-1"])
def test_a_known_name_is_masked_however_it_is_spaced_or_cased(known: str) -> None:
    spaced, upper = " ".join(known), known.upper()
    assert known[-1] not in redact(f"我是{spaced}啊", known=(known,))
    assert upper not in redact(f"我是{upper}啊", known=(known,))


@given(st.text(max_size=200))
def test_redaction_never_fails_and_a_second_pass_changes_nothing(words: str) -> None:
    once = redact(words)
    assert redact(once) == once


def test_a_long_hostile_text_is_redacted_in_no_time() -> None:
    """500 code points at most reach it; these are the worst for backtracking."""
    for worst in ("1 " * 250, "a." * 250, "a@" * 250, "微信" * 250, "-" * 500, "1-" * 250 + "x"):
        redact(worst)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("我是李四，材料被退了三次", f"我是{MASK}，材料被退了三次"),
        ("我叫欧阳修。", f"我叫{MASK}。"),
        ("联系人：赵钱孙 13900139000", f"联系人：{MASK} {MASK}"),
        ("户主是李建国，不是我", f"户主是{MASK}，不是我"),
        ("我是来办公租房的", "我是来办公租房的"),
        ("我是高兴地来的", "我是高兴地来的"),
        ("我叫了号等了两小时", "我叫了号等了两小时"),
        ("申请人为外地户籍人员不给办", "申请人为外地户籍人员不给办"),
        ("窗口的王丽态度差", "窗口的王丽态度差"),
    ],
)
def test_a_name_is_masked_where_somebody_says_whose_it_is(words: str, shown: str) -> None:
    """The name of the officer who was rude is what the complaint is about, and stays."""
    assert redact(words) == shown
