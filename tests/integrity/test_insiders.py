"""Phones and openids of the staff come in as a sheet, and are only ever compared."""

from pathlib import Path

import httpx
import pytest
from factories import HOUSING, LABOUR, City
from test_commands import run

from server.catalogue.filled import Mistakes
from server.integrity.insiders import import_insiders
from server.integrity.models import Insider, Suspicion
from server.integrity.watch import watch
from server.kit import sql
from server.kit.privacy import open_vault, vault
from server.settings import Settings

HEAD = "agency_code,officer_number,phone,openid\n"
MINE, YOURS = "13900139001", "13900139002"


def sheet(*rows: str, head: str = HEAD) -> bytes:
    return (head + "\n".join(rows)).encode()


async def keys() -> set[tuple[str, str, str | None]]:
    return {(one.agency_code, one.key, one.officer_number) for one in await Insider.all()}


def key(value: str, kind: str = "phone") -> str:
    return vault().fingerprint(value, kind)


async def test_what_is_stored_is_a_keyed_hash(city: City) -> None:
    done = await import_insiders(sheet(f"{HOUSING},001,139 0013 9001,oAbC-1_x", f"{LABOUR},,,oLab"))

    assert done == (2, 3)
    assert await keys() == {
        (HOUSING, key(MINE), "001"), (HOUSING, key("oAbC-1_x", "openid"), "001"),
        (LABOUR, key("oLab", "openid"), None),
    }  # fmt: skip
    rows = str([dict(row) for row in await sql.fetch("SELECT * FROM insiders")])
    assert MINE not in rows and "oAbC-1_x" not in rows


async def test_a_sheet_replaces_the_rows_of_the_agencies_that_it_names(city: City) -> None:
    await import_insiders(sheet(f"{HOUSING},001,{MINE},", f"{LABOUR},,{MINE},"))
    await import_insiders(sheet(f"{HOUSING},,{YOURS},"))
    assert await keys() == {(HOUSING, key(YOURS), None), (LABOUR, key(MINE), None)}


async def test_every_mistake_is_told_by_row_and_nothing_is_stored(city: City) -> None:
    await import_insiders(sheet(f"{HOUSING},001,{MINE},"))
    before = await keys()
    wrong = sheet(
        f"{HOUSING},001,{YOURS},", "999,,13900139003,", f"{HOUSING},777,13900139004,",
        f"{HOUSING},001,12345,", f"{HOUSING},001,,", f"{HOUSING},001,+86 {YOURS},", f"{HOUSING},,,a b",
        ",,13900139005,", f"{HOUSING},,13900139006,o,x",
    )  # fmt: skip

    with pytest.raises(Mistakes) as refused:
        await import_insiders(wrong)

    assert [(m.row, m.column) for m in refused.value.mistakes] == [
        (3, "agency_code"), (4, "officer_number"), (5, "phone"), (6, "phone"), (7, "phone"),
        (8, "openid"), (9, "agency_code"), (10, ""),
    ]  # fmt: skip
    assert await keys() == before
    assert YOURS not in str(refused.value.detail), "a mistake names the row, not the person"


@pytest.mark.parametrize(
    "data",
    [
        b"", HEAD.encode(), b"agency_code,phone,agency_code\n", b"agency_code,officer_number\nx,1\n",
        b"phone\n1\n", b"agency_code,phone,salary\n", b"\xff\xfe\x00\x00", b'agency_code,phone\n"x',
        b"PK\x03\x04" + b"\x00" * 64,
    ],
)  # fmt: skip
async def test_what_is_no_such_sheet_is_refused(city: City, data: bytes) -> None:
    with pytest.raises(Mistakes):
        await import_insiders(data)
    assert await keys() == set()


async def test_a_sheet_of_a_spreadsheet_program_is_read(city: City) -> None:
    rows = f"phone,agency_code\r\n{MINE},{HOUSING}\r\n"
    await import_insiders(b"\xef\xbb\xbf" + rows.encode())
    assert await keys() == {(HOUSING, key(MINE), None)}
    await import_insiders(
        f"agency_code,officer_number,phone\n{HOUSING},001,{YOURS}\n".encode("gb18030")
    )
    assert await keys() == {(HOUSING, key(YOURS), "001")}


async def test_hashes_are_made_under_every_key(servers: Settings, city: City) -> None:
    old = {"b": b"another-key-another-key-another!"}
    open_vault(servers.keys | old)
    try:
        await import_insiders(sheet(f"{HOUSING},,{MINE},"))
        assert {k for _, k, _ in await keys()} == set(vault().fingerprints(MINE, "phone"))
    finally:
        open_vault(servers.keys)


async def test_a_rating_by_an_insider_is_found_whether_the_list_came_before_or_after(
    http: httpx.AsyncClient, city: City
) -> None:
    async def rated(agency: str, phone: str) -> None:
        applicant = {"kind": 1, "name": "", "phone": phone}
        code = await city.code(http, agency, applicant=applicant)
        answer = await http.post(f"/api/v1/e/{code}/review", json={"level": 5})
        assert answer.status_code == 201

    await sql.fetch("UPDATE policies SET quick_seconds = 0")
    for agency, phone in ((HOUSING, MINE), (LABOUR, MINE), (HOUSING, YOURS)):
        await rated(agency, phone)
    await watch()
    assert await Suspicion.filter(rule="insider").count() == 0

    await import_insiders(sheet(f"{HOUSING},001,{MINE},"))
    await watch()
    (one,) = await Suspicion.filter(rule="insider")
    assert (one.agency_code, one.evidence) == (HOUSING, '{"ratings": 1, "threshold": 1}')

    await rated(HOUSING, MINE)
    await watch()
    assert await Suspicion.filter(rule="insider").count() == 2


async def test_the_command_says_what_it_did_or_what_is_wrong(
    servers: Settings, city: City, tmp_path: Path
) -> None:
    file = tmp_path / "insiders.csv"
    file.write_bytes(sheet(f"{HOUSING},001,{MINE},"))
    done = run(servers, "insiders", str(file))
    assert (done.returncode, done.stdout) == (0, "1 个部门，1 个手机号和 openid\n"), done.stderr

    file.write_bytes(sheet(f"{HOUSING},001,12,"))
    refused = run(servers, "insiders", str(file))
    assert refused.returncode == 1 and "insiders.csv 第 2 行 phone" in refused.stderr

    missing = run(servers, "insiders", str(tmp_path / "none.csv"))
    assert missing.returncode == 2 and "Traceback" not in missing.stderr
