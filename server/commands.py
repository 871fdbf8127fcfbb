"""What an operator does once in a while: catalogue, calendars, accounts."""

import secrets
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import pyotp

from server import database
from server.catalogue import service as catalogue
from server.catalogue.filled import Mistakes
from server.catalogue.sheets import export_sheets, import_sheets
from server.catalogue.years import load_year
from server.grievances import national
from server.integrity.insiders import import_insiders
from server.kit.errors import Refusal
from server.kit.privacy import open_vault
from server.kit.web import local
from server.people import service as people
from server.reviews import kiosks
from server.reviews.sampling import Redraw, draw_again
from server.settings import Settings

BY = "command line"


async def _with_database(settings: Settings, act: Callable[[], Awaitable[None]]) -> int:
    open_vault(settings.keys)
    await database.connect(settings, command_seconds=60)
    try:
        await catalogue.load()
        await act()
    except Refusal as refusal:
        print(f"haochaping: {refusal.detail}", file=sys.stderr)
        _print_mistakes(refusal)
        return 1
    finally:
        await database.disconnect()
    return 0


def _print_mistakes(refusal: Refusal) -> None:
    if isinstance(refusal, Mistakes):
        for m in refusal.mistakes:
            print(f"  {m.sheet}.csv 第 {m.row} 行 {m.column}：{m.detail}", file=sys.stderr)
    if isinstance(refusal, national.FileMistakes):
        for mistake in refusal.mistakes:
            print(f"  {mistake}", file=sys.stderr)


async def move_catalogue(settings: Settings, what: str, folder: str) -> int:
    """Every sheet that the folder has, all or none; or all sheets into the folder."""
    place = Path(folder)

    async def bring_in() -> None:
        files = {path.stem: path.read_bytes() for path in sorted(place.glob("*.csv"))}
        imported = await import_sheets(files, by=BY)
        for name, count in imported.sheets.items():
            print(f"{name}: {count.read} 行，新增 {count.added}，更新 {count.changed}")

    async def bring_out() -> None:
        place.mkdir(parents=True, exist_ok=True)
        for name, sheet in (await export_sheets()).items():
            (place / f"{name}.csv").write_bytes(sheet)
        print(f"已写到 {place}")

    if what == "import" and not any(place.glob("*.csv")):
        print(f"haochaping: {place} 里没有 .csv 文件", file=sys.stderr)
        return 2
    return await _with_database(settings, bring_in if what == "import" else bring_out)


async def bring_in_grievances(settings: Settings, file: str, by: str) -> int:
    """Every case of the national platform's file, or none."""

    async def bring_in() -> None:
        brought = await national.bring_in(Path(file).read_bytes(), by)
        print(f"新登记 {len(brought.new)} 件，已经登记过 {brought.known} 件")
        for number in brought.differ:
            print(f"  单号 {number}：内容与登记过的不同，没有改动")

    if not Path(file).is_file():
        print(f"haochaping: 没有文件 {file}", file=sys.stderr)
        return 2
    return await _with_database(settings, bring_in)


async def bring_out_grievances(settings: Settings, since: date) -> int:
    """To standard output, as CSV."""

    async def bring_out() -> None:
        sys.stdout.buffer.write(await national.answers(since))
        sys.stdout.flush()

    return await _with_database(settings, bring_out)


async def load_calendar(settings: Settings, file: str, source: str) -> int:
    async def load() -> None:
        row = await load_year(Path(file).read_bytes(), source=source or file, by=BY)
        print(f"{row.year} 年放假安排，第 {row.version} 版")

    if not Path(file).is_file():
        print(f"haochaping: 没有文件 {file}", file=sys.stderr)
        return 2
    return await _with_database(settings, load)


async def load_insiders(settings: Settings, file: str) -> int:
    """Instead of what was known of the agencies in the file."""

    async def load() -> None:
        agencies, count = await import_insiders(Path(file).read_bytes())
        print(f"{agencies} 个部门，{count} 个手机号和 openid")

    if not Path(file).is_file():
        print(f"haochaping: 没有文件 {file}", file=sys.stderr)
        return 2
    return await _with_database(settings, load)


async def enrol(settings: Settings, client_id: str, agency_code: str, name: str) -> int:
    async def add() -> None:
        secret = await people.enrol_client(client_id, agency_code, name)
        print(f"client_id: {client_id}\nclient_secret: {secret}")

    return await _with_database(settings, add)


async def kiosk(settings: Settings, agency_code: str, window_code: str, revoke: bool) -> int:
    """A new key for a window's tablet, whatever it had before; or none any more."""

    async def change() -> None:
        standing = (await kiosks.standing([agency_code])).get((agency_code, window_code))
        now = standing["id"] if standing else None
        if not revoke:
            key = await kiosks.issue(agency_code, window_code, instead_of=now, by=None)
            print(f"kiosk_url: {kiosks.address(settings.base_url, key)}")
        elif now is None:
            raise kiosks.NoKiosk
        else:
            await kiosks.revoke(now, None)

    return await _with_database(settings, change)


async def hire(
    settings: Settings, username: str, name: str, role: str, agency: str | None, region: str | None
) -> int:
    async def add() -> None:
        password, totp = secrets.token_urlsafe(12), pyotp.random_base32()
        await people.hire(
            username=username,
            name=name,
            role=people.role_named(role),
            password=password,
            totp_secret=totp,
            agency_code=agency,
            region_code=people.region_for(agency, region),
        )
        print(f"username: {username}\npassword: {password}\ntotp_secret: {totp}")

    return await _with_database(settings, add)


async def draw_sample_again(settings: Settings, region: str, day: str) -> int:
    """Exit 1 if there was no draw, 3 if the draw is not the one that its seed makes."""
    try:
        of = date.fromisoformat(day)
    except ValueError:
        print(f"haochaping: 日期须写成 YYYY-MM-DD：{day}", file=sys.stderr)
        return 2
    found: list[Redraw] = []

    async def look() -> None:
        if again := await draw_again(region, of):
            found.append(again)

    failed = await _with_database(settings, look)
    if failed or not found:
        print(f"haochaping: {region} {day} 没有抽取过", file=sys.stderr)
        return failed or 1
    _print_draw(found[0])
    return 3 if found[0].unexplained else 0


def _print_draw(again: Redraw) -> None:
    sample = again.sample
    print(f"种子 {sample['seed']}")
    print(
        f"满意评价 {sample['population']} 条，比例 {sample['permille']}‰，抽取 {sample['drawn']} 条，"
        f"抽取时间 {local(sample['drawn_at']).isoformat()}"
    )
    for one in again.drawn:
        print(
            f"  {one}{'  现已不在范围内（撤回、核实、不予采纳或已忘记）' if one in again.left else ''}"
        )
    for one in again.unexplained:
        print(f"  与种子不符：{one}", file=sys.stderr)
    if not again.unexplained:
        print("按种子重新抽取，结果一致")
