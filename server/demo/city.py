"""The invented city as the sheets that a real one would import: 云汀市, a place on no map.

Region codes 9901… are assigned to nobody.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from server.catalogue.sheets import national_tags
from server.catalogue.wordings import shipped

DATA = Path(__file__).parent / "data"
CITY, LINXI, WANGHU, QINGPING = "990100000000", "990102000000", "990103000000", "990121000000"
REGIONS = {CITY: "云汀市", LINXI: "临溪区", WANGHU: "望湖区", QINGPING: "青屏县"}
DESK = "11990100MB0000001T"
SEED = 20260701
OFFICERS_EACH = 5


@dataclass(frozen=True)
class Bureau:
    key: str
    """Pinyin, as in its people's user names."""
    code: str
    name: str
    region: str


BUREAUS = (
    Bureau("rs", "11990100MB00000031", "云汀市人力资源和社会保障局", CITY),
    Bureau("zg", "11990100MB00000057", "云汀市自然资源和规划局", CITY),
    Bureau("ga", "11990100MB0000002X", "云汀市公安局", CITY),
    Bureau("zw", DESK, "云汀市政务服务管理局", CITY),
    Bureau("sc", "11990100MB00000044", "云汀市市场监督管理局", CITY),
    Bureau("yb", "11990100MB0000006A", "云汀市医疗保障局", CITY),
    Bureau("mz", "11990102MB00002013", "临溪区民政局", LINXI),
    Bureau("zj", "11990102MB00002026", "临溪区住房和城乡建设局", LINXI),
    Bureau("ws", "11990103MB00003017", "望湖区卫生健康局", WANGHU),
    Bureau("jy", "11990103MB0000302A", "望湖区教育局", WANGHU),
    Bureau("ny", "11990121MB0002101C", "青屏县农业农村局", QINGPING),
    Bureau("jt", "11990121MB0002102F", "青屏县交通运输局", QINGPING),
)
OF_KEY = {bureau.key: bureau for bureau in BUREAUS}


@dataclass(frozen=True)
class House:
    code: str
    name: str
    region: str
    address: str
    letter: str
    seats: Sequence[tuple[str, int, str]]
    """Who sits at how many windows, and what the windows are called."""


HOUSES = (
    House(
        "YT01", "云汀市市民中心", CITY, "云汀市汀洲大道 1 号", "A",
        (("zw", 3, "综合受理"), ("ga", 3, "公安户政"), ("rs", 3, "社保人才"),
         ("sc", 3, "企业开办"), ("zg", 2, "不动产登记"), ("yb", 2, "医疗保障")),
    ),
    House(
        "LX01", "临溪区政务服务中心", LINXI, "临溪区竹溪路 88 号", "L",
        (("zw", 1, "综合受理"), ("mz", 3, "民政事务"), ("zj", 3, "住房建设"), ("rs", 1, "社保经办")),
    ),
    House(
        "WH01", "望湖区政务服务中心", WANGHU, "望湖区镜湖路 16 号", "W",
        (("zw", 1, "综合受理"), ("ws", 3, "卫生健康"), ("jy", 2, "教育服务"),
         ("ga", 1, "公安户政"), ("sc", 1, "企业开办")),
    ),
    House(
        "QP01", "青屏县政务服务中心", QINGPING, "青屏县屏山街 5 号", "Q",
        (("zw", 1, "综合受理"), ("ny", 3, "农业农村"), ("jt", 3, "交通运输"), ("rs", 1, "社保经办")),
    ),
)  # fmt: skip

_QUESTIONNAIRES = {"rs": "national", "ga": "national", "zg": "reform"}
"""Which bureaus ask more after a rating."""
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜"
GIVEN = "安宁文静志远明秀兰建国雨桐子涵思源佳怡海涛晓峰春梅立新俊杰雪莹长青若溪"


def person(rng: Random) -> str:
    return rng.choice(SURNAMES) + "".join(rng.sample(GIVEN, rng.choice((1, 2, 2))))


def sheets() -> dict[str, bytes]:
    """All of the catalogue but its calendars."""
    return {
        "regions": _sheet(
            ["code", "name", "parent_code"],
            ([code, name, "" if code == CITY else CITY] for code, name in REGIONS.items()),
        ),
        "policies": _sheet(
            ["region_code", "sms_sign", "invite_minutes", "sample_permille", "repeat_bad",
             "default_rating"],
            ([code, "云汀政务", "0", "150", "7", "是" if code == LINXI else "否"]
             for code in (CITY, LINXI)),
        ),
        "wordings": _sheet(
            ["region_code", "purpose", "variant", "template_code", "text"], _wordings()
        ),
        "agencies": _sheet(["code", "name", "region_code"], ([b.code, b.name, b.region] for b in BUREAUS)),
        "halls": _sheet(
            ["code", "name", "region_code", "desk_agency_code", "address"],
            ([h.code, h.name, h.region, DESK, h.address] for h in HOUSES),
        ),
        "windows": _sheet(["code", "hall_code", "agency_code", "name"], window_rows()),
        "officers": _sheet(["number", "agency_code", "name"], _officers()),
        "matters": _sheet(
            ["code", "name", "kind", "agency_code", "co_agency_codes", "channels", "questionnaire"],
            _matters(),
        ),
        "tags": national_tags(),
    }  # fmt: skip


def _sheet(head: list[str], rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([head, *rows])
    return out.getvalue().encode()


def _wordings() -> Iterable[list[str]]:
    """As a provider would have approved them, so that the demo's gateway takes them."""
    for number, wording in enumerate(shipped().values(), start=1):
        code = f"SMS_9901{number:05d}"
        yield [CITY, wording.purpose, str(wording.variant), code, wording.text]


def window_rows() -> Iterable[list[str]]:
    for house in HOUSES:
        number = 0
        for key, seats, name in house.seats:
            for seat in range(1, seats + 1):
                number += 1
                shown = f"{number:02d}号 {name}{f'（{seat}）' if seats > 1 else ''}"
                yield [f"{house.letter}{number:02d}", house.code, OF_KEY[key].code, shown]


def _officers() -> Iterable[list[str]]:
    rng = Random(SEED)  # noqa: S311
    for place, bureau in enumerate(BUREAUS):
        for number in range(1, OFFICERS_EACH + 1):
            shown = place * OFFICERS_EACH + number
            yield [f"{bureau.region[:6]}-{shown:04d}", bureau.code, person(rng)]


def table(name: str) -> list[dict[str, str]]:
    """One of the lists that lie beside this module."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _matters() -> Iterable[list[str]]:
    for number, row in enumerate(table("matters"), start=1):
        bureau = OF_KEY.get(row["agency"])
        others = ";".join(OF_KEY[key].code for key in filter(None, row["with"].split(";")))
        channels = "评价器;二维码;短信;网页;电话" + (";纸质评价表" if number % 3 == 0 else "")
        yield [
            matter_code(number, bureau), row["name"], row["kind"], bureau.code if bureau else "",
            others, channels, _QUESTIONNAIRES.get(row["agency"], ""),
        ]  # fmt: skip


def matter_code(number: int, bureau: Bureau | None) -> str:
    """31 characters; where one matter has several 业务办理项, 33."""
    whose = bureau.code if bureau else f"{CITY}000000"
    return f"{whose}4{number:03d}000000000" + ("01" if number % 8 == 0 else "")


def slow_matters() -> frozenset[str]:
    """Where this city's people are stuck: 堵点."""
    return frozenset(
        matter_code(number, OF_KEY.get(row["agency"]))
        for number, row in enumerate(table("matters"), start=1)
        if row["slow"]
    )
