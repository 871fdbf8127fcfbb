"""A small city as sheets, for the tests of the import."""

from collections.abc import Mapping
from typing import Any

import pytest

from server.catalogue.columns import SHEETS
from server.catalogue.filled import Mistake, Mistakes
from server.catalogue.sheets import Imported, import_sheets
from server.kit import sql

PROVINCE, CITY, COUNTY = "330000000000", "330100000000", "330106000000"
BUREAU, OFFICE, DESK = "11330100MB1234567X", "11330100MB7654321A", "11330100MB0000001D"
MATTER = "1133010000000000000000000000001"

CITY_FILES = {
    "regions": f"code,name,parent_code\n{PROVINCE},浙江省,\n{CITY},杭州市,{PROVINCE}\n",
    "agencies": f"""code,name,region_code,parent_code,active
{BUREAU},市市场监管局,{CITY},,是
{OFFICE},市公安局,{CITY},,true
{DESK},市政务服务办,{CITY},,1
""",
    "halls": f"code,name,region_code,desk_agency_code,address\nH1,市民中心,{CITY},{DESK},解放东路\n"
    f"H2,西湖中心,{CITY},{DESK},\n",
    "windows": "code,hall_code,agency_code,name\n"
    f"A1,H1,{BUREAU},综合窗口\nA2,H1,{OFFICE},户籍窗口\n",
    "officers": f"number,agency_code,name\n330100-0042,{BUREAU},王芳\n",
    "questionnaires": "code,question_1,question_2,question_3,question_4,open_question\n"
    "own,指引清楚吗,流程顺吗,材料少吗,页面好用吗,还想说什么\n",
    "matters": "code,name,kind,legal_basis,agency_code,co_agency_codes,channels,questionnaire\n"
    f"{MATTER},个体工商户设立,行政许可,条例第八条,{BUREAU},{OFFICE};{DESK},窗口;短信,own\n"
    f"{MATTER}01,户口迁移,,,,,,\n",
    "tags": "code,level,text,primary\n207,2,没有提供材料样本,是\n",
    "policies": f"region_code,review_days,default_rating,sms_sign,wording,hour_to\n"
    f"{CITY},10,是,云汀政务,2,18\n",
    "wordings": "region_code,purpose,variant,template_code,text\n"
    f"{CITY},notice,1,SMS_154950909,您办理的${{item}}已办结。请回复数字\n"
    f"{CITY},thanks,2,,已收到您对${{item}}的评价，谢谢您。\n",
}


AGENCY_HEAD = "code,name,region_code,parent_code"
HALL_HEAD = "code,name,region_code,desk_agency_code"
WINDOW_HEAD = "code,hall_code,agency_code,name"
MATTER_HEAD = "code,name,agency_code,co_agency_codes"
TAG_HEAD = "dictionary,version,code,level,text,primary"
POLICY_HEAD = "region_code,sms_sign,hour_from,hour_to"
WORDING_HEAD = "region_code,purpose,variant,template_code,text"
UNKNOWN = "999999999999"


def files(**changed: str) -> dict[str, bytes]:
    return {name: text.encode() for name, text in {**CITY_FILES, **changed}.items()}


async def load(given: Mapping[str, bytes]) -> Imported:
    return await import_sheets(given, by="tester")


async def mistakes_of(**changed: str) -> list[Mistake]:
    """Of these sheets alone, on top of the city."""
    await load(files())
    return await refused({name: text.encode() for name, text in changed.items()})


async def refused(given: Mapping[str, bytes]) -> list[Mistake]:
    before = await everything()
    with pytest.raises(Mistakes) as refusal:
        await load(given)
    assert await everything() == before, "nothing of it may be stored"
    return refusal.value.mistakes


async def everything() -> dict[str, list[tuple[Any, ...]]]:
    tables = [*(sheet.table for sheet in SHEETS.values()), "beacons"]
    return {t: [tuple(r) for r in await sql.fetch(f"SELECT * FROM {t} ORDER BY 1")] for t in tables}
