"""Orders of two agencies and a service desk, lived through in any order: by everybody, at any time, with
two workers, and with requests that are cut in the middle."""

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from factories import (
    COMMON_MATTER,
    DESK,
    HOUSING,
    JOINT_MATTER,
    LABOUR,
    City,
    a_receipt,
)  # fmt: skip
from httpx import AsyncClient, Response
from phones import policy
from test_roles import peopled

from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.people import tokens
from server.people.models import Staff
from server.people.rules import Role
from server.reviews import callbacks, closing, news
from server.workorders import escalation, service
from server.workorders.rules import TABLE, Move, Record, State

SECOND, MINUTE, HOUR, DAY = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days")
)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=BEIJING)
LIVES, STEPS = 3, 80
LONG_LIVES, LONG_STEPS = 3, 1000
AGENCIES = (HOUSING, LABOUR, DESK)
STAFF = ("handler", "lead", "other", "other-lead", "desk", "desk-lead", "supervisor", "elsewhere",
         "parent", "auditor")  # fmt: skip
AT = {
    HOUSING: ["handler", "lead"], LABOUR: ["other", "other-lead"], DESK: ["desk", "desk-lead"],
}  # fmt: skip
MOVES = ("accept", "return", "reassign", "refuse", "ask", "plan", "extend", "answer", "supervise",
         "rule", "merge")  # fmt: skip
RECORDS = {
    "part": Record.PART, "release": Record.RELEASE, "verify": Record.VERIFY,
    "message": Record.MESSAGE, "urge": Record.URGE, "takeover": Record.TAKEOVER,
}  # fmt: skip
OFTEN = {
    "accept": 8, "answer": 6, "plan": 4, "rule": 2, "supervise": 6, "part": 9, "reassign": 5,
    "refuse": 5, "release": 3, "ask": 4, "verify": 3, "merge": 1, "urge": 1, "takeover": 1,
}  # fmt: skip
REFUSED = {403, 404, 409}
WORKERS = (
    escalation.escalate, escalation.escalate, closing.close_silent, closing.close_silent,
    callbacks.give_up,
)  # fmt: skip
ENDED = "('closed', 'dismissed', 'withdrawn', 'merged')"


class Errors(logging.Handler):
    """What nobody provided for."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(logging.Formatter().format(record))


@dataclass
class World:
    http: AsyncClient
    dice: random.Random
    staff: dict[str, dict[str, str]]
    systems: dict[str, dict[str, str]]
    errors: "Errors"
    citizens: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Order → review code and query code."""
    steps: tuple[int, str] = (0, "")
    """The last step that was seen, and the digest of all until then."""
    count: Counter[str] = field(default_factory=Counter)

    # What happens

    async def rate(self) -> None:
        agency, matter = self.dice.choice(
            ((HOUSING, None), (HOUSING, None), (LABOUR, JOINT_MATTER), (HOUSING, COMMON_MATTER))
        )
        changed = {"matter_code": matter} if matter else {}
        head = self.systems[agency]
        receipt = a_receipt(agency, **changed)
        issued = await self.http.post("/api/v1/receipts", json=receipt, headers=head)
        assert issued.status_code == 201, issued.text
        code = issued.json()["review_url"].rpartition("/")[2]
        review = {
            "level": self.dice.choice((1, 2)), "tags": [], "comment": "排队两小时",
            "real_name": self.dice.random() < 0.3,
        }  # fmt: skip
        taken = await self.http.post(f"/api/v1/e/{code}/review", json=review)
        assert taken.status_code == 201, taken.text
        self.citizens[taken.json()["work_order"]["number"]] = code, taken.json()["query_code"]
        clock.advanced += self.dice.choice((0, 1, 1)) * 11 * MINUTE

    async def act(self) -> None:
        """What `may` lists is taken, and nothing else is."""
        number = await self._an_order()
        who = self.dice.choice(STAFF)
        if self.dice.random() < 0.85:
            who = await self._somebody_concerned(number)
        seen = await self.http.get(f"/api/v1/work-orders/{number}", headers=self.staff[who])
        shown = seen.json() if seen.is_success else {}
        may = {*shown.get("may", ()), *shown.get("may_record", ())}
        door = self.dice.choice((*MOVES, *RECORDS))
        possible = sorted(may & {*MOVES, *RECORDS})
        if possible and self.dice.random() < 0.85:
            (door,) = self.dice.choices(possible, [OFTEN.get(one, 2) for one in possible])
        answer = await self._post(who, number, door, shown)
        self.count[f"{door} {answer.status_code}"] += 1
        told = (who, number, door, sorted(may), answer.status_code, answer.text[:200])
        if door in may and not _its_target_does_not_fit(door, answer):
            assert answer.status_code == 200, told
        elif door not in may:
            assert answer.status_code in REFUSED, told
            assert seen.is_success or answer.status_code in (403, 404), told

    async def _somebody_concerned(self, number: str) -> str:
        """Mostly who has the next act; by chance alone the story would hardly go on."""
        (order,) = await sql.fetch("SELECT * FROM work_orders WHERE number = $1", number)
        above = ["supervisor"]
        if order["state"] in ("returned", "contested") and self.dice.random() < 0.8:
            return above[0]
        co = [name for code in order["co_agency_codes"] for name in AT[code]]
        names = AT[order["agency_code"]] * 3 + co * 2 + above
        return self.dice.choice(names)

    async def _post(self, who: str, number: str, door: str, shown: dict[str, Any]) -> Response:
        others = [code for code in AGENCIES if code != shown.get("agency_code")]
        waiting = [p["agency_code"] for p in shown.get("parts", ()) if p["state"] == "waiting"]
        until = datetime.fromisoformat(shown["due_at"]).date() if shown else clock.now().date()
        bodies: dict[str, dict[str, Any]] = {
            "accept": {}, "return": {"agency_code": self.dice.choice(others), "reason": "不归我们"},
            "reassign": {"agency_code": self.dice.choice(others)}, "refuse": {"reason": "属本部门"},
            "plan": {"text": "分步整改", "until": until.isoformat()},
            "extend": {"working_days": self.dice.randint(1, 10), "reason": "调取监控"},
            "answer": {"disposition": self.dice.choice(("fixed", "explained")), "text": "已处理"},
            "rule": {"finding": self.dice.choice(("proper", "accountable")), "text": "已核"},
            "merge": {"into": await self._an_order()},
            "release": {"agency_code": (waiting or others)[0], "reason": "无关"},
            "verify": {"finding": "true", "how": "records", "text": "已查"},
            "takeover": {"reason": "久拖不决"},
        }  # fmt: skip
        return await self.http.post(
            f"/api/v1/work-orders/{number}/{door}", headers=self.staff[who],
            json=bodies.get(door, {"text": "请尽快说明"}),
        )  # fmt: skip

    async def talk(self) -> None:
        """The citizen looks, judges, writes, adds, takes back."""
        number = await self._an_order("answered" if self.dice.random() < 0.6 else None)
        code, query_code = self.citizens[number]
        track = f"/api/v1/track/{query_code}"
        shown = await self.http.get(track)
        assert shown.status_code == 200, shown.text
        awaits = shown.json()["awaiting_you"]
        satisfied = self.dice.random() < 0.35
        verdict = {"satisfied": satisfied, "comment": "没有解决", "desk_satisfied": True}
        says: dict[str, dict[str, Any]] = {
            "confirmation": verdict, "messages": {"text": f"三号窗口 {self.dice.randrange(10**6)}"},
            "supplement": {"comment": "又去了一次"}, "undo": {"query_code": query_code},
        }  # fmt: skip
        door = self.dice.choice(list(says))
        if awaits == "confirmation" and self.dice.random() < 0.7:
            door = "confirmation"
        body = says[door]
        path = f"/api/v1/e/{code}/undo" if door == "undo" else f"{track}/{door}"
        answer = await self.http.post(path, json=body)
        self.count[f"{door} {answer.status_code}"] += 1
        assert answer.status_code in (200, 409, 410, 422, 429), answer.text
        if door == "confirmation":
            assert answer.is_success is (awaits == "confirmation"), (awaits, answer.text)

    async def call(self) -> None:
        number, who = await self._an_order(), self.dice.choice(("handler", "other", "lead", "desk"))
        talk = {"reached": self.dice.random() < 0.6, "satisfied": False, "text": "群众仍不满意"}
        path = f"/api/v1/work-orders/{number}/call-back"
        answer = await self.http.post(path, json=talk, headers=self.staff[who])
        self.count[f"call-back {answer.status_code}"] += 1
        assert answer.status_code in {200, *REFUSED}, answer.text

    async def wait(self) -> None:
        times = (SECOND, 11 * MINUTE, HOUR, 7 * HOUR, DAY, 3 * DAY, 9 * DAY)
        (by,) = self.dice.choices(times, (4, 20, 8, 6, 5, 1, 0.5))
        clock.advanced += by
        if self.dice.random() < 0.8:
            await self.work()

    async def work(self) -> None:
        """Two workers at the same time."""
        order = list(WORKERS)
        self.dice.shuffle(order)
        await asyncio.gather(*(tick() for tick in order))
        jobs = "DELETE FROM pgqueuer WHERE entrypoint = 'news' RETURNING payload"
        for job in await sql.fetch(jobs):
            await news.tell(**json.loads(job["payload"]))

    async def race(self) -> None:
        """Two do the same thing in the same moment: one of them, or neither."""
        number = await self._an_order()
        door = self.dice.choice(
            ("accept", "answer", "rule", "supervise", "return", "extend", "ask")
        )
        who = {
            "rule": ("supervisor", "supervisor"), "supervise": ("supervisor", "supervisor"),
            "return": ("lead", "lead"), "extend": ("other-lead", "other-lead"),
        }.get(door, ("handler", "lead"))  # fmt: skip
        seen = await self.http.get(f"/api/v1/work-orders/{number}", headers=self.staff[who[0]])
        shown = seen.json() if seen.is_success else {}
        answers = await asyncio.gather(*(self._post(one, number, door, shown) for one in who))
        codes = sorted(answer.status_code for answer in answers)
        self.count[f"race {codes[0]}"] += 1
        assert set(codes) <= {200, *REFUSED} and codes.count(200) <= 1, (door, codes)

    async def crash(self) -> None:
        """A request, or a worker, that is cut wherever it happens to be."""
        cut = self.dice.choice((self.act, self.talk, self.rate, self.work, self.call))
        task = asyncio.create_task(cut())
        await asyncio.sleep(self.dice.uniform(0, 0.03))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self.count["cut" if task.cancelled() else "not cut"] += 1
        for row in await sql.fetch("SELECT number FROM work_orders"):
            if row["number"] not in self.citizens:  # he never saw his code
                self.citizens[row["number"]] = "x" * 25, "Z" * 16

    async def flag(self) -> None:
        number = await self._an_order()
        shown = await self.http.get(
            f"/api/v1/work-orders/{number}", headers=self.staff["supervisor"]
        )
        said = [step for step in shown.json().get("steps", ()) if step["by"] == "群众"]
        place = self.dice.choice(said)["step_id"] if said else 1
        who, door, more = self.dice.choice((
            ("handler", "flag", {"reason": "辱骂"}), ("supervisor", "flag-ruling", {"upheld": False}),
        ))  # fmt: skip
        answer = await self.http.post(
            f"/api/v1/work-orders/{number}/{door}", headers=self.staff[who],
            json={"step_id": place} | more,
        )  # fmt: skip
        self.count[f"{door} {answer.status_code}"] += 1
        assert answer.status_code in {200, *REFUSED}, answer.text

    async def _an_order(self, state: str | None = None) -> str:
        """Mostly an open one; among those who were cut nobody can ask."""
        known = [number for number, (_, query) in self.citizens.items() if query != "Z" * 16]
        if not known:
            await self.rate()
            return await self._an_order()
        rows = await sql.fetch(
            f"SELECT number FROM work_orders WHERE number = ANY($1::text[]) AND state NOT IN {ENDED} "
            "AND coalesce(state = $2, visible_from <= $3) ORDER BY opened_on, visible_from, number",
            known, state, clock.now(),
        )  # fmt: skip
        if rows and self.dice.random() < 0.9:
            return str(self.dice.choice(rows)["number"])
        return self.dice.choice(sorted(known))

    # What holds

    async def hold(self) -> None:
        now = clock.now()
        assert self.errors.records == []
        for what, statement in BROKEN.items():
            rows = await sql.fetch(statement, *([now] if "$1" in statement else []))
            assert rows == [], (what, [dict(row) for row in rows])
        await self._steps_only_grow()

    async def _steps_only_grow(self) -> None:
        digest = (
            "SELECT coalesce(max(id), 0) AS last, coalesce(md5(string_agg(md5(s::text), '' ORDER BY id)),"
            " '') AS digest FROM work_order_steps s"
        )
        (row,) = await sql.fetch(f"{digest} WHERE id <= $1", self.steps[0])
        assert row["digest"] == self.steps[1], "a step was changed or taken away"
        (row,) = await sql.fetch(digest)
        self.steps = row["last"], row["digest"]

    async def figures(self) -> None:
        """Each count is that of its list, and both are what a recount finds."""
        for who in ("supervisor", "elsewhere", "lead", "other"):
            head = self.staff[who]
            views = (await self.http.get("/api/v1/supervision", headers=head)).json()["items"]
            counts = {view["view"]: view["count"] for view in views}
            recount = await self._recount(who)
            account = counts.pop("account", 0)
            assert set(counts) == set(recount)
            for view, count in counts.items():
                path = f"/api/v1/supervision/{view}?limit=200"
                items = (await self.http.get(path, headers=head)).json()["items"]
                assert recount[view] == {item["number"] for item in items}, (who, view)
                assert count == len(items), (who, view)
            if who == "supervisor":
                rows = await sql.fetch("SELECT 1 FROM accountability WHERE followed IS NULL")
                assert account == len(rows)

    async def _recount(self, who: str) -> dict[str, set[str]]:
        orders = [dict(row) for row in await sql.fetch("SELECT * FROM work_orders")]
        member, now = await Staff.get(username=who), clock.now()
        rungs = await sql.fetch("SELECT order_id, due_at FROM escalations WHERE rung >= 3")
        high = {(row["order_id"], row["due_at"]) for row in rungs}
        flagged = await sql.fetch(
            "SELECT s.order_id FROM flags f JOIN work_order_steps s ON s.id = f.step_id "
            "WHERE f.upheld IS NULL"
        )
        found: dict[str, set[str]] = {view: set() for view in (
            "verify", "supervise", "overdue", "contested", "returned", "extended", "untold", "flagged",
        )}  # fmt: skip
        for order in orders:
            number, state, due = order["number"], order["state"], order["next_due_at"]
            region = member.region_code.rstrip("0")
            mine = (
                order["agency_code"] == member.agency_code
                or member.agency_code in (order["co_agency_codes"])
            )
            if member.role == Role.SUPERVISOR:
                mine = order["region_code"].startswith(region)
            if not mine or order["visible_from"] > now or state == "withdrawn":
                continue
            is_open = order["closed_at"] is None
            holds = {
                "verify": is_open and order["verified_at"] is None,
                "supervise": is_open
                and (state in ("contested", "supervised") or (number, due) in high),
                "overdue": is_open and state != "answered" and due < now,
                "contested": state == "contested", "returned": state == "returned",
                "extended": is_open and order["extension_days"] is not None,
                "untold": state == "answered" and due < now,
                "flagged": number in {row["order_id"] for row in flagged},
            }  # fmt: skip
            for view, holding in holds.items():
                if holding:
                    found[view].add(number)
        return found

    async def histories_obey_the_table(self) -> None:
        steps = await sql.fetch("SELECT order_id, move, state FROM work_order_steps ORDER BY id")
        at: dict[str, State] = {}
        for step in steps:
            number, move, state = step["order_id"], step["move"], State(step["state"])
            if move == Move.OPEN:
                assert number not in at and state is State.ASSIGNED
            elif move in set(Record):
                assert at[number] is state, (number, move)
            else:
                led_to = TABLE[at[number], Move(move)]
                back = {State.ACCEPTED, State.PLANNED} if move == Move.RESUME else {led_to}
                assert state in back, (number, move)
            at[number] = state

    async def due_times_are_what_a_calendar_would_make_them(self) -> None:
        dues = "SELECT number, due_at, contact_due_at FROM work_orders ORDER BY number"
        before = await sql.fetch(dues)
        await service.redate({2026})
        assert await sql.fetch(dues) == before


_LAST_MOVE = (
    "SELECT s.state FROM work_order_steps s WHERE s.order_id = o.number AND s.move = ANY('{"
    + ",".join(Move)
    + "}'::text[]) ORDER BY s.id DESC LIMIT 1"
)
BROKEN = {
    "the state is that of the last move": (
        f"SELECT number FROM work_orders o WHERE state IS DISTINCT FROM ({_LAST_MOVE})"
    ),
    "an open order has a due time and an owner who works where the order is, or supervises": (
        "SELECT o.number FROM work_orders o LEFT JOIN staff s ON s.id = o.owner_id "
        f"WHERE o.state NOT IN {ENDED} AND (o.next_due_at IS NULL OR s.id IS NULL OR NOT s.active "
        "OR (s.agency_code IS DISTINCT FROM o.agency_code AND s.role <> 'supervisor'))"
    ),
    "an ended order has no due time": (
        f"SELECT number FROM work_orders WHERE state IN {ENDED} AND next_due_at IS NOT NULL"
    ),
    "no order closes without the citizen's word, a proof that he was told, or a ruling": (
        "SELECT number FROM work_orders o WHERE state = 'closed' AND NOT coalesce(CASE outcome "
        "WHEN 'content' THEN EXISTS (SELECT 1 FROM work_order_steps s WHERE s.order_id = o.number "
        "  AND s.move = 'confirm' AND s.actor = 'citizen') "
        "WHEN 'silent' THEN told_at IS NOT NULL AND told_how IS NOT NULL "
        "  AND (NOT real_name OR called_back_at IS NOT NULL) "
        "WHEN 'ruled' THEN ruling IS NOT NULL END, FALSE)"
    ),
    "before the undo time is over nothing has happened to an order but its withdrawal": (
        "SELECT o.number FROM work_orders o JOIN work_order_steps s ON s.order_id = o.number "
        "WHERE o.visible_from > $1 AND s.move NOT IN ('open', 'withdraw')"
    ),
    "nothing is withdrawn that was visible": (
        "SELECT o.number FROM work_orders o JOIN work_order_steps s ON s.order_id = o.number "
        "WHERE s.move = 'withdraw' AND s.at >= o.visible_from"
    ),
    "rungs are climbed in their order, and none before its time": (
        "SELECT e.order_id FROM escalations e WHERE (e.rung > 0 AND e.at <= e.due_at) OR EXISTS ("
        "  SELECT 1 FROM escalations l WHERE l.order_id = e.order_id AND l.due_at = e.due_at "
        "  AND l.ladder = e.ladder AND l.rung < e.rung AND l.id > e.id)"
    ),
    "a merged order follows one that is not merged itself": (
        "SELECT o.number FROM work_orders o LEFT JOIN work_orders t ON t.number = o.merged_into "
        "WHERE (o.state = 'merged') <> (o.merged_into IS NOT NULL) "
        "OR (o.state = 'merged' AND (t.number IS NULL OR t.state = 'merged'))"
    ),
    "the lead answers only when every part is done": (
        "SELECT p.order_id FROM order_parts p JOIN work_order_steps s ON s.order_id = p.order_id "
        "AND s.move = 'answer' WHERE p.state = 'waiting' OR p.done_at > s.at"
    ),
    "who is ruled accountable is on the list": (
        "SELECT number FROM work_orders o WHERE ruling = 'accountable' AND NOT EXISTS ("
        "  SELECT 1 FROM accountability a WHERE a.order_number = o.number AND a.why = 'ruled')"
    ),
    "every real-name review is to be called back, and no other": (
        "SELECT o.number FROM work_orders o WHERE o.real_name <> (1 = (SELECT count(*) "
        "FROM call_backs b WHERE b.order_number = o.number AND b.kind = 'real_name'))"
    ),
    "each verdict is an opinion of its round": (
        "SELECT o.number FROM work_orders o WHERE (SELECT count(*) FROM work_order_steps s "
        "  WHERE coalesce(s.of_order, s.order_id) = o.number "
        "  AND s.move IN ('confirm', 'contest', 'content')) "
        "IS DISTINCT FROM (SELECT count(*) FROM opinions p WHERE p.order_id = o.number "
        "  AND p.about = 'agency')"
    ),
    "returned and extended at most once, and counted": (
        "SELECT o.number FROM work_orders o WHERE o.returns > 1 OR o.returns <> (SELECT count(*) "
        "  FROM work_order_steps s WHERE s.order_id = o.number AND s.move = 'return') "
        "OR (SELECT count(*) FROM work_order_steps s WHERE s.order_id = o.number "
        "  AND s.move = 'extend') <> (o.extension_days IS NOT NULL)::int"
    ),
    "a bad review has its order, an undone one none that is open": (
        "SELECT r.id FROM reviews r LEFT JOIN work_orders o ON o.number = r.order_number "
        "WHERE r.level <= 2 AND (o.number IS NULL "
        "  OR (r.state = 'undone') <> (o.state = 'withdrawn'))"
    ),
}
"""What never is: each finds the rows that break it."""


def _its_target_does_not_fit(door: str, answer: Response) -> bool:
    """Of the other order, or of the day, `may` says nothing."""
    if door == "merge":
        return answer.status_code in (404, 409)
    return door == "plan" and answer.status_code == 422


EVENTS: dict[str, float] = {
    "rate": 6, "act": 50, "talk": 16, "call": 4, "flag": 3, "wait": 11, "work": 1, "race": 4, "crash": 6,
}  # fmt: skip
"""With their weights."""


@pytest.fixture
async def world(http: AsyncClient, city: City) -> AsyncIterator[World]:
    await peopled(city)
    (row,) = await Staff.filter(username="lead").values()
    del row["id"]
    for username, agency in (("other-lead", LABOUR), ("desk-lead", DESK)):
        await Staff.create(**(row | {"username": username, "agency_code": agency}))
    await policy(sms=False)
    clock.advanced += MONDAY - clock.now()
    year = 365 * DAY
    staff = {
        member.username: _bearer(tokens.issue(str(member.id), tokens.Audience.STAFF, year)[0])
        for member in await Staff.all()
    }
    systems = {
        code: _bearer(tokens.issue(f"c-{code} {code}", tokens.Audience.AGENCY, year)[0])
        for code in (HOUSING, LABOUR)
    }
    errors = Errors()
    logging.getLogger("server").addHandler(errors)
    yield World(http, random.Random(0), staff, systems, errors)
    logging.getLogger("server").removeHandler(errors)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def lived(
    first: World, seed: int, steps: int, *, kind: type[World] = World,
    events: dict[str, float] = EVENTS,
) -> Counter[str]:  # fmt: skip
    """One history; gives what happened in it."""
    await sql.fetch(
        "TRUNCATE call_backs, opinions, flags, accountability, alerts, escalations, order_parts, "
        "work_order_steps, work_orders, questions, reviews, receipts, pgqueuer RESTART IDENTITY CASCADE"
    )
    clock.advanced += MONDAY - clock.now()
    world = kind(first.http, random.Random(seed), first.staff, first.systems, first.errors)
    history: list[str] = []
    try:
        for step in range(steps):
            (event,) = world.dice.choices(list(events), list(events.values()))
            history.append(f"{clock.now():%m-%d %H:%M} {event}")
            await getattr(world, event)()
            await world.hold()
            if step % 12 == 11:
                await world.figures()
        await world.histories_obey_the_table()
        await world.due_times_are_what_a_calendar_would_make_them()
        clock.advanced += 40 * DAY
        for _ in range(3):
            await world.work()
            await world.hold()
        await world.figures()
    except BaseException as error:
        error.add_note(f"seed {seed} after\n" + "\n".join(history[-40:]))
        raise
    rows = await sql.fetch(
        "SELECT 'is ' || state || ' ' || coalesce(outcome, '') AS what FROM work_orders "
        "UNION ALL SELECT 'rung ' || ladder || ' ' || rung FROM escalations"
    )
    return world.count + Counter(row["what"] for row in rows)


async def test_whatever_happens_every_order_has_an_owner_a_date_and_an_end_that_is_told(
    world: World,
) -> None:
    seen = Counter[str]()
    for seed in range(LIVES):
        seen += await lived(world, seed, STEPS)
    assert not USUAL - seen.keys(), "these lives meet nothing"


USUAL = {
    "accept 200", "answer 200", "verify 200", "message 200", "supervise 200", "confirmation 200",
    "confirmation 409", "supplement 200", "undo 410", "cut", "is supervised ",
    *(f"rung agency {rung}" for rung in range(5)),
}  # fmt: skip


@pytest.mark.long
async def test_whatever_happens_in_a_thousand_steps_every_order_has_an_owner_a_date_and_an_end(
    world: World,
) -> None:
    first = random.randrange(10**9)
    for seed in range(first, first + LONG_LIVES):
        await lived(world, seed, LONG_STEPS)
