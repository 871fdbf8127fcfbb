"""The seed: into an empty database all of it, into its own nothing, into any other never."""

import asyncio
import signal

import pytest
from demo.place import CATALOGUE, TABLES, Place, a_server, push, sign_in

from server.demo.marks import PROVIDER_KEYS


async def test_a_second_seed_changes_nothing_but_the_address(another: Place) -> None:
    before, secrets = await another.everything(), another.document

    assert another.run(BASE_URL="http://127.0.0.1:9999") == (0, "")

    assert await another.everything() == before
    moved = another.document
    assert moved["base_url"] == "http://127.0.0.1:9999"
    assert moved["sms"]["up_url"] == secrets["sms"]["up_url"].replace(
        "http://pj.test", moved["base_url"]
    )
    for unchanged in ("clients", "staff", "matters", "tags"):
        assert moved[unchanged] == secrets[unchanged]


@pytest.mark.parametrize("left", [None, "{", '{"staff": []}'], ids=["lost", "cut off", "foreign"])
async def test_a_lost_demo_json_is_made_anew(another: Place, left: str | None) -> None:
    before, secrets = await another.everything("staff", "clients"), another.document
    ids = await another.fetch("SELECT id, username FROM staff ORDER BY id")
    (another.var / "demo.json").unlink()
    if left:
        (another.var / "demo.json").write_text(left)

    assert another.run()[0] == 0

    assert await another.everything("staff", "clients") == before
    assert await another.fetch("SELECT id, username FROM staff ORDER BY id") == ids
    healed = another.document
    assert healed["staff"][0]["password"] != secrets["staff"][0]["password"]
    assert healed["clients"][0]["client_secret"] != secrets["clients"][0]["client_secret"]
    if left is None:
        async with a_server(another) as http:
            await sign_in(http, healed["staff"][0])
            await push(http, healed, healed["clients"][0], 1)


async def test_another_citys_secrets_are_not_taken_for_this_ones(
    fresh: Place, another: Place
) -> None:
    assert fresh.run()[0] == 0
    (another.var / "demo.json").write_bytes((fresh.var / "demo.json").read_bytes())

    assert another.run()[0] == 0

    assert another.document["clients"] != fresh.document["clients"]


async def test_two_cities_differ_in_nothing_but_their_secrets(seeded: Place, fresh: Place) -> None:
    assert fresh.run()[0] == 0

    said = (
        "SELECT r.matter_code, r.channel, r.stage, r.service_number, v.level, v.tags, v.comment, "
        "v.channel, v.real_name, v.state FROM receipts r LEFT JOIN reviews v ON v.receipt_id = r.id "
        "ORDER BY r.id, v.state, v.level, v.tags"
    )
    assert await fresh.fetch(said) == await seeded.fetch(said)
    kept = [name for name in TABLES if name not in CATALOGUE]
    assert await fresh.everything(*kept) == await seeded.everything(*kept)
    assert (
        fresh.document["clients"][0]["client_secret"]
        != seeded.document["clients"][0]["client_secret"]
    )


@pytest.mark.parametrize("moment", ["reviews", "receipts"])
async def test_a_seed_that_was_killed_leaves_nothing_and_the_next_one_all(
    fresh: Place, moment: str
) -> None:
    async with fresh.open() as connection:
        await connection.execute(f"BEGIN; LOCK TABLE {moment} IN SHARE MODE")
        process = fresh.begin("seed")
        for _ in range(400):  # it stands before the locked table, with half of the city written
            if await connection.fetch("SELECT 1 FROM pg_locks WHERE NOT granted"):
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("the seed never came to this table")
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        await connection.execute("ROLLBACK")
    assert not (fresh.var / "demo.json").exists()

    assert fresh.run()[0] == 0

    counts = await fresh.fetch(
        "SELECT (SELECT count(*) FROM receipts WHERE channel <> 'grievance'), "
        "(SELECT count(*) FROM reviews WHERE channel <> 'system')"
    )
    assert tuple(counts[0]) == (5000, 2000)


async def test_two_seeds_at_once_make_one_city(fresh: Place) -> None:
    both = [fresh.begin("seed") for _ in range(2)]
    for process in both:
        assert process.wait(60) == 0, process.communicate()

    assert (await fresh.fetch("SELECT count(*) FROM receipts WHERE channel <> 'grievance'"))[0][
        0
    ] == 5000


@pytest.mark.parametrize("table", ["regions", "tags"])
async def test_a_database_with_anything_in_it_is_refused(fresh: Place, table: str) -> None:
    row = {
        "regions": "(code, name) VALUES ('330100000000', '杭州市')",
        "tags": '(dictionary, version, code, level, text, "primary", active) '
        "VALUES ('national', 2, '510', 5, '一窗受理', true, true)",
    }[table]
    await fresh.fetch(f"INSERT INTO {table} {row}")
    before = await fresh.everything()

    code, told = fresh.run()

    assert code == 1 and table in told and "Traceback" not in told
    assert await fresh.everything() == before
    assert not (fresh.var / "demo.json").exists()


@pytest.mark.parametrize("foreign", [
    "INSERT INTO regions (code, name) VALUES ('330100000000', '杭州市')",
    "INSERT INTO clients VALUES ('real', 'x', '11330100MB1234567X', '真的系统', true)",
    "UPDATE receipts SET region_code = '330100000000' WHERE id = 1",
])  # fmt: skip
async def test_a_foreign_row_among_the_demos_is_refused(another: Place, foreign: str) -> None:
    await another.fetch(foreign)
    before = await another.everything()

    code, told = another.run()

    assert code == 1 and "not the demo's" in told
    assert await another.everything() == before


async def test_the_seed_is_for_the_demo_only(fresh: Place) -> None:
    real = {"DEMO": "0", "SMS_GATEWAY": ""}
    for changed in (real, *({name: "x"} for name in PROVIDER_KEYS)):
        code, told = fresh.run(**changed)

        assert code == 1 and "Traceback" not in told
        assert "DEMO=1" in told or next(iter(changed)) in told
    assert await fresh.fetch("SELECT 1 FROM regions") == []


async def test_what_an_operator_adds_to_the_demo_city_is_the_demos(another: Place) -> None:
    await another.fetch(
        "INSERT INTO clients VALUES ('mine', 'x', '11990100MB00000031', '新系统', true)"
    )
    await another.fetch("INSERT INTO regions VALUES ('990104000000', '新区', '990100000000')")

    assert another.run()[0] == 0
