"""The commands of an operator, each as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from factories import HOUSING, REGION, City

from server.kit import sql
from server.settings import Settings

ROOT = Path(__file__).parent.parent


def run(servers: Settings, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "BASE_URL": servers.base_url,
        "KEYS": "a:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdCE=",
    } | changed
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


async def test_a_missing_setting_is_named_and_nothing_starts(servers: Settings) -> None:
    for command in ("serve", "work", "migrate"):
        done = run(servers, command, KEYS="")

        assert done.returncode == 2
        assert "KEYS" in done.stderr
        assert "Traceback" not in done.stderr


async def test_migrate_may_be_run_again_and_by_two_at_once(servers: Settings, city: City) -> None:
    command = [sys.executable, "-m", "server", "migrate"]
    environment = os.environ | {
        "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url,
        "BASE_URL": "http://x", "KEYS": "a:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdCE=",
    }  # fmt: skip
    both = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(2)]

    assert [process.wait(60) for process in both] == [0, 0]


async def test_an_exported_catalogue_is_imported_again(
    servers: Settings, city: City, tmp_path: Path
) -> None:
    exported = run(servers, "catalogue", "export", str(tmp_path))
    assert exported.returncode == 0, exported.stderr

    imported = run(servers, "catalogue", "import", str(tmp_path))

    assert imported.returncode == 0, imported.stderr
    assert "agencies: 3 行，新增 0" in imported.stdout


async def test_a_wrong_sheet_is_refused_with_sheet_row_and_column(
    servers: Settings, city: City, tmp_path: Path
) -> None:
    (tmp_path / "agencies.csv").write_text("code,name,region_code\nABC,局,999999999999\n")

    refused = run(servers, "catalogue", "import", str(tmp_path))

    assert refused.returncode == 1
    assert "agencies.csv 第 2 行 code" in refused.stderr
    assert "agencies.csv 第 2 行 region_code" in refused.stderr


async def test_an_enrolled_system_gets_a_secret_that_opens_the_api(
    servers: Settings, city: City, http: object
) -> None:
    done = run(servers, "enrol", "new-system", HOUSING, "新系统")
    assert done.returncode == 0, done.stderr
    secret = done.stdout.rpartition("client_secret: ")[2].strip()

    answer = await http.post(  # type: ignore[attr-defined]
        "/api/v1/token", json={"client_id": "new-system", "client_secret": secret}
    )

    assert answer.status_code == 200
    assert run(servers, "enrol", "new-system", HOUSING, "再来一次").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("someone", "某人", "emperor", "--region", REGION), "emperor"),
        (("someone", "某人", "handler", "--region", REGION), "部门"),
        (("someone", "某人", "auditor", "--region", "000000000001"), "区划"),
        (("handler", "某人", "auditor", "--region", REGION), "已有人"),
    ],
)
async def test_an_account_that_cannot_be_is_refused(
    servers: Settings, city: City, arguments: tuple[str, ...], complaint: str
) -> None:
    done = run(servers, "hire", *arguments)

    assert done.returncode == 1
    assert complaint in done.stderr


async def test_a_calendar_is_loaded_in_versions_and_leaves_a_job(
    servers: Settings, city: City, tmp_path: Path
) -> None:
    file = tmp_path / "2027.json"
    file.write_text('{"year": 2027, "days": [{"date": "2027-01-01", "isOffDay": true}]}')

    done = run(servers, "calendar", str(file), "--source", "公告")

    assert (done.returncode, "2027 年放假安排，第 1 版" in done.stdout) == (0, True), done.stderr
    (job,) = await sql.fetch("SELECT entrypoint, payload FROM pgqueuer")
    assert (job["entrypoint"], job["payload"]) == ("redate", b'{"year": 2027}')


async def test_a_windows_tablet_gets_its_key_once_and_loses_it(
    servers: Settings, city: City
) -> None:
    first = run(servers, "kiosk", HOUSING, "A1")
    second = run(servers, "kiosk", HOUSING, "A1")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout.startswith(f"kiosk_url: {servers.base_url}/kiosk/open/")
    assert first.stdout != second.stdout

    assert run(servers, "kiosk", HOUSING, "A1", "--revoke").returncode == 0

    rows = await sql.fetch("SELECT revoked_at, issued_by FROM kiosks")
    assert len(rows) == 2 and all(row["revoked_at"] and not row["issued_by"] for row in rows)
    for words in (("A1", "--revoke"), ("Z9",)):
        refused = run(servers, "kiosk", HOUSING, *words)
        assert refused.returncode == 1 and "Traceback" not in refused.stderr
