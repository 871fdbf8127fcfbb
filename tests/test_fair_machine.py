"""The machine of the loop, extended by what makes it fair: appeals and votes, the citizen's objections,
“不是我评的”, suspicions that two people look at, voided receipts and mergers, in any order."""

import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import test_loop_machine as loop
from appeals.court import RULERS, hire
from factories import HOUSING, LABOUR, City, a_receipt
from httpx import AsyncClient, Response
from phones import PHONE, Handset
from test_loop_machine import World, world  # noqa: F401  the fixture

from server.appeals import watch
from server.integrity import suspicions
from server.integrity.rules import Rule
from server.kit import sql
from server.kit.clock import clock
from server.people import tokens
from server.people.models import Staff
from server.people.rules import Role
from server.people.service import Caller, Member
from server.receipts import voiding

REFUSED = {401, 403, 404, 409, 410, 422, 429}
LIVES, STEPS = 3, 90
LONG_LIVES, LONG_STEPS = 3, 800
PARTIAL = "of-housing"
"""An adjudicator lent by the agency whose reviews are contested."""
EVENTS = {
    "rate": 6, "act": 30, "talk": 10, "wait": 8, "work": 2, "crash": 3, "call": 3, "appeal": 14,
    "state": 8, "vote": 26, "confirm": 4, "protest": 8, "disown": 5, "suspect": 5, "look": 10,
    "void": 4, "take_back": 1,
}  # fmt: skip


@dataclass
class FairWorld(World):
    receipts: list[tuple[str, str, str]] = field(default_factory=list)
    """Agency, receipt and its newest code."""

    async def _sent(self, who: str, path: str, **body: Any) -> Response:
        head = self.staff[who] if who else {}
        answer = await self.http.post(f"/api/v1/{path}", json=body, headers=head)
        door = path.rpartition("/")[2]
        self.count[f"{door} {answer.status_code}"] += 1
        assert answer.status_code < 300 or answer.status_code in REFUSED, (path, answer.text)
        return answer

    # The reviewed side

    async def appeal(self) -> None:
        """Taken exactly when the page says that it may be made."""
        number = await self._an_order()
        who = self.dice.choice(("handler", "lead", "other", "supervisor"))
        path = f"work-orders/{number}/appeal"
        seen = await self.http.get(f"/api/v1/{path}", headers=self.staff[who])
        may = seen.is_success and seen.json()["may_appeal"] and who != "supervisor"
        ground = self.dice.choice(("mistaken", "malicious", "not_ours"))
        answer = await self._sent(who, path, ground=ground, text="监控显示只等了十分钟")
        assert (answer.status_code == 201) is bool(may), (may, answer.text)

    async def take_back(self) -> None:
        await self._sent("handler", f"work-orders/{await self._an_order()}/appeal/withdraw")

    # The citizen

    async def state(self) -> None:
        await self._sent("", f"track/{await self._a_query_code()}/statement", text="确实等了两小时")

    async def protest(self) -> None:
        await self._sent("", f"track/{await self._a_query_code()}/objection", text="没有按错")

    async def _a_query_code(self) -> str:
        """Mostly of one whose review is contested."""
        rows = await sql.fetch(
            "SELECT order_number FROM appeals WHERE order_number = ANY($1::text[]) ORDER BY id",
            sorted(self.citizens),
        )
        known = [str(row["order_number"]) for row in rows]
        number = self.dice.choice(known) if known else await self._an_order()
        return self.citizens[number][1]

    async def disown(self) -> None:
        """The phone's owner sets the first review aside, and gives his own."""
        agency = HOUSING
        issued = await self.http.post(
            "/api/v1/receipts", json=a_receipt(agency), headers=self.systems[agency]
        )
        code = issued.json()["review_url"].rpartition("/")[2]
        praise = {"level": self.dice.choice((1, 5)), "tags": [], "comment": "好"}
        first = await self.http.post(f"/api/v1/e/{code}/review", json=praise)
        if order := first.json()["work_order"]:
            self.citizens[order["number"]] = code, first.json()["query_code"]
        for _ in range(self.dice.choice((1, 1, 2))):
            code = await self._disowned(code)
            review = {"level": 1, "tags": [], "comment": "这才是本人评的"}
            taken = await self.http.post(f"/api/v1/e/{code}/review", json=review)
            assert taken.status_code == 201, taken.text
            number = taken.json()["work_order"]["number"]
            self.citizens[number] = code, taken.json()["query_code"]
            self.receipts.append((agency, issued.json()["receipt_id"], code))
            clock.advanced += 11 * loop.MINUTE

    async def _disowned(self, code: str) -> str:
        path = f"/api/v1/e/{code}/objection"
        asked = await self.http.post(path, json={"phone": PHONE})
        assert asked.status_code == 202, asked.text
        proof = (await Handset().messages())[-1]["variables"]["proof"]
        proven = await self.http.post(path, json={"phone": PHONE, "proof": proof})
        assert proven.status_code == 201, proven.text
        self.count["disowned"] += 1
        again = await self.http.post(f"/api/v1/e/{code}/review", json={"level": 5})
        assert again.status_code == 409, "the older code rates once more"
        return str(proven.json()["review_code"])

    # Those who rule

    async def vote(self) -> None:
        rows = await sql.fetch("SELECT id, agency_code, round FROM appeals WHERE state = 'open'")
        if not rows:
            return await self.appeal()
        case = self.dice.choice(sorted(rows, key=lambda row: str(row["id"])))
        who = self.dice.choice((*RULERS, PARTIAL))
        upheld = self.dice.random() < 0.75
        reason = {"reason": "malicious"} if upheld and case["round"] == "appeal" else {}
        answer = await self._sent(
            who, f"appeals/{case['id']}/vote", upheld=upheld, text="核对了监控", **reason
        )
        if who == PARTIAL and case["agency_code"] == HOUSING:
            assert answer.status_code in (403, 404), answer.text

    async def confirm(self) -> None:
        rows = await sql.fetch("SELECT id FROM appeals WHERE state = 'confirming' ORDER BY id")
        if rows:
            upheld = self.dice.random() < 0.5
            case = self.dice.choice(rows)["id"]
            await self._sent("supervisor", f"appeals/{case}/confirmation", upheld=upheld, text="核")

    # Suspicions, and receipts that are voided

    async def suspect(self) -> None:
        rows = await sql.fetch(
            "SELECT r.id, r.receipt_id, r.region_code, c.agency_code, c.window_code FROM reviews r "
            "JOIN receipts c ON c.id = r.receipt_id WHERE r.state = 'standing' ORDER BY r.id"
        )
        if not rows:
            return
        row = self.dice.choice(rows)
        rule = self.dice.choice((Rule.QUICK, Rule.BURST, Rule.VOIDED))
        finding = suspicions.Finding(
            rule=rule, region_code=row["region_code"], agency_code=row["agency_code"],
            window_code=row["window_code"], receipt_id=row["receipt_id"], review_id=row["id"],
            evidence={"seconds": 2, "threshold": 8},
        )  # fmt: skip
        await suspicions.suspect([finding], clock.now())

    async def look(self) -> None:
        rows = await sql.fetch("SELECT id FROM suspicions ORDER BY id")
        if not rows:
            return await self.suspect()
        number = self.dice.choice(rows)["id"]
        who = self.dice.choice(("supervisor", "first", "second", "handler"))
        door, body = self.dice.choice((
            ("proposal", {"text": "时间过于集中"}), ("proposal", {"text": "同一设备"}),
            ("decision", {"agree": True}), ("decision", {"agree": False, "text": "不足"}),
            ("clearance", {"text": "家人代评"}),
        ))  # fmt: skip
        answer = await self._sent(who, f"suspicions/{number}/{door}", **body)
        if who == "handler":
            assert answer.status_code == 403, "the reviewed side learns that a review is suspected"

    async def void(self) -> None:
        rows = await sql.fetch(
            "SELECT id, agency_code FROM receipts WHERE agency_code = ANY($1) ORDER BY id",
            [HOUSING, LABOUR],
        )
        if not rows:
            return
        row = self.dice.choice(rows)
        await voiding.ask(
            Caller(f"c-{row['agency_code']}", row["agency_code"]), str(row["id"]), "办件号录错"
        )
        leads = {HOUSING: "lead", LABOUR: "other-lead"}
        lead = Member.of(await Staff.get(username=leads[row["agency_code"]]))
        asked = await sql.fetch(
            "SELECT id FROM voids WHERE receipt_id = $1 AND state = 'asked'", row["id"]
        )
        for void in asked if self.dice.random() < 0.5 else ():
            await voiding.decide(lead, void["id"], agree=True)
            self.count["voided"] += 1

    async def work(self) -> None:
        await super().work()
        await watch.watch()

    # What holds

    async def hold(self) -> None:
        await super().hold()
        now = clock.now()
        for what, statement in UNFAIR.items():
            rows = await sql.fetch(statement, *([now] if "$1" in statement else []))
            assert rows == [], (what, [dict(row) for row in rows])


UNFAIR = {
    "an excluded review has one exclusion by two people, and no other has one": (
        "SELECT r.id FROM reviews r LEFT JOIN exclusions e ON e.review_id = r.id "
        "AND e.lifted_at IS NULL WHERE r.replaced_at IS NULL "
        "AND (r.state = 'excluded') <> (e.id IS NOT NULL) OR e.first_id = e.second_id"
    ),
    "a bad review that counts has an order that was not dismissed": (
        "SELECT r.id FROM reviews r JOIN work_orders o ON o.number = r.order_number "
        "WHERE r.state = 'standing' AND o.state = 'dismissed'"
    ),
    "an order is dismissed only with the review that it came from": (
        "SELECT o.number FROM work_orders o WHERE o.state = 'dismissed' AND NOT EXISTS "
        "(SELECT 1 FROM exclusions e WHERE e.review_id = o.origin_key)"
    ),
    "an appeal is upheld by two who agree, and not before the citizen could speak": (
        "SELECT a.id FROM appeals a WHERE a.state = 'upheld' AND a.round = 'appeal' AND ("
        "  (SELECT count(*) FROM appeal_votes v WHERE v.appeal_id = a.id AND v.upheld) <> 2 "
        "  OR a.statement IS NULL AND a.ruled_at <= a.statement_until)"
    ),
    "nobody rules who had the order in his hands, or made the appeal": (
        "SELECT v.id FROM appeal_votes v JOIN appeals a ON a.id = v.appeal_id "
        "JOIN work_orders o ON o.number = a.order_number WHERE v.upheld IS NOT NULL AND ("
        "  v.staff_id IN (a.by_id, o.owner_id, o.verifier_id) OR EXISTS (SELECT 1 "
        "  FROM work_order_steps s WHERE s.order_id = o.number AND s.actor_id = v.staff_id))"
    ),
    "who ruled on an appeal does not rule on the objection to it": (
        "SELECT v.id FROM appeal_votes v JOIN appeals b ON b.id = v.appeal_id "
        "AND b.round = 'objection' JOIN appeals a ON a.review_id = b.review_id "
        "AND a.round = 'appeal' JOIN appeal_votes w ON w.appeal_id = a.id "
        "AND w.staff_id = v.staff_id AND w.upheld IS NOT NULL WHERE v.upheld IS NOT NULL"
    ),
    "a suspended review was disowned by the phone's owner, and both are kept": (
        "SELECT r.id FROM reviews r WHERE r.state = 'suspended' AND NOT EXISTS "
        "(SELECT 1 FROM objections b WHERE b.review_id = r.id)"
    ),
    "a voided receipt was asked for by one and voided by another": (
        "SELECT c.id FROM receipts c WHERE c.voided_at IS NOT NULL AND NOT EXISTS (SELECT 1 "
        "FROM voids v WHERE v.receipt_id = c.id AND v.state = 'voided' AND v.decided_by IS NOT NULL)"
    ),
    "voiding a receipt takes no review away": (
        "SELECT r.id FROM reviews r JOIN receipts c ON c.id = r.receipt_id "
        "WHERE c.voided_at IS NOT NULL AND r.at > c.voided_at"
    ),
    "a confirmed suspicion was proposed by one and decided by another": (
        "SELECT id FROM suspicions WHERE state = 'confirmed' "
        "AND (proposed_by IS NULL OR decided_by IS NULL OR proposed_by = decided_by)"
    ),
}  # fmt: skip
"""What never is: each finds the rows that break it."""


@pytest.fixture
async def fair(world: World) -> AsyncIterator[World]:  # noqa: F811  the fixture
    for name in RULERS:
        await hire(name, Role.ADJUDICATOR)
    await hire(PARTIAL, Role.ADJUDICATOR, agency_code=HOUSING)
    life = 365 * loop.DAY
    for name in (*RULERS, PARTIAL):
        member = await Staff.get(username=name)
        token = tokens.issue(str(member.id), tokens.Audience.STAFF, life)[0]
        world.staff[name] = {"Authorization": f"Bearer {token}"}
    yield world


async def lived(first: World, seed: int, steps: int) -> Counter[str]:
    """One history; gives what happened in it."""
    await sql.fetch(
        "TRUNCATE appeals, exclusions, suspicions, objections, objection_proofs, voids, sms_messages "
        "RESTART IDENTITY CASCADE"
    )
    seen = await loop.lived(first, seed, steps, kind=FairWorld, events=EVENTS)
    rows = await sql.fetch(
        "SELECT 'appeal ' || round || ' ' || state AS what FROM appeals UNION ALL "
        "SELECT 'review ' || state FROM reviews UNION ALL SELECT 'suspicion ' || state FROM suspicions"
    )
    return seen + Counter(row["what"] for row in rows)


async def test_whatever_happens_nobody_judges_his_own_case_and_nothing_is_taken_away(
    fair: World,
) -> None:
    seen = Counter[str]()
    for seed in range(LIVES):
        seen += await lived(fair, seed, STEPS)
    assert not USUAL - seen.keys(), (USUAL - seen.keys(), "these lives meet nothing")


USUAL = {
    "appeal 201", "vote 200", "vote 403", "statement 200", "disowned", "voided", "proposal 200",
    "appeal appeal upheld", "appeal appeal refused", "review suspended", "review excluded",
}  # fmt: skip


@pytest.mark.long
async def test_whatever_happens_in_eight_hundred_steps_nobody_judges_his_own_case(
    fair: World,
) -> None:
    seen = Counter[str]()
    for seed in range(LONG_LIVES):
        seen += await lived(fair, 1000 + seed, LONG_STEPS)
    logging.getLogger(__name__).info("%s", dict(seen))
    rare = {"appeal objection upheld", "merge 200", "confirmation 200"}
    assert not rare - seen.keys(), rare - seen.keys()


def test_the_doors_of_the_machine_are_those_of_the_house(http: AsyncClient, city: City) -> None:
    assert set(EVENTS) <= {name for name in dir(FairWorld) if not name.startswith("_")}
