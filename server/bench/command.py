"""`python -m server bench`: on servers of its own, level by level, round by round."""

import asyncio
import os
import sys
import tempfile
import urllib.request
from argparse import Namespace
from pathlib import Path

import msgspec

from server import database
from server.bench import channel, ground, lifecycle, meter, proof, report, stock
from server.bench.channel import Channel
from server.bench.floor import Constants
from server.bench.ground import Ground, Web
from server.bench.load import play
from server.bench.report import Tallies, Tally
from server.bench.script import OPERATIONS, SIDES, Operation, Script
from server.embedded import Unavailable
from server.kit.privacy import vault
from server.people import service as people
from server.settings import BadSetting


def run(chosen: Namespace) -> int:
    levels, rows = _levels("--receipts", chosen.receipts), _levels("--rows", chosen.rows)
    if chosen.rounds < 1 or chosen.requests < 1 or chosen.rate < 0 or chosen.seconds < 1:
        raise BadSetting("--rounds, --requests and --seconds are at least 1, --rate at least 0")
    print(
        "always on a PostgreSQL and a Valkey of its own; DATABASE_URL and REDIS_URL are not looked at"
    )
    good = True
    with tempfile.TemporaryDirectory(prefix="haochaping-bench-") as folder:
        try:
            with Ground(Path(folder)) as here:
                if chosen.part != "lifecycle":
                    good &= _operations(here, levels, chosen)
                if chosen.part != "operations":
                    good &= lifecycle.run(here, rows, chosen)
        except Unavailable as error:
            print(f"haochaping: {error}", file=sys.stderr)
            return 1
    return 0 if good else 1


def _operations(here: Ground, levels: list[int], chosen: Namespace) -> bool:
    print(report.LEGEND)
    good, first = True, None
    for level in levels:
        bench = Bench(here, level, chosen)
        good &= bench.run()
        if first:
            print(*report.growth(levels[0], level, first, bench.tallies), sep="\n")
        first = first or bench.tallies
    return good


def _levels(name: str, text: str) -> list[int]:
    try:
        levels = [int(part) for part in text.split(",")]
    except ValueError:
        levels = [-1]
    if min(levels) < 0 or len(set(levels)) != len(levels):
        raise BadSetting(f"{name} takes different whole numbers, like 0,100000,1000000")
    return levels


class Bench:
    """One level of fill: its database, the two processes, the rounds, the proof."""

    def __init__(self, here: Ground, level: int, chosen: Namespace) -> None:
        self.ground, self.level, self.chosen = here, level, chosen
        self.warm = max(8, chosen.requests // 2)
        self.tallies: Tallies = {(o.name, side): Tally() for o in OPERATIONS for side in SIDES}
        self.wrong = 0

    def run(self) -> bool:
        about, script, constants, sms = asyncio.run(self._prepare())
        print(f"\n{self.level:,} receipts · {about} · {report.load()}", flush=True)
        webs = {"app": self.ground.app(self.level)}
        try:
            webs["app"].start()
            constants.page = _page(webs["app"], script)
            webs["floor"] = self._floor(constants)
            webs["floor"].start()
            self._rounds(script, webs)
            print(report.table(self.tallies), report.background(self.tallies), sep="\n", flush=True)
            if self.chosen.rate:
                self._steady(script, webs["app"])
        finally:
            for web in webs.values():
                web.stop()
        self._channel(sms)
        return self._judge(asyncio.run(self._proof()))

    async def _prepare(self) -> tuple[str, Script, Constants, Channel]:
        about = await ground.create(self.ground, self.level)
        await database.connect(self.ground.settings(self.level), command_seconds=None)
        try:
            owner = await ground.settle()
            await people.enrol_client(ground.CLIENT, ground.AGENCY, "bench")
            await stock.fill(self.level, owner)
            script = Script(owner, self.ground.callback_secret)
            each = self.warm + self.chosen.rounds * self.chosen.requests
            await script.prepare(each, self.chosen.rate * self.chosen.seconds)
            sms = Channel(self.ground, self.level, owner, self.chosen.requests, self.chosen.rounds)
            await sms.prepare()
            await stock.finish()
            return about, script, self._constants(owner), sms
        finally:
            await database.disconnect()

    def _constants(self, owner: int) -> Constants:
        return Constants(
            ground.free_port(), self.ground.settings(self.level).database_url, b"", ground.REGION,
            ground.AGENCY, owner, stock.sealed_applicant(), vault().fingerprint("", "bench"),
            ground.MATTER_NAME.format(7), ground.HALL, ground.WINDOW_NAME.format(7),
        )  # fmt: skip

    def _floor(self, constants: Constants) -> Web:
        file = self.ground.folder / "floor.json"
        file.write_bytes(msgspec.json.encode(constants))
        log = self.ground.folder / "log" / "floor.log"
        return Web(
            "floor", ["server.bench.floor", str(file)], log, constants.port, dict(os.environ)
        )

    def _rounds(self, script: Script, webs: dict[str, Web]) -> None:
        for number in range(self.chosen.rounds + 1):
            requests = self.chosen.requests if number else self.warm
            for operation in OPERATIONS:
                for side in SIDES if number % 2 else SIDES[::-1]:
                    self._step(operation, side, script, webs[side], requests, counted=number > 0)

    def _step(
        self,
        operation: Operation,
        side: str,
        script: Script,
        web: Web,
        requests: int,
        *,
        counted: bool,
    ) -> None:
        plan = script.plan(operation, side, web.port, requests)
        before = self._read(web)
        outcome = play(plan)
        spent = before.until(self._read(web))
        tally = self.tallies[operation.name, side]
        tally.wrong += outcome.wrong
        tally.sample = tally.sample or outcome.sample
        if counted:
            tally.each.append((len(plan.requests), spent))
            tally.taken += outcome.taken

    def _read(self, web: Web) -> meter.Reading:
        processes = (web.process, self.ground.postgres.process, self.ground.valkey.process)
        web_pid, postgres, redis = (process.pid if process else 0 for process in processes)
        return meter.read(web_pid, postgres, redis)

    def _steady(self, script: Script, app: Web) -> None:
        outcome = play(script.steady(app.port, self.chosen.rate))
        self.wrong += outcome.wrong
        print(
            report.steady(outcome.taken, outcome.wrong, self.chosen.rate), report.load(), sep="; "
        )
        if outcome.wrong:
            print(f"  for example: {outcome.sample}")

    def _channel(self, sms: Channel) -> None:
        """The web processes have ended: nobody else works on the database."""
        asyncio.run(sms.run())
        self.tallies |= sms.tallies
        readings = {r.name: sms.tallies[r.name, "app"] for r in channel.READINGS}
        print(
            report.table_of_worker(self.tallies, channel.ROWS),
            report.inbound(self.tallies["callback item", "app"], readings),
            sep="\n", flush=True,
        )  # fmt: skip

    async def _proof(self) -> list[str]:
        await database.connect(self.ground.settings(self.level))
        try:
            return await proof.differences()
        finally:
            await database.disconnect()

    def _judge(self, differences: list[str]) -> bool:
        for (name, side), tally in self.tallies.items():
            if tally.wrong:
                print(f"{name}, {side}: {tally.wrong} WRONG answers, for example: {tally.sample}")
        if not differences:
            print(f"app and floor store rows of one shape: {', '.join(proof.ROWS)}")
        print(*differences, sep="\n", end="\n" if differences else "", flush=True)
        return (
            not differences and not self.wrong and not any(t.wrong for t in self.tallies.values())
        )


def _page(app: Web, script: Script) -> bytes:
    """One page as the application draws it."""
    path = script.page().split(b" ", 2)[1].decode()
    with urllib.request.urlopen(f"http://127.0.0.1:{app.port}{path}", timeout=10) as answer:
        return bytes(answer.read())
