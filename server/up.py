"""`make run`: everything that the service needs, started, watched and stopped together."""

import base64
import fcntl
import http.client
import io
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TextIO

from server.embedded import Child, Postgres, Unavailable, Valkey, die_with_parent
from server.settings import BadSetting, Settings, read


@dataclass(frozen=True)
class Command:
    name: str
    argv: tuple[str, ...]
    demo_only: bool = False


def _python(word: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "server", word)


PREPARE = (Command("migrate", _python("migrate")), Command("seed", _python("seed"), demo_only=True))
SERVE = (Command("server", _python("serve")), Command("worker", _python("work")))


class Refused(Exception):
    """The message says in one line why nothing runs."""


class Stop(BaseException):
    """Somebody wants us to end; like KeyboardInterrupt no business of `except Exception`."""


def up(
    *, bound: bool, prepare: Sequence[Command] = PREPARE, serve: Sequence[Command] = SERVE
) -> int:
    """Runs until Ctrl-C or SIGTERM; bound: also until the parent process ends."""
    _prepare_streams()
    _heed_signals()
    if bound:
        die_with_parent(signal.SIGTERM)
    var = Path(os.environ.get("VAR") or "var").absolute()
    household = _Household()
    try:
        with _only_one(var):
            try:
                _run(household, var, prepare, serve)
            finally:
                household.stop()
    except Stop:
        return 0
    except (Refused, BadSetting, Unavailable, OSError) as error:
        _say(f"haochaping: {error}", sys.stderr)
    return 1


def addresses(base_url: str, demo: bool) -> list[tuple[str, str]]:
    pages = [("演示大厅", "/demo"), ("口袋手机", "/demo/phone")] if demo else []
    pages += [("评价器", "/demo/kiosk"), ("墙上的码", "/demo/wall")] if demo else []
    pages += [("工作台", "/console"), ("进度查询", "/track"), ("接口文档", "/docs")]
    return [(name, base_url + path) for name, path in pages]


def _prepare_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # LANG=C must not forbid Chinese
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _say(text: str, stream: TextIO | None = None) -> None:
    with suppress(OSError):  # nobody reads us any more: no reason to stop serving
        print(text, file=stream or sys.stdout, flush=True)


_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _heed_signals() -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        for ending in _ENDINGS:
            signal.signal(ending, signal.SIG_IGN)  # impatience must not cut the orderly end short
        raise Stop

    for ending in _ENDINGS:
        if ending != signal.SIGHUP or signal.getsignal(ending) != signal.SIG_IGN:  # nohup
            signal.signal(ending, stop)


@contextmanager
def _only_one(var: Path) -> Iterator[None]:
    var.mkdir(0o700, parents=True, exist_ok=True)
    with (var / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"VAR {var} is in use by another `up`: stop it, or set VAR") from None
        yield


@dataclass
class _Household:
    """All children, in the order in which they were begun."""

    servers: list[Child] = field(default_factory=list)
    commands: list[Child] = field(default_factory=list)

    def stop(self) -> None:
        for child in self.commands:
            child.terminate()
        end = time.monotonic() + 4
        for child in self.commands:
            child.wait(max(end - time.monotonic(), 0))
        for child in reversed(self.servers):
            child.stop(2)

    def watched(self) -> list["_Watched"]:
        return [_Watched(child) for child in (*self.servers, *self.commands)]


class _Watched:
    """Starts its child again, more patiently each time it does not live for half a minute."""

    def __init__(self, child: Child) -> None:
        self.child, self.pause = child, 0.2
        self.since, self.again_at = time.monotonic(), 0.0

    def look(self) -> None:
        now = time.monotonic()
        if self.child.alive():
            return
        if not self.again_at:
            self.pause = 0.2 if now - self.since > 30 else self.pause
            self._report(f"ended ({self.child.process and self.child.process.returncode})")
            self.again_at = now + self.pause
            self.pause = min(2 * self.pause, 5)
        elif now >= self.again_at:
            self.since, self.again_at = now, 0.0
            try:
                self.child.begin()
            except (OSError, Unavailable) as error:
                self._report(f"cannot start: {error}")

    def _report(self, what: str) -> None:
        again = f"starting again in {self.pause:.1f} s, see {self.child.log}"
        _say(f"haochaping: {self.child.name} {what}; {again}", sys.stderr)


def _run(
    household: _Household, var: Path, prepare: Sequence[Command], serve: Sequence[Command]
) -> None:
    environment = _environment(household, var)
    external = not any(isinstance(server, Postgres) for server in household.servers)
    settings = _settings(environment, var, external)
    _check_port(settings)
    _say(f"haochaping: 正在启动 (VAR={var})")
    for server in household.servers:
        server.start()
    for command in prepare:
        if settings.demo or not command.demo_only:
            _complete(household, command, environment, var)
    for command in serve:
        child = Child(command.name, command.argv, var / "log" / f"{command.name}.log", environment)
        household.commands.append(child)
        child.begin()
    _watch(household, settings)


def _environment(household: _Household, var: Path) -> dict[str, str]:
    """What the children are given; the servers to start are put into the household."""
    given = {name: value for name, value in os.environ.items() if value}
    if "REDIS_URL" not in given:
        valkey = Valkey(var)
        household.servers.append(valkey)
        given["REDIS_URL"] = valkey.url
    if "DATABASE_URL" not in given:
        postgres = Postgres(var)
        household.servers.append(postgres)
        given["DATABASE_URL"] = postgres.url
    given.setdefault("PORT", "8000")
    given.setdefault("BASE_URL", f"http://127.0.0.1:{given['PORT']}")
    return given | {"VAR": str(var), "PYTHONUNBUFFERED": "1"}


def _settings(environment: dict[str, str], var: Path, external: bool) -> Settings:
    fresh = f"a:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    settings = read({"KEYS": fresh} | environment)  # all settings are right before keys are made
    if "KEYS" not in environment:
        if external and not settings.demo:
            raise Refused("with DATABASE_URL also KEYS must be set: its rows are lost without them")
        environment["KEYS"] = _kept(var / "keys", fresh)
    if settings.demo and "SMS_GATEWAY" not in environment:
        secret = _kept(var / "sms-callback-secret", secrets.token_urlsafe(24))
        environment |= {"SMS_GATEWAY": "pocket", "SMS_CALLBACK_SECRET": secret} | environment
    return settings


def _kept(path: Path, fresh: str) -> str:
    """The secret of the first start. It is whole on the disk before anything is sealed by it."""
    if path.exists():
        return path.read_text().strip()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(fresh + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, path)
    return fresh


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except (OSError, OverflowError) as error:
            why = f"PORT {settings.port} on {settings.host} cannot be used: {error}"
            raise Refused(f"{why}; set another PORT") from error


def _complete(
    household: _Household, command: Command, environment: dict[str, str], var: Path
) -> None:
    child = Child(command.name, command.argv, var / "log" / f"{command.name}.log", environment)
    household.commands.append(child)
    child.begin()
    if child.process and child.process.wait():
        raise Refused(f"{command.name} failed ({child.process.returncode}):\n{child.words()}")
    household.commands.remove(child)


def _watch(household: _Household, settings: Settings) -> None:
    watched, announced = household.watched(), False
    while True:
        for one in watched:
            one.look()
        if not announced and _answers(settings):
            _announce(settings)
            announced = True
        time.sleep(0.1)


def _answers(settings: Settings) -> bool:
    """An open port is not enough: a server without workers accepts and says nothing."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _announce(settings: Settings) -> None:
    lines = addresses(settings.base_url, settings.demo)
    if settings.demo:
        lines.append(("演示账号", str(settings.var / "demo.json")))
    lines.append(("日志", str(settings.var / "log")))
    text = "\n".join(f"  {name:\u3000<5}{value}" for name, value in lines)
    _say(f"好差评已启动，按 Ctrl-C 停止：\n{text}")
