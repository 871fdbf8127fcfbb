"""Every command a person types: python -m server COMMAND --help."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from typing import Any

from server import settings as environment
from server.settings import BadSetting, Settings

Run = Callable[[argparse.Namespace], Any]


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except BadSetting as error:
        print(f"haochaping: {error}", file=sys.stderr)
        return 2


class _Commands:
    def __init__(self) -> None:
        self.parser = argparse.ArgumentParser("python -m server", description="好差评")
        self._added = self.parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(self, name: str, about: str, run: Run, *positional: str) -> argparse.ArgumentParser:
        added = self._added.add_parser(name, help=about, description=about)
        added.set_defaults(run=run)
        for argument in positional:
            added.add_argument(argument)
        return added


def _parser() -> argparse.ArgumentParser:
    commands = _Commands()
    _running(commands)
    _operating(commands)
    _exchanging(commands)
    _measuring(commands)
    return commands.parser


def _running(commands: _Commands) -> None:
    up = commands.add("up", "everything on this machine: embedded servers, server, worker", _up)
    up.add_argument("--bound", action="store_true", help="end when the parent process ends")
    commands.add("serve", "answer requests (HOST, PORT)", _serve)
    commands.add("work", "do what is due", _work)
    commands.add("migrate", "bring the database's schema up to date", _migrate)
    commands.add("seed", "the demo city, into an empty database (DEMO=1)", _seed)


def _operating(commands: _Commands) -> None:
    sheets = commands.add("catalogue", "import or export the catalogue as CSV files", _catalogue)
    sheets.add_argument("what", choices=["import", "export"])
    sheets.add_argument("folder")
    year = commands.add(
        "calendar", "import a year's holidays (holiday-cn's JSON)", _calendar, "file"
    )
    year.add_argument("--source", default="", help="address of the notice")
    commands.add(
        "enrol", "a new client system of an agency; prints its secret once", _enrol,
        "client_id", "agency_code", "name",
    )  # fmt: skip
    hire = commands.add(
        "hire", "a new account of staff; prints password and TOTP secret once", _hire,
        "username", "name", "role",
    )  # fmt: skip
    hire.add_argument("--agency")
    hire.add_argument("--region")
    kiosk = commands.add(
        "kiosk", "a key for a window's tablet; prints its address once, the one before ends", _kiosk,
        "agency_code", "window_code",
    )  # fmt: skip
    kiosk.add_argument("--revoke", action="store_true", help="no tablet at this window any more")
    commands.add(
        "sample", "draw a day's call-backs again from their seed: REGION YYYY-MM-DD", _sample,
        "region", "day",
    )  # fmt: skip
    due = commands.add("due", "when a limit of N days ends", _due, "start", "n")
    due.add_argument("unit", metavar="working|natural")
    due.add_argument("--calendar", metavar="FILE")


def _exchanging(commands: _Commands) -> None:
    commands.add(
        "insiders", "phones and openids of the staff, as a CSV file; kept as keyed hashes only",
        _insiders, "file",
    )  # fmt: skip
    cases = commands.add(
        "grievances", "cases of another platform: import FILE --by USERNAME, or export --since DAY",
        _grievances,
    )  # fmt: skip
    cases.add_argument("what", choices=["import", "export"])
    cases.add_argument("file", nargs="?")
    cases.add_argument("--source", choices=["national"], default="national")
    cases.add_argument("--by", metavar="USERNAME", help="who brings them in, and follows them")
    cases.add_argument("--since", metavar="YYYY-MM-DD")


def _measuring(commands: _Commands) -> None:
    about = "CPU-milliseconds per request and the ratio to the floor"
    bench = commands.add("bench", about, _bench)
    bench.add_argument("part", nargs="?", choices=("operations", "lifecycle"), help="else both")
    bench.add_argument("--receipts", default="0", help="fill first: 0,100000,1000000")
    bench.add_argument("--rows", default="0,100000", help="the same, for the lifecycle")
    bench.add_argument("--rounds", type=int, default=5)
    bench.add_argument("--requests", type=int, default=1000, help="per operation and round")
    bench.add_argument("--rate", type=int, default=0, help="also so many submissions a second")
    bench.add_argument("--seconds", type=int, default=30, help="how long the steady rate lasts")


def _read() -> Settings:
    return environment.read()


def _up(chosen: argparse.Namespace) -> int:
    from server.up import up

    return up(bound=chosen.bound)


def _serve(_: argparse.Namespace) -> None:
    from server.kit import log
    from server.serve import serve

    log.set_up()
    serve(_read())


def _work(_: argparse.Namespace) -> None:
    from server.kit import log
    from server.serve import check_demo
    from server.worker import work

    log.set_up()
    settings = _read()
    check_demo(settings)
    asyncio.run(work(settings))


def _migrate(_: argparse.Namespace) -> None:
    from server import database

    asyncio.run(database.migrate(_read()))


def _seed(_: argparse.Namespace) -> int:
    from server.demo import seed

    return asyncio.run(seed(_read()))


def _catalogue(chosen: argparse.Namespace) -> int:
    from server.commands import move_catalogue

    return asyncio.run(move_catalogue(_read(), chosen.what, chosen.folder))


def _grievances(chosen: argparse.Namespace) -> int:
    from datetime import date

    from server.commands import bring_in_grievances, bring_out_grievances

    if chosen.what == "import":
        if not (chosen.file and chosen.by):
            print("haochaping: import 要写文件和 --by 用户名", file=sys.stderr)
            return 2
        return asyncio.run(bring_in_grievances(_read(), chosen.file, chosen.by))
    try:
        since = date.fromisoformat(chosen.since or "")
    except ValueError:
        print("haochaping: export 要写 --since YYYY-MM-DD", file=sys.stderr)
        return 2
    return asyncio.run(bring_out_grievances(_read(), since))


def _calendar(chosen: argparse.Namespace) -> int:
    from server.commands import load_calendar

    return asyncio.run(load_calendar(_read(), chosen.file, chosen.source))


def _enrol(chosen: argparse.Namespace) -> int:
    from server.commands import enrol

    return asyncio.run(enrol(_read(), chosen.client_id, chosen.agency_code, chosen.name))


def _hire(chosen: argparse.Namespace) -> int:
    from server.commands import hire

    return asyncio.run(
        hire(_read(), chosen.username, chosen.name, chosen.role, chosen.agency, chosen.region)
    )


def _kiosk(chosen: argparse.Namespace) -> int:
    from server.commands import kiosk

    return asyncio.run(kiosk(_read(), chosen.agency_code, chosen.window_code, chosen.revoke))


def _insiders(chosen: argparse.Namespace) -> int:
    from server.commands import load_insiders

    return asyncio.run(load_insiders(_read(), chosen.file))


def _sample(chosen: argparse.Namespace) -> int:
    from server.commands import draw_sample_again

    return asyncio.run(draw_sample_again(_read(), chosen.region, chosen.day))


def _due(chosen: argparse.Namespace) -> int:
    from server.due import run

    return run(chosen.start, chosen.n, chosen.unit, chosen.calendar)


def _bench(chosen: argparse.Namespace) -> int:
    from server.bench.command import run

    return run(chosen)


if __name__ == "__main__":
    sys.exit(main())
