import re

import pytest
from catalogue.city import (
    AGENCY_HEAD,
    BUREAU,
    CITY,
    CITY_FILES,
    COUNTY,
    DESK,
    HALL_HEAD,
    MATTER,
    MATTER_HEAD,
    OFFICE,
    POLICY_HEAD,
    PROVINCE,
    TAG_HEAD,
    UNKNOWN,
    WINDOW_HEAD,
    WORDING_HEAD,
    files,
    load,
    mistakes_of,
    refused,
)

from server.catalogue.filled import Mistakes
from server.catalogue.models import Region

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize(
    ("sheet", "text", "row", "column", "words"),
    [
        ("regions", "", 1, "", "表是空的.*code,name,parent_code"),
        ("regions", "\n\n", 1, "", "表是空的"),
        ("regions", "code,name,colour\n", 1, "colour", "没有“colour”这一列.*parent_code"),
        ("regions", "code,name,code\n", 1, "code", "两次"),
        ("regions", "code\n", 1, "name", "缺少这一列"),
        ("regions", "code;name\n", 1, "", "英文逗号.*“code;name”"),
        ("regions", "code\tname\n", 1, "", "英文逗号"),
        ("regions", f"code,name\n{CITY},\n", 2, "name", "不能空着"),
        ("regions", f"code,name\n{CITY},　\n", 2, "name", "不能空着"),
        ("regions", f"code,name\n{CITY}\n", 2, "name", "不能空着"),
        ("regions", f"code,name\n{CITY},杭州,多\n", 2, "", "第 3 格“多”上面没有列名"),
        ("regions", "code,name\n3301,杭州\n", 2, "code", "12 位数字.*“3301”"),
        ("regions", "code,name\n3.301E+11,杭州\n", 2, "code", "科学记数"),
        ("regions", "code,name\n３３０１００００００００,杭州\n", 2, "code", "12 位数字"),
        ("regions", f"code,name\n{CITY},{'杭' * 101}\n", 2, "name", "最多 100 个字，现在有 101"),
        ("regions", f"code,name\n{CITY},杭\0州\n", 2, "name", r"第 2 个字是空字符（U\+0000）"),
        ("regions", f'code,name\n{CITY},"杭\n州"\n', 2, "name", "换行"),
        ("regions", f"code,name\n{CITY},杭\x1b州\n", 2, "name", r"控制字符（U\+001B）"),
        ("regions", f"code,name\n{CITY},杭\u202e州\n", 2, "name", r"U\+202E"),
        ("regions", f"code,name\n{CITY},杭\ufffd州\n", 2, "name", "乱码"),
        ("regions", f'code,name\n\n{CITY},"杭州\n', 3, "", "引号没有配对"),
        ("regions", f'code,name\n{CITY},"杭"州\n', 2, "", "引号没有配对"),
        ("regions", f'code,name\n{CITY},"{"杭" * 140_000}"\n', 2, "", "引号没有配对"),
        ("regions", f"code,name\n{CITY},甲\n\n{CITY},乙\n", 4, "code", f"{CITY} 与第 2 行重复"),
        ("regions", f"code,name,parent_code\n{CITY},杭州,{UNKNOWN}\n", 2, "parent_code", UNKNOWN),
        ("regions", f"code,name,parent_code\n{CITY},杭州,{CITY}\n", 2, "parent_code", "自己"),
        (
            "regions", f"code,name,parent_code\n{PROVINCE},浙江,{CITY}\n", 2, "parent_code",
            f"一圈：{PROVINCE} → {CITY} → {PROVINCE}",
        ),
        ("agencies", f"{AGENCY_HEAD}\n11330100MB123456IO,局,{CITY},\n", 2, "code", "I O Z S V"),
        ("agencies", f"{AGENCY_HEAD}\n{BUREAU.lower()},局,{CITY},\n", 2, "code", "大写字母"),
        ("agencies", f"{AGENCY_HEAD}\n{BUREAU},局,{UNKNOWN},\n", 2, "region_code", "regions.csv"),
        ("agencies", f"{AGENCY_HEAD}\n{BUREAU},局,,\n", 2, "region_code", "不能空着"),
        ("agencies", f"{AGENCY_HEAD}\n{BUREAU},局,{CITY},{BUREAU}\n", 2, "parent_code", "自己"),
        ("agencies", f"code,name,region_code,active\n{BUREAU},局,{CITY},停\n", 2, "active", "“停”"),
        ("halls", f"{HALL_HEAD}\nH9,厅,{UNKNOWN},{DESK}\n", 2, "region_code", UNKNOWN),
        ("halls", f"{HALL_HEAD}\nH9,厅,{CITY},{BUREAU[:-1]}2\n", 2, "desk_agency_code", "agencies"),
        ("halls", f"{HALL_HEAD}\nH/9,厅,{CITY},{DESK}\n", 2, "code", "网址"),
        ("halls", f"{HALL_HEAD}\n..,厅,{CITY},{DESK}\n", 2, "code", "网址"),
        ("windows", f"{WINDOW_HEAD}\nA9,H9,{BUREAU},窗\n", 2, "hall_code", "H9.*halls.csv"),
        ("windows", f"{WINDOW_HEAD}\nA9,H1,{BUREAU[:-1]}2,窗\n", 2, "agency_code", "agencies.csv"),
        (
            "windows", f"{WINDOW_HEAD}\nA9,H1,{BUREAU},窗\nA9,H2,{BUREAU},窗\n", 3, "code",
            "A9 与第 2 行重复",
        ),
        (
            "windows", f"{WINDOW_HEAD}\nA9,H1,{BUREAU},窗\nA9,H1,{OFFICE},窗\n", 3, "code",
            f"大厅 H1 的窗口编号 A9 已经属于第 2 行部门 {BUREAU}",
        ),
        (
            "windows", f"{WINDOW_HEAD}\nA1,H1,{OFFICE},窗\n", 2, "code",
            f"大厅 H1 的窗口编号 A1 已经属于系统里已有的部门 {BUREAU}",
        ),
        ("officers", f"number,agency_code,name\n1 2,{BUREAU},王\n", 2, "number", "空白"),
        ("officers", f"number,agency_code,name\n1,{BUREAU[:-1]}2,王\n", 2, "agency_code", "既不"),
        (
            "officers", f"number,agency_code,name\n1,{BUREAU},王\n1,{BUREAU},李\n", 3, "number",
            f"{BUREAU}、1 与第 2 行重复",
        ),
        ("matters", f"{MATTER_HEAD}\n{MATTER}0,事,,\n", 2, "code", "31 位.*33 位"),
        ("matters", f"{MATTER_HEAD}\n1.13301E+30,事,,\n", 2, "code", "科学记数"),
        ("matters", f"{MATTER_HEAD}\n{MATTER},事,{BUREAU[:-1]}2,\n", 2, "agency_code", "agencies"),
        (
            "matters", f"{MATTER_HEAD}\n{MATTER},事,{BUREAU},{OFFICE};{BUREAU[:-1]}2\n", 2,
            "co_agency_codes", f"^{BUREAU[:-1]}2 既不在",
        ),
        (
            "matters", f"{MATTER_HEAD}\n{MATTER},事,{BUREAU},{OFFICE};{OFFICE}\n", 2,
            "co_agency_codes", f"{OFFICE}”写了两次",
        ),
        (
            "matters", f"{MATTER_HEAD}\n{MATTER},事,{BUREAU},{OFFICE}；{BUREAU}\n", 2,
            "co_agency_codes", "不能同时是协办部门",
        ),
        ("tags", f"{TAG_HEAD}\nnational,2,607,6,词,是\n", 2, "level", "1 到 5 .*“6”"),
        ("tags", f"{TAG_HEAD}\n,,107,2,词,是\n", 2, "code", "107 不属于等级 2"),
        ("tags", f"{TAG_HEAD}\nnational,0,107,1,词,是\n", 2, "version", "1 到"),
        ("tags", f"{TAG_HEAD}\nlocal,1,L1,2,词,对\n", 2, "primary", "是 或 否"),
        ("tags", f"{TAG_HEAD}\nlocal,1,L1,2,词,\nlocal,1,L1,2,词,\n", 3, "code", "L1 与第 2 行"),
        ("policies", f"region_code,review_days\n{UNKNOWN},7\n", 2, "region_code", UNKNOWN),
        ("policies", f"region_code,undo_minutes\n{CITY},1441\n", 2, "undo_minutes", "0 到 1440"),
        ("policies", f"region_code,contact_days\n{CITY},0\n", 2, "contact_days", "1 到 250"),
        ("policies", f"region_code,complex_days\n{CITY},251\n", 2, "complex_days", "1 到 250"),
        ("policies", f"region_code,silence_days\n{CITY},91\n", 2, "silence_days", "1 到 90"),
        ("policies", f"region_code,simple_days\n{CITY},3.5\n", 2, "simple_days", "整数"),
        ("policies", f"region_code,daily_messages\n{CITY},4\n", 2, "daily_messages", "1 到 3"),
        ("policies", f"region_code,question_hours\n{CITY},25\n", 2, "question_hours", "1 到 24"),
        ("policies", f"region_code,wording\n{CITY},3\n", 2, "wording", "1 到 2"),
        ("policies", f"{POLICY_HEAD}\n{CITY},【云汀】,,\n", 2, "sms_sign", "2 到 12 个字.*不带【】"),
        ("policies", f"{POLICY_HEAD}\n{CITY},,20,20\n", 2, "hour_to", "晚于 hour_from（20 点）"),
        ("policies", f"{POLICY_HEAD}\n{CITY},,,9\n", 2, "hour_to", "9 点"),
        ("policies", f"region_code,hour_from\n{CITY},19\n", 2, "hour_to", "现在是 18 点"),
        ("wordings", f"{WORDING_HEAD}\n{CITY},hello,1,,字\n", 2, "purpose", "notice、.*“hello”"),
        ("wordings", f"{WORDING_HEAD}\n{CITY},thanks,3,,谢\n", 2, "variant", "1 到 2"),
        ("wordings", f"{WORDING_HEAD}\n{CITY},thanks,1,模板,谢\n", 2, "template_code", "模板编号"),
        ("wordings", f"{WORDING_HEAD}\n{UNKNOWN},thanks,1,,谢\n", 2, "region_code", "regions"),
        ("wordings", f"{WORDING_HEAD}\n{CITY},thanks,1,,\n", 2, "text", "不能空着"),
        ("wordings", f"{WORDING_HEAD}\n{CITY},thanks,1,,【市】谢\n", 2, "text", "不能使用【】"),
        ("wordings", f"{WORDING_HEAD}\n{CITY},notice,1,,您的${{item}}${{date}}\n", 2, "text", "紧挨着"),
        ("wordings", f"{WORDING_HEAD}\n{CITY},notice,1,,已办结\n", 2, "text", r"缺少变量 \$\{item\}"),
        (
            "wordings", f"{WORDING_HEAD}\n{CITY},thanks,1,,谢${{name}}\n", 2, "text",
            r"没有 \$\{name\} 这个变量；thanks 可用的变量有 \$\{item\}",
        ),
        (
            "wordings", f"{WORDING_HEAD}\n{CITY},notice,1,,您的${{item}}已办结，拒收请回复R\n", 2,
            "text", "服务通知不能带",
        ),
        (
            "wordings", f"{WORDING_HEAD}\n{CITY},thanks,1,,谢\n{CITY},thanks,1,,谢\n", 3,
            "variant", "thanks、1 与第 2 行重复",
        ),
        ("people", "code\n", 0, "", "没有这张表；可以导入的表有 regions、"),
    ],
)  # fmt: skip
async def test_a_mistake_is_named_with_its_sheet_row_and_column(
    sheet: str, text: str, row: int, column: str, words: str
) -> None:
    found = await mistakes_of(**{sheet: text})
    assert [mistake[:3] for mistake in found] == [(sheet, row, column)], found
    assert re.search(words, found[0].detail), found[0].detail


@pytest.mark.parametrize(
    ("data", "row", "words"),
    [
        ("编码,名称".encode("utf-16"), 1, "既不是 UTF-8 也不是 GB18030.*第 1 个字节是 0xFF"),
        (b"code,name\n1,\xff\n", 2, "第 13 个字节是 0xFF"),
        (
            "code,name\n1,杭州市政府".encode() + b"\xe6\n",
            2,
            "UTF-8 编码有损坏.*第 28 个字节是 0xE6",
        ),
        (b"\xef\xbb\xbfcode,\xc1\xab\n", 1, "UTF-8 编码有损坏.*第 9 个字节是 0xC1"),
    ],
)
async def test_bytes_that_are_no_text_are_named(data: bytes, row: int, words: str) -> None:
    (mistake,) = await refused({"regions": data})
    assert mistake.row == row
    assert re.search(words, mistake.detail), mistake.detail


async def test_every_mistake_of_every_sheet_is_told_at_once_in_order() -> None:
    found = await refused(
        files(
            agencies=f"{AGENCY_HEAD}\n{BUREAU},局,{UNKNOWN},\n{OFFICE},,{CITY},\n{DESK},办,{CITY},\n",
            matters=f"{MATTER_HEAD}\n{MATTER},,{BUREAU},x\n",
        )
    )
    assert [mistake[:3] for mistake in found] == [
        ("agencies", 2, "region_code"),
        ("agencies", 3, "name"),
        ("matters", 2, "name"),
        ("matters", 2, "co_agency_codes"),
    ]


async def test_a_row_with_a_mistake_still_counts_for_those_that_refer_to_it() -> None:
    found = await refused(files(agencies=CITY_FILES["agencies"].replace("市公安局", "")))
    assert [mistake[:3] for mistake in found] == [("agencies", 3, "name")]


async def test_a_thousand_mistakes_are_shown_and_the_others_counted() -> None:
    text = "code,name\n" + "x,名\n" * 1234
    with pytest.raises(Mistakes) as refusal:
        await load({"regions": text.encode()})
    assert (len(refusal.value.mistakes), refusal.value.more) == (1000, 234)
    assert refusal.value.code == "catalogue_mistakes"
    assert "1234" in refusal.value.detail
    assert "234 处" in refusal.value.detail
    first = refusal.value.errors[0]
    assert (first.field, first.code) == ("regions.2.code", "mistake")


async def test_a_circle_is_found_over_the_sheet_and_what_is_stored() -> None:
    text = f"code,name,parent_code\n{PROVINCE},浙江,{COUNTY}\n{COUNTY},西湖,{CITY}\n"
    found = await mistakes_of(regions=text)
    assert [mistake[:3] for mistake in found] == [
        ("regions", 2, "parent_code"),
        ("regions", 3, "parent_code"),
    ]


async def test_a_long_way_up_is_no_circle() -> None:
    text = "code,name,parent_code\n" + "".join(
        f"{code:012},村,{code + 1:012}\n" for code in range(3000)
    )
    await load({"regions": (text + f"{3000:012},省,\n").encode()})
    assert await Region.all().count() == 3001
