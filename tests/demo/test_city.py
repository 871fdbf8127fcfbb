"""What stands in the demo city after its seed."""

import asyncio
import stat
from collections import Counter
from typing import Any

from demo.place import Place, a_server, push, sign_in

from server.demo.city import LINXI
from server.receipts.rules import Channel, Stage
from server.reviews.rules import ReviewChannel
from server.workorders.rules import TABLE, Outcome, Record, State


async def values(place: Place, statement: str) -> set[Any]:
    return {row[0] for row in await place.fetch(statement)}


async def test_the_city_has_its_size(seeded: Place) -> None:
    sizes = {
        "regions": 4, "agencies": 12, "halls": 4, "windows": 40, "officers": 60, "matters": 200,
        "tags": 40, "receipts WHERE channel <> 'grievance'": 5000, "reviews WHERE channel <> 'system'": 2000,
    }  # fmt: skip
    counts = {t: (await seeded.fetch(f"SELECT count(*) FROM {t}"))[0][0] for t in sizes}
    assert counts == sizes
    bad = await seeded.fetch(
        "SELECT avg((level < 3)::int)::float FROM reviews WHERE channel <> 'system'"
    )
    assert 0.09 < bad[0][0] < 0.15


async def test_every_level_channel_stage_and_state_is_there(seeded: Place) -> None:
    assert await values(seeded, "SELECT level FROM reviews") == {1, 2, 3, 4, 5}
    assert await values(seeded, "SELECT channel FROM reviews") == set(ReviewChannel)
    assert await values(seeded, "SELECT channel FROM receipts") == {*Channel, "wall", "grievance"}
    assert await values(
        seeded, "SELECT stage FROM receipts WHERE channel NOT IN ('wall', 'grievance')"
    ) == set(Stage)
    assert await values(seeded, "SELECT state FROM work_orders") == set(State)
    assert await values(seeded, "SELECT outcome FROM work_orders") == {*Outcome, None}
    assert await values(seeded, "SELECT state FROM reviews") == {
        "standing", "undone", "excluded", "awaiting_reason", "default",
    }  # fmt: skip
    defaults = await seeded.fetch(
        "SELECT region_code, count(*) FILTER (WHERE state = 'default') AS standing, "
        "count(*) FILTER (WHERE state = 'excluded') AS replaced "
        "FROM reviews WHERE channel = 'system' GROUP BY 1"
    )
    assert [(row["region_code"], row["replaced"]) for row in defaults] == [(LINXI, 3)]
    assert defaults[0]["standing"] > 100
    late = await seeded.fetch(
        "SELECT state FROM work_orders WHERE next_due_at < now() AND state <> 'answered'"
    )
    assert 3 <= len(late) <= 40, late


async def test_every_standing_bad_review_has_one_order_and_every_order_its_review(
    seeded: Place,
) -> None:
    odd = await seeded.fetch(
        "SELECT v.id, o.number FROM (SELECT * FROM reviews WHERE level < 3 AND state <> "
        "'awaiting_reason') v FULL JOIN (SELECT * FROM work_orders "
        "WHERE origin IN ('review', 'static_qr', 'paper')) o ON o.origin_key = v.id "
        "WHERE v.id IS NULL OR o.number IS NULL OR v.order_number <> o.number "
        "OR v.level <> o.level OR v.tags <> o.tags OR (v.state = 'undone') <> (o.state = 'withdrawn') "
        "OR (v.state = 'excluded') <> (o.state = 'dismissed')"
    )
    assert odd == []
    assert (
        await seeded.fetch("SELECT origin_key FROM work_orders GROUP BY 1 HAVING count(*) > 1")
        == []
    )


async def test_reasons_are_of_the_level_and_bad_reviews_have_one(seeded: Place) -> None:
    wrong = await seeded.fetch(
        "SELECT v.id FROM reviews v, unnest(v.tags) c LEFT JOIN tags t ON t.code = c "
        "WHERE t.level IS DISTINCT FROM v.level"
    )
    assert wrong == []
    silent = await seeded.fetch(
        "SELECT id FROM reviews WHERE level < 3 AND tags = '{}' AND comment = '' "
        "AND state <> 'awaiting_reason'"
    )
    assert silent == []
    assert len(await values(seeded, "SELECT comment FROM reviews")) > 60


async def test_times_are_in_order_and_past(seeded: Place) -> None:
    for wrong in (
        "receipts WHERE handled_at > issued_at OR issued_at > now()",
        "receipts WHERE handled_at < now() - interval '31 days'",
        "receipts WHERE channel <> 'grievance'"
        " AND (handled_at AT TIME ZONE 'Asia/Shanghai')::time NOT BETWEEN '09:00' AND '17:00'",
        "reviews v JOIN receipts r ON r.id = v.receipt_id WHERE v.at < r.issued_at "
        "OR (v.at > r.open_until) <> EXISTS (SELECT 1 FROM reviews d WHERE d.receipt_id = r.id "
        "AND d.channel = 'system' AND (d.id = v.id OR d.replaced_at = v.at))",
        "reviews WHERE undo_until <> at + interval '10 minutes' AND channel <> 'system' "
        "OR undo_until > now()",
        "reviews WHERE undone_at NOT BETWEEN at AND undo_until",
        "work_orders o JOIN reviews v ON v.id = o.origin_key WHERE o.origin = 'review' "
        "AND o.visible_from <> v.undo_until",
        "work_orders WHERE contact_due_at < visible_from OR due_at < contact_due_at",
        "work_order_steps s JOIN work_orders o ON o.number = s.order_id WHERE s.at > now() "
        "OR (s.at < o.visible_from) <> (s.move = 'withdraw')",
        "work_orders o WHERE closed_at <> (SELECT max(at) FROM work_order_steps s "
        "WHERE s.order_id = o.number AND s.move <> 'open')",
    ):
        assert await seeded.fetch(f"SELECT * FROM {wrong} LIMIT 3") == [], wrong


async def test_every_step_is_a_move_of_the_table(seeded: Place) -> None:
    states: dict[str, str] = {}
    for step in await seeded.fetch("SELECT * FROM work_order_steps ORDER BY id"):
        if step["move"] == "open":
            states[step["order_id"]] = State.ASSIGNED
            continue
        state, move = State(states[step["order_id"]]), step["move"]
        assert bool(step["actor_id"]) == (step["actor"] not in ("citizen", "system"))
        if move in set(Record):
            assert step["state"] == state
            continue
        assert TABLE[state, move] == step["state"] or move == "resume"
        states[step["order_id"]] = step["state"]
        if move == "answer":
            assert step["words"] and step["disposition"]
    orders = await seeded.fetch("SELECT number, state FROM work_orders")
    assert {row["number"]: row["state"] for row in orders} == states
    assert await seeded.fetch(
        "SELECT o.number FROM work_orders o JOIN staff s ON s.id = o.owner_id "
        "WHERE s.agency_code <> o.agency_code"  # but for what a supervisor took over
    ) == []  # fmt: skip


async def test_some_came_through_the_other_doors_and_stand_in_several_states(seeded: Place) -> None:
    rows = await seeded.fetch(
        "SELECT g.source, o.state, o.level FROM grievances g JOIN work_orders o "
        "ON o.number = g.order_number AND o.origin_key = g.id AND o.origin = g.source"
    )
    assert {row["source"] for row in rows} == {"faults", "stuck", "visit", "letter", "hotline"}
    assert len({row["state"] for row in rows}) >= 5 and {row["level"] for row in rows} == {None}


async def test_some_scanned_a_wall_and_said_what_it_was_about_or_not(seeded: Place) -> None:
    rows = await seeded.fetch(
        "SELECT t.window_code, t.matter_code, v.level, t.channel, v.channel AS by FROM reviews v "
        "JOIN receipts t ON t.id = v.receipt_id WHERE t.channel = 'wall' OR v.channel = 'static_qr'"
    )
    assert 30 <= len(rows) <= 120
    assert {(row["channel"], row["by"]) for row in rows} == {
        ("wall", "static_qr"),
        ("wall", "paper"),
    }
    assert {bool(row["window_code"]) for row in rows} == {True, False}
    assert {bool(row["matter_code"]) for row in rows} == {True, False}
    assert any(row["level"] < 3 for row in rows)


async def test_every_review_on_paper_was_keyed_in_by_somebody_else_than_the_reviewed(
    seeded: Place,
) -> None:
    rows = await seeded.fetch(
        "SELECT v.entered_by = f.entered_by AND v.at = f.entered_at AS same, s.role, o.origin, v.level,"
        " s.agency_code IS NOT NULL AND s.agency_code IN (t.agency_code, o.agency_code) AS own "
        "FROM reviews v JOIN receipts t ON t.id = v.receipt_id "
        "LEFT JOIN paper_forms f ON f.review_id = v.id LEFT JOIN staff s ON s.id = f.entered_by "
        "LEFT JOIN work_orders o ON o.number = v.order_number WHERE v.channel = 'paper'"
    )
    assert len(rows) > 10 and all(row["same"] and not row["own"] for row in rows)
    assert {row["role"] for row in rows} == {"handler", "supervisor"}
    assert {row["origin"] for row in rows if row["level"] < 3} == {"paper"}
    left = await seeded.fetch("SELECT 1 FROM paper_forms WHERE entered_at IS NULL")
    assert len(left) >= 3
    assert (
        await seeded.fetch("SELECT 1 FROM reviews WHERE channel <> 'paper' AND entered_by > 0")
        == []
    )


async def test_nobody_is_real(seeded: Place) -> None:
    assert await seeded.fetch("SELECT 1 FROM agencies WHERE region_code NOT LIKE '9901%'") == []
    phones = await values(seeded, "SELECT phone_key FROM receipts")
    assert None in phones and len(phones) > 1000
    people = await seeded.fetch(
        "SELECT applicant FROM receipts WHERE channel NOT IN ('wall', 'grievance')"
    )
    assert all(b"1990000" not in row["applicant"] for row in people)


async def test_the_accounts_work_and_each_system_has_what_it_needs(another: Place) -> None:
    document = another.document
    assert set(document) == {
        "base_url", "clients", "staff", "sms", "windows", "matters", "officers", "tags",
    }  # fmt: skip
    posts = Counter((member["role"], member["agency_code"]) for member in document["staff"])
    fully = [a for (role, a), number in posts.items() if role == "handler" and number >= 2]
    assert len(fully) >= 3 and all(posts["agency_lead", agency] for agency in fully)
    assert [posts[r, None] for r in ("supervisor", "adjudicator", "auditor", "admin")] == [
        1,
        4,
        1,
        1,
    ]
    assert len({agency for role, agency in posts if role == "handler"}) == 12

    async with a_server(another) as http:
        await asyncio.gather(*(sign_in(http, member) for member in document["staff"][:6]))
        for number, client in enumerate(document["clients"]):
            await push(http, document, client, number)


async def test_the_callbacks_stand_under_the_secret_of_the_settings(seeded: Place) -> None:
    prefix = f"http://pj.test/callbacks/sms/{seeded.callback_secret}"
    assert seeded.document["sms"] == {"up_url": f"{prefix}/up", "report_url": f"{prefix}/report"}


async def test_the_secrets_are_for_their_owners_eyes_only(seeded: Place) -> None:
    assert stat.S_IMODE((seeded.var / "demo.json").stat().st_mode) == 0o600
    assert [path.name for path in seeded.var.iterdir()] == ["demo.json"]


async def test_appeals_stand_in_every_state_that_a_visitor_may_want_to_see(seeded: Place) -> None:
    rows = await seeded.fetch(
        "SELECT a.round, a.state, a.due_at < max(a.at) OVER () AS late, a.statement IS NULL AS silent,"
        " (SELECT count(*) FROM appeal_votes v WHERE v.appeal_id = a.id) AS votes FROM appeals a"
    )
    found = {(row["round"], row["state"], row["votes"]) for row in rows}
    assert {("appeal", "open", 0), ("appeal", "upheld", 2), ("appeal", "refused", 2)} <= found
    assert ("objection", "open", 0) in found
    assert {row["late"] for row in rows} == {row["silent"] for row in rows} == {True, False}
    assert (
        await seeded.fetch(
            "SELECT 1 FROM reviews r JOIN work_orders o ON o.number = r.order_number "
            "WHERE r.state = 'excluded' AND r.replaced_at IS NULL "
            "AND NOT EXISTS (SELECT 1 FROM exclusions e WHERE e.review_id = r.id)"
        )
        == []
    )
