"""What is shipped holds the platform's rules and ours; what breaks them does not get through."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mpweb.conftest import HERE, MINIPROGRAM, build
from mpweb.words import made
from test_house import LATIN_PLACES, PLACES

from server.messages.notices import PAGE

SOURCES = sorted(MINIPROGRAM.rglob("*.ts"))
WRITTEN = [path for path in SOURCES if path.name != "words.ts"]
FILE_LINES, FUNCTION_LINES = 300, 30


def name_of(path: Path) -> str:
    return str(path.relative_to(MINIPROGRAM))


def typed(node: str, src: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """`tsc`, strict, in a world without a browser."""
    config = json.loads((HERE / "tsconfig.json").read_text())
    types = HERE / "node_modules" / "miniprogram-api-typings"
    config["compilerOptions"]["types"] = [str(types)]
    (folder / "tsconfig.json").write_text(json.dumps(config | {"include": [f"{src}/**/*.ts"]}))
    tsc = HERE / "node_modules" / "typescript" / "bin" / "tsc"
    return subprocess.run(
        [node, tsc, "--pretty", "false", "-p", folder], capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MINIPROGRAM, tmp_path / "miniprogram"))


def test_it_builds_and_its_size_is_printed(node: str, tmp_path: Path) -> None:
    done = build(node, MINIPROGRAM, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    size = re.search(r"package ([\d.]+) KiB", done.stdout)
    print(done.stdout)
    assert size and float(size[1]) < 1024


def test_it_is_well_typed_where_there_is_no_browser(node: str, tmp_path: Path) -> None:
    done = typed(node, MINIPROGRAM, tmp_path)
    assert done.returncode == 0, done.stdout


def test_wrong_types_unknown_calls_and_browser_globals_are_refused(
    node: str, copy: Path, tmp_path: Path
) -> None:
    with (copy / "look.ts").open("a") as look:
        look.write("const n: number = 'x'\nwx.flyAway()\nnew URL('x')\ndocument.title = fetch\n")
    done = typed(node, copy, tmp_path)
    assert done.returncode != 0
    for fault in (
        "'string' is not assignable",
        "'flyAway' does not exist",
        "'URL'",
        "'document'",
        "'fetch'",
    ):
        assert fault in done.stdout, fault


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    def act(src: Path) -> None:
        text = (src / file).read_text()
        assert old in text
        (src / file).write_text(text.replace(old, new, 1))

    return act


def removed(file: str) -> Callable[[Path], None]:
    return lambda src: (src / file).unlink()


SCAN = "pages/scan/scan"
FAULTS = {
    "an open tag": (replaced(f"{SCAN}.wxml", "</button>", ""), f"{SCAN}.wxml:"),
    "a bad expression": (replaced(f"{SCAN}.wxml", "{{told}}", "{{told +}}"), f"{SCAN}.wxml:"),
    "an unknown tag": (replaced(f"{SCAN}.wxml", "<input ", "<marquee /><input "), "<marquee>"),
    "a tap on nothing": (replaced(f"{SCAN}.wxml", '"scan"', '"scam"'), "no method scam"),
    "an open rule": (replaced("app.wxss", "font-size: 1.3em;", "{"), "app"),
    "a tag in a component's styles": (
        replaced("components/fact-list/fact-list.wxss", ".fact ", "view "), "by tag (view)",
    ),
    "bad TypeScript": (replaced("look.ts", "export function isLarge(", "export function ("), "look.ts:"),
    "a missing import": (replaced("app.ts", "./api/outbox", "./api/inbox"), "inbox"),
    "a missing page": (removed(f"{SCAN}.wxml"), f"{SCAN} has no .wxml"),
    "a missing component": (removed("components/fact-list/fact-list.ts"), "fact-list has no .ts"),
    "a bad style": (replaced("app.json", '"style": "v2"', '"style": "v9"'), "app.json: style"),
    "an unknown key": (replaced("app.json", '"style"', '"stile": 1, "style"'), "unknown key stile"),
    "no privacy check": (replaced("app.json", "__usePrivacyCheck__\": true", "__usePrivacyCheck__\": false"),
                         "__usePrivacyCheck__"),
    "a foreign file": (lambda src: (src / "notes.md").write_text("x"), "notes.md does not belong"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_stops_the_build(node: str, copy: Path, tmp_path: Path, fault: str) -> None:
    inject, told = FAULTS[fault]
    inject(copy)
    done = build(node, copy, tmp_path / "out")
    assert done.returncode != 0
    assert told in done.stderr, done.stderr


def test_words_colours_and_faces_are_those_of_the_web_page() -> None:
    stale = [
        str(place) for place, text in made().items() if (MINIPROGRAM / place).read_text() != text
    ]
    assert stale == [], "PYTHONPATH=. .venv/bin/python tests/mpweb/words.py"
    told = (MINIPROGRAM / "words.ts").read_text()
    assert "您满意吗" in told and "#b3261e" in (MINIPROGRAM / "colours.wxss").read_text()


def test_only_one_file_speaks_to_the_network_and_components_never_do() -> None:
    speaking = [name_of(path) for path in SOURCES if "wx.request(" in path.read_text()]
    assert speaking == ["api/wire.ts"]
    for path in SOURCES:
        if "components" in path.parts:
            imported = re.findall(r"from '([^']+)'", path.read_text())
            assert {name for name in imported if "/api/" in name} <= {"../../api/shapes"}, name_of(
                path
            )
        if "pages" in path.parts:
            assert not re.search(r"from '[^']*api/(wire|session)'", path.read_text()), name_of(path)


def test_no_code_stands_in_an_address_of_a_page() -> None:
    for path in SOURCES:
        assert not re.search(r"/pages/[^'`\"]*\?", path.read_text()), name_of(path)


def test_the_names_of_pages_and_components_say_what_they_hold() -> None:
    app = json.loads((MINIPROGRAM / "app.json").read_text())
    listed = {page.rpartition("/")[0] for page in app["pages"]}
    assert listed == {name_of(path) for path in (MINIPROGRAM / "pages").iterdir()}
    used = "".join(path.read_text() for path in MINIPROGRAM.rglob("*.json"))
    for component in (MINIPROGRAM / "components").iterdir():
        assert f"/{component.name}/{component.name}" in used, f"{component.name} is used nowhere"


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= FILE_LINES
    assert max(map(len, lines)) <= 120
    start = None
    for number, line in enumerate(lines):
        if re.match(r"( {2,4})?(export )?(async )?(function )?\w+(<\w+>)?\(.*\{$", line):
            start = number
        if start is not None and re.match(r"( {2,4})?\},?$", line):
            assert number - start < FUNCTION_LINES, f"{path.name}:{start + 1}"
            start = None


def test_no_province_city_or_agency_stands_in_it() -> None:
    kinds = (".ts", ".wxml", ".json")
    text = {p: p.read_text() for p in MINIPROGRAM.rglob("*") if p.suffix in kinds}
    found = [f"{name_of(p)}: {place}" for p, t in text.items() for place in PLACES if place in t]
    found += [f"{name_of(p)}: {m[0]}" for p, t in text.items() for m in LATIN_PLACES.finditer(t)]
    assert found == []


def test_messages_from_wechat_open_a_page_that_there_is() -> None:
    assert PAGE in json.loads((MINIPROGRAM / "app.json").read_text())["pages"]


def test_the_lock_names_no_registry() -> None:
    lock = (HERE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    versions = json.loads((HERE / "package.json").read_text())["dependencies"].values()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
