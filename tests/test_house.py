# ruff: noqa: E501
"""Laws of the house as programs."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from kit.calls import all_operations
from tortoise import Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from server import database
from server import settings as environment
from server.kit import sql
from server.kit.web import ANYONE
from server.people.guard import ANYONE_OR_CITIZEN
from server.settings import BadSetting, Settings

ROOT = Path(__file__).parent.parent
SERVER = ROOT / "server"
SOURCES = sorted([*SERVER.rglob("*.py"), *(ROOT / "sms").rglob("*.py")])
WRITTEN = [path for path in SOURCES if "migrations" not in path.parts]
"""Migrations are made by a program and never read as a whole."""
FILE_LINES, FUNCTION_LINES = 300, 30


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


TREES = {path: ast.parse(path.read_text()) for path in SOURCES}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


# Doors

OPEN = {
    "client_token", "staff_login", "wechat_login",  # they give the tokens
    "invitation", "submit_review", "undo_review", "qr_svg", "qr_png",  # behind a receipt's code
    "object_to_review", "report_pressure",
    # behind a query code
    "track", "supplement_review", "confirm_answer", "write_message", "answer_call_back",
    "questionnaire_shown", "answer_questionnaire", "hear", "give_statement", "object_to_exclusion",
    "report_pressure_after", "pressure_followed",
    "public_exclusions",  # counts, for everybody
    "wall_of_hall", "wall_of_window", "review_hall", "review_window",  # on a wall, for everybody
    "submit_grievance",  # 找茬 and 办不成事, for everybody
    "receive_replies", "receive_reports",  # behind the provider's secret
}  # fmt: skip


def test_every_operation_is_guarded_or_known_to_be_open() -> None:
    doors = {name: operation.guard for name, operation in all_operations().items()}
    open_doors = {name for name, guard in doors.items() if guard in (ANYONE, ANYONE_OR_CITIZEN)}
    assert open_doors == OPEN
    for operation in all_operations().values():
        assert operation.guard is ANYONE or operation.guard.security


def test_every_route_of_the_api_was_hung_by_a_door(app: Any) -> None:
    served = {
        re.sub(r":\w+>", ">", route.path)
        for route in app.router.routes
        if route.path.startswith("api")
    }
    assert served <= {operation.path.strip("/") for operation in all_operations().values()}


async def test_no_page_of_the_staff_opens_without_a_session(app: Any, http: Any) -> None:
    for route in app.router.routes:
        if not route.path.startswith("console") or "login" in route.path:
            continue
        path = "/" + re.sub(r"<[^>]+>", "1", route.path)
        for method in route.methods & {"GET", "POST"}:
            answer = await http.request(method, path, headers={"Accept": "text/html"})
            sent_away = answer.status_code == 303 and "/console/login" in answer.headers["location"]
            assert sent_away or answer.status_code in (401, 403), (
                f"{method} {path}: {answer.status_code}"
            )


# Settings

SECRETS = ("DATABASE_URL", "KEYS")


def test_every_setting_has_its_row_in_the_readme() -> None:
    """A table under a heading with the word Settings; each name in code font in its first column."""
    readme = (ROOT / "README.md").read_text()
    found = re.search(r"^#+ .*Settings.*?$(.*?)(?=^#+ |\Z)", readme, re.MULTILINE | re.DOTALL)
    assert found, "README.md has no heading with the word Settings"
    columns = re.findall(r"^\|([^|]*)\|", found[1], re.MULTILINE)
    named = {name for column in columns for name in re.findall(r"`([A-Z_]+)`", column)}
    assert named == set(environment._READERS)


def test_every_field_of_the_settings_is_read_from_one_name() -> None:
    read = [attribute for attribute, _ in environment._READERS.values()]
    assert sorted(read) == sorted(field.name for field in fields(Settings))


def test_no_secret_has_a_default_and_none_is_shown() -> None:
    assert set(SECRETS) <= set(environment.REQUIRED)
    required = {environment._READERS[name][0] for name in environment.REQUIRED}
    for field in fields(Settings):
        has_none = field.default is MISSING and field.default_factory is MISSING
        assert has_none is (field.name in required), field.name
    shown = repr(Settings(
        database_url="postgres://u:PASSWORD@h/d", redis_url="redis://:PASSWORD@h", base_url="b",
        keys={"a": b"PASSWORD"},
    ))  # fmt: skip
    assert "PASSWORD" not in shown, "a traceback or a log line would print it"


@pytest.mark.parametrize("missing", environment.REQUIRED)
def test_an_installation_that_forgets_a_required_setting_does_not_start(missing: str) -> None:
    given = {"DATABASE_URL": "d", "REDIS_URL": "r", "BASE_URL": "b", "KEYS": f"a:{'A' * 43}="}
    assert environment.read(given).base_url == "b"
    for left in ({k: v for k, v in given.items() if k != missing}, given | {missing: ""}):
        with pytest.raises(BadSetting, match=missing):
            environment.read(left)


def test_the_environment_is_read_in_one_place() -> None:
    allowed = {
        "server/settings.py",
        "server/up.py",
        "server/embedded.py",
        "server/serve.py",
    }
    hands_it_on = ("server/demo/", "server/bench/")
    reads = {
        name_of(path) for path in WRITTEN for node in ast.walk(TREES[path])
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }  # fmt: skip
    assert {path for path in reads - allowed if not path.startswith(hands_it_on)} == set()


# The database


def models() -> dict[str, type[Model]]:
    return dict(Tortoise.apps["models"])  # type: ignore[index, arg-type]


async def test_every_constraint_of_every_model_is_in_the_database(app: Any) -> None:
    """Tortoise 1.1.9 writes them into CreateModel and silently does not create them."""
    found = {row["conname"]: row["d"] for row in await sql.fetch(
        "SELECT conname, pg_get_constraintdef(oid) AS d FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    )} | {row["indexname"]: row["indexdef"] for row in await sql.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    )}  # fmt: skip
    wanted = 0
    for name, model in models().items():
        for constraint in model._meta.constraints:
            wanted += 1
            definition = found.get(constraint.name, "")
            assert definition, f"{name}.{constraint.name}"
            if isinstance(constraint, UniqueConstraint):
                assert "UNIQUE" in definition, f"{name}.{constraint.name}"
                assert bool(constraint.condition) is (" WHERE " in definition), (
                    f"{name}.{constraint.name}"
                )
                assert all(field in definition for field in constraint.fields), definition
            else:
                assert isinstance(constraint, CheckConstraint)
                assert definition.startswith("CHECK"), f"{name}.{constraint.name}"
    assert wanted >= 18


async def test_every_index_of_every_model_is_in_the_database(app: Any) -> None:
    rows = await sql.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    names = {row["indexname"] for row in rows}
    for name, model in models().items():
        for index in model._meta.indexes:
            if getattr(index, "name", None):
                assert index.name in names, f"{name}.{index.name}"
                continue
            columns = ", ".join(f'"?{field}"?' for field in getattr(index, "fields", index))
            pattern = rf"ON public\.\"?{model._meta.db_table}\"? .*\({columns}\)"
            assert any(re.search(pattern, row["indexdef"]) for row in rows), f"{name}: {columns}"


async def test_a_foreign_key_of_a_large_table_has_an_index(app: Any) -> None:
    """Tortoise makes none by itself; without it every undo reads the whole table."""
    rows = await sql.fetch(
        """SELECT c.conrelid::regclass::text AS "table", a.attname AS "column" FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND NOT EXISTS (
          SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1]
                                     AND i.indpred IS NULL)"""
    )
    small = {("sessions", "staff_id"), ("access_log", "staff_id")}
    assert {(row["table"], row["column"]) for row in rows} - small == set()


async def test_the_migrations_on_disk_make_the_tables_of_the_models(app: Any) -> None:
    """Apart from constraints that it finds missing in CreateModel: 0002 adds them by name."""
    changes = await _pending()
    assert changes == []


async def _pending() -> list[str]:
    detector = MigrationAutodetector(
        Tortoise.apps, database.config("postgres://x@y/z")["apps"]  # type: ignore[arg-type]
    )  # fmt: skip
    return [
        f"{type(operation).__name__} {vars(operation)}"
        for writer in await detector.changes()
        for operation in writer.operations
        # Options hold the descriptions; constraints have a test of their own.
        if not re.search("Constraint|AlterModelOptions", type(operation).__name__)
    ]


async def test_nothing_is_pending_in_a_migrated_database(app: Any) -> None:
    assert await database.pending_migrations() == set()


async def test_no_writing_transaction_notifies(app: Any) -> None:
    """NOTIFY serialises commits (5,600 a second become 1,060): pgqueuer's trigger is off, we poll."""
    triggers = await sql.fetch(
        "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE '%pgqueuer%'"
    )
    assert all(row["tgenabled"] in (b"D", "D") for row in triggers), triggers
    others = await sql.fetch(
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text NOT LIKE '%pgqueuer%'"
    )
    assert others == []


# Reading


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LINES


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef, text: list[str]) -> int:
    """From the name to the end; without decorators, docstring, comments and empty lines."""
    lines = set(range(function.lineno, (function.end_lineno or 0) + 1))
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        lines -= set(range(first.lineno, (first.end_lineno or 0) + 1))
    return sum(1 for n in lines if (line := text[n - 1].strip()) and not line.startswith("#"))


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_a_function_is_seen_at_once(path: Path) -> None:
    text = path.read_text().splitlines()
    found = {f"{f.name}:{f.lineno}": code_lines(f, text) for f in functions(path)}
    assert {name: lines for name, lines in found.items() if lines > FUNCTION_LINES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = re.compile(
        r"(utils?|helpers?|common|misc|stuff|lib|base|core|manager|tools?)", re.IGNORECASE
    )
    names = {part for path in WRITTEN for part in (path.stem, path.parent.name)}
    assert [name for name in names if empty.fullmatch(name)] == []


PLACES = (
    "北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西", "山东",
    "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海", "台湾", "内蒙古", "广西",
    "西藏", "宁夏", "新疆", "香港", "澳门", "杭州", "宁波", "温州", "南京", "苏州", "广州", "深圳", "成都", "武汉",
    "西安", "郑州", "长沙", "沈阳", "青岛", "济南", "厦门", "合肥", "福州", "昆明", "大连", "佛山", "东莞", "雄安",
    "浦东", "余杭", "海淀", "朝阳区",
    "公安局", "税务局", "民政局", "人社局", "住建局", "市场监管局", "自然资源局", "行政审批局", "政务服务管理局", "大数据局",
)  # fmt: skip
LATIN_PLACES = re.compile(
    r"\b(zhejiang|guangdong|jiangsu|shanghai|tianjin|chongqing|sichuan|hangzhou|shenzhen|guangzhou|nanjing|wuhan|chengdu)\b",
    re.IGNORECASE,
)
OF_A_PLACE = ("demo", "calendars", "data", "seed", "bench")
"""Data of places, in folders or files of that name, not rules for them."""


def test_no_province_city_or_agency_stands_in_the_code() -> None:
    found = []
    for path in [*SERVER.rglob("*.py"), *SERVER.rglob("*.html"), *SERVER.rglob("*.js")]:
        parts = {part.partition(".")[0] for part in path.relative_to(SERVER.parent).parts}
        if parts & set(OF_A_PLACE):
            continue
        text = path.read_text().replace("BEIJING", "")
        found += [f"{name_of(path)}: {place}" for place in PLACES if place in text]
        found += [f"{name_of(path)}: {m[0]}" for m in LATIN_PLACES.finditer(text)]
    assert found == []


def test_the_floors_hold() -> None:
    lint = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert lint.returncode == 0, lint.stdout[-3000:] + lint.stderr[-500:]


# Time

CLOCKS = {"server/kit/clock.py", "server/kit/log.py"}
NOW_CALLS = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime", "fromtimestamp"}


def clock_calls(path: Path) -> Iterator[str]:
    """Calls of a clock that is not ours: `datetime.now()`, `date.today()`, `time.time()`."""
    for function in [TREES[path], *functions(path)]:
        for node in ast.walk(function) if function is not TREES[path] else ():
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = ast.unparse(node.func.value)
            if node.func.attr in NOW_CALLS and owner in (
                "datetime",
                "date",
                "time",
                "datetime.datetime",
            ):
                yield f"{function.name}: {owner}.{node.func.attr}"  # type: ignore[union-attr]


RULED = [
    path for path in WRITTEN
    if not set(path.parts) & {"bench", "sms"} and path.stem not in ("up", "embedded", "serve", "__main__")
]  # fmt: skip


def test_there_is_one_clock() -> None:
    found = {f"{name_of(path)} {call}" for path in RULED for call in clock_calls(path)}
    allowed = {f"{path} " for path in CLOCKS}
    left = {call for call in found if not call.startswith(tuple(allowed))}
    # The machine's time in a key is no decision: it only keeps neighbours together.
    assert {call for call in left if "new_id: time.time_ns" not in call} == set()


def test_no_statement_asks_the_databases_clock() -> None:
    word = re.compile(
        r"\b(now\(\)|current_timestamp|current_date|localtimestamp|clock_timestamp)", re.IGNORECASE
    )
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in RULED for node in ast.walk(TREES[path])
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and word.search(node.value)
        and " " in node.value.strip() and re.search(r"\b(SELECT|UPDATE|INSERT|DELETE|WHERE)\b", node.value)
    ]  # fmt: skip
    assert found == []


def test_rules_take_the_time_as_an_argument() -> None:
    for path in WRITTEN:
        if path.stem in ("rules", "deadlines", "redaction", "calendar", "measures"):
            imported = {
                a.name
                for n in ast.walk(TREES[path])
                if isinstance(n, ast.ImportFrom)
                for a in n.names
            }
            assert "clock" not in imported, name_of(path)


# Words that leave the house


def test_a_log_line_is_a_text_with_arguments() -> None:
    """The allow-list prints the template; a text that was put together before would go through."""
    found = []
    for path in WRITTEN:
        for node in ast.walk(TREES[path]):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
            ):
                continue
            if ast.unparse(node.func.value) not in ("log", "logger"):
                continue
            if node.func.attr in ("debug", "info", "warning", "error", "exception", "critical"):
                constant = isinstance(node.args[0], ast.Constant) and isinstance(
                    node.args[0].value, str
                )
                found += [] if constant else [f"{name_of(path)}:{node.lineno}"]
    assert found == []


def test_nothing_is_printed_but_by_commands() -> None:
    commands = {"__main__", "up", "due", "commands", "demo", "bench", "embedded"}
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in WRITTEN for node in ast.walk(TREES[path])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        and not {path.stem, path.parent.name} & commands
    ]  # fmt: skip
    assert found == []


def test_a_template_marks_only_its_own_words_as_safe_and_loads_nothing_from_elsewhere() -> None:
    for path in SERVER.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"""[^"'\s]\s*\|\s*safe\b|autoescape\s+false""", text), name_of(path)
        assert not re.search(r"""(src|href|action)\s*=\s*["']?(https?:)?//""", text), name_of(path)
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+\s*=|\sstyle\s*=|<style", text), (
            name_of(path)
        )


def test_transactions_are_opened_by_the_one_that_gives_everything_back() -> None:
    """Tortoise's own leaks its connection when BEGIN fails: see kit/transaction.py."""
    users = [
        path
        for path in (ROOT / "server").rglob("*.py")
        if "in_transaction(" in path.read_text().replace("is_in_transaction(", "")
    ]
    assert [path.name for path in users] == ["transaction.py"]
