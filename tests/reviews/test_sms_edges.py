"""Where the conversation by SMS could go wrong: at the seams of time, keys, questions and workers."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta

import asyncpg
import pytest
from conftest import KEYS
from factories import HOUSING, LABOUR, MATTER, REGION, City
from httpx import AsyncClient
from phones import Handset, at_o_clock, notified, orders, pass_time, policy, reviews, tick

from server.catalogue.models import Matter
from server.catalogue.service import load
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.privacy import open_vault, vault
from server.kit.redaction import redact
from server.people.models import Staff
from server.people.service import Member
from server.reviews import invitations, news, questions, replies
from server.reviews.sms_reviews import call_back
from server.settings import Settings
from server.workorders import service as workorders
from server.workorders.rules import Disposition

SECOND, MINUTE, HOUR, DAY = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days")
)


@pytest.fixture
def keys_change() -> Iterator[None]:
    """For the rest of the test b writes, and a still reads."""
    yield
    open_vault(KEYS)


def rotate() -> None:
    open_vault({"b": b"other-key-other-key-other-key-ot"} | KEYS)


async def answered(number: str, username: str = "handler") -> None:
    """The agency accepts the order and answers it."""
    member = Member.of(await Staff.get(username=username))
    await workorders.accept(member, number)
    await workorders.answer(
        member, number, disposition=Disposition.FIXED, text="已增开两个窗口", legal_basis=None
    )
    await tick()


async def asked_for_a_verdict(http: AsyncClient, hall: City, phone: Handset) -> None:
    await notified(http, hall)
    await phone.writes("1 排队太久")
    await pass_time(11 * MINUTE)
    (order,) = await orders()
    await answered(order["number"])


async def agencies() -> list[tuple[int, str]]:
    return [(r["level"], r["region_code"]) for r in await reviews()]


# Which question a reply means


async def test_the_reason_is_asked_before_the_next_service(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await notified(http, hall, LABOUR)
    await phone.writes("1")
    assert await phone.purposes() == ["notice", "reason"]
    await phone.writes("B 排队两个小时")
    assert (await orders())[0]["words"] == "排队两个小时"


async def test_the_reason_is_asked_first_also_when_the_next_service_has_not_been_looked_at_yet(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await hall.code(http, LABOUR)
    await invitations.invite()
    await phone.writes("1")
    assert await phone.purposes() == ["notice", "reason"]


async def test_a_reason_that_waits_for_the_next_day_is_still_asked_first(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(daily_messages=1)
    await notified(http, hall)
    await notified(http, hall, LABOUR)
    await phone.writes("1")
    assert await phone.purposes() == ["notice"]
    await pass_time(at_o_clock(9, 1))
    assert await phone.purposes() == ["notice", "reason"]


async def test_a_reason_said_before_the_day_on_which_it_would_be_asked_ends_its_question(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(daily_messages=1)
    await notified(http, hall)
    await phone.writes("1")
    await phone.writes("排队两个小时")
    assert [state for _, state in await phone.questions()] == ["answered", "answered"]
    (review,) = await reviews()
    assert (review["state"], review["comment"]) == ("standing", "排队两个小时")
    await pass_time(at_o_clock(9, 1))
    assert await phone.purposes() == ["notice"]


async def test_a_correction_in_the_last_second_does_not_rate_the_service_asked_about_next(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await hall.code(http, LABOUR)
    await phone.writes("5")
    await pass_time(9 * MINUTE + 50 * SECOND)
    written = clock.now()
    await pass_time(30 * SECOND)
    assert await phone.purposes() == ["notice", "notice"]
    await phone.writes("1 态度恶劣", at=written)
    assert [level for level, _ in await agencies()] == [5]
    assert (await phone.outcomes())[-1] == "late"


async def test_an_answer_in_the_last_second_of_a_question_is_not_one_to_the_next(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(remind_hours=0)
    await notified(http, hall)
    await hall.code(http, LABOUR)
    await pass_time(DAY - 20 * SECOND)
    written = clock.now()
    await pass_time(40 * SECOND)
    assert await phone.purposes() == ["notice", "notice"]
    await phone.writes("4", at=written)
    assert await agencies() == [(4, REGION)]


async def test_a_second_verdict_is_not_taken_for_the_level_of_another_service(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await asked_for_a_verdict(http, hall, phone)
    await notified(http, hall, LABOUR)
    await phone.writes("不满意")
    clock.advanced += 30 * SECOND
    await phone.writes("满意")
    assert [level for level, _ in await agencies()] == [1]


async def test_a_repeated_reply_to_what_was_rated_on_the_page_does_not_rate_another_service(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    code = await notified(http, hall)
    await notified(http, hall, LABOUR)
    await http.post(f"/api/v1/e/{code}/review", json={"level": 5})
    await phone.writes("1")
    clock.advanced += 30 * SECOND
    await phone.writes("1 态度差")
    assert [level for level, _ in await agencies()] == [5]


async def test_what_is_said_after_not_being_understood_twice_does_not_rate_another_service(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await notified(http, hall, LABOUR)
    await phone.writes("你们是谁")
    await phone.writes("什么意思")
    clock.advanced += 20 * SECOND
    await phone.writes("5")
    assert await reviews() == []


async def test_answers_follow_the_question_that_was_open_when_they_were_written(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(remind_hours=0)
    await notified(http, hall)
    await hall.code(http, LABOUR)
    first = clock.now() + HOUR
    await pass_time(DAY + MINUTE)
    await phone.writes("3", at=clock.now() + HOUR, read=False)
    await phone.writes("4", at=first, read=False)
    await pass_time(2 * HOUR)
    assert sorted(await agencies()) == [(3, "990102000000"), (4, REGION)]


async def test_words_between_the_level_and_the_question_for_the_reason_are_the_reason(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    now = clock.now()
    await phone.writes("1", at=now, read=False)
    await phone.writes("排队两个小时", at=now + SECOND, read=False)
    await tick()
    (review,) = await reviews()
    assert (review["state"], review["comment"]) == ("standing", "排队两个小时")
    assert await phone.purposes() == ["notice"]


async def test_a_letter_before_its_list_was_sent_is_no_reason(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    now = clock.now()
    await phone.writes("1", at=now, read=False)
    await phone.writes("B", at=now + SECOND, read=False)
    await tick()
    (review,) = await reviews()
    assert (review["state"], review["tags"]) == ("awaiting_reason", [])
    assert await phone.purposes() == ["notice", "reason"]


async def test_a_level_corrected_before_the_reason_was_asked_is_corrected(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    now = clock.now()
    await phone.writes("1", at=now, read=False)
    await phone.writes("5", at=now + SECOND, read=False)
    await tick()
    assert [(r["level"], r["state"]) for r in await reviews()] == [(1, "undone"), (5, "standing")]
    assert await phone.purposes() == ["notice"]
    await pass_time(2 * DAY)
    assert await orders() == []


async def test_what_is_written_now_by_a_clock_that_was_not_advanced_answers_the_open_question(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await notified(http, hall, LABOUR)
    await phone.writes("5", at=clock.now() - clock.advanced)
    await pass_time(11 * MINUTE)
    await phone.writes("4", at=clock.now() - clock.advanced)
    await phone.writes("3", at=clock.now() - clock.advanced)
    assert await agencies() == [(5, REGION), (4, "990102000000"), (3, "990102000000")]


async def test_a_level_that_comes_late_also_answers_the_reminder(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    written = clock.now() + HOUR
    await pass_time(25 * HOUR)
    await pass_time(24 * HOUR)
    assert await phone.purposes() == ["notice", "reminder"]
    await phone.writes("1", at=written)
    assert await phone.purposes() == ["notice", "reminder", "reason"]
    await phone.writes("B")
    assert (await orders())[0]["tags"] == ["109"]


async def test_an_answer_that_was_judged_on_the_page_is_not_waited_for(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await asked_for_a_verdict(http, hall, phone)
    (order,) = await orders()
    await workorders.judge(order["number"], satisfied=True, words="")
    await phone.writes("不满意")
    assert (await phone.outcomes())[-1] == "late"
    assert (await phone.questions())[-1] == ("verdict", "needless")
    assert (await orders())[0]["state"] == "closed"


# Nothing is lost


async def test_a_correction_after_the_receipts_time_leaves_the_first_review_standing(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await hall.code(http, handled_at=(clock.now() - 7 * DAY + 2 * HOUR).isoformat())
    await sql.fetch("UPDATE receipts SET open_until = $1", clock.now() + 2 * MINUTE)
    await tick()
    clock.advanced += MINUTE
    await phone.writes("5")
    clock.advanced += 5 * MINUTE
    await phone.writes("1")
    assert [(r["level"], r["state"]) for r in await reviews()] == [(5, "standing")]
    assert await phone.outcomes() == ["rated", "late"]


async def test_a_correction_of_a_voided_receipt_leaves_the_first_review_standing(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("5")
    await sql.fetch("UPDATE receipts SET voided_at = $1", clock.now())
    await phone.writes("4")
    assert [(r["level"], r["state"]) for r in await reviews()] == [(5, "standing")]


async def test_a_reply_to_a_voided_receipt_goes_to_a_person(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await sql.fetch("UPDATE receipts SET voided_at = $1", clock.now())
    await phone.writes("1 排队太久")
    assert await reviews() == []
    assert await phone.outcomes() == ["late"]


async def test_a_level_after_an_opt_out_goes_to_a_person(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("TD")
    await phone.writes("1 态度恶劣")
    assert await reviews() == []
    assert await phone.outcomes() == ["opted_out", "late"]


async def test_a_late_reason_that_overtakes_the_call_back_is_the_reason(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1")
    written = clock.now() + HOUR
    clock.advanced += 25 * HOUR
    await invitations.end_questions()
    await phone.writes("窗口态度恶劣", at=written)
    (order,) = await orders()
    assert (order["origin"], order["words"]) == ("review", "窗口态度恶劣")
    assert (await phone.outcomes())[-1] == "reasoned"


async def test_words_that_arrive_after_a_level_written_later_go_to_a_person(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    now = clock.now()
    clock.advanced += MINUTE
    await phone.writes("5", at=now + 20 * SECOND)
    await phone.writes("我等了三次才办好", at=now + 10 * SECOND)
    assert await phone.outcomes() == ["rated", "remark"]


async def test_words_that_nobody_could_see_are_no_reason(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1\u2800\u3164")
    (review,) = await reviews()
    assert review["state"] == "awaiting_reason"


async def test_six_hundred_characters_are_a_reason_and_all_of_them_are_kept(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1 排队太久，" + "材料反复要求重新提交。" * 60)
    (review,) = await reviews()
    assert (review["state"], len(review["comment"])) == ("standing", 500)
    assert await phone.outcomes() == ["rated"]


# At most so many messages


async def test_thanks_are_no_fourth_message_of_the_day(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(thank=True, daily_messages=1)
    await notified(http, hall)
    await phone.writes("5")
    assert await phone.purposes() == ["notice"]


async def test_who_opted_out_is_not_even_thanked(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(thank=True, remind_hours=0)
    await notified(http, hall)
    written = clock.now() + HOUR
    await pass_time(25 * HOUR)
    await phone.writes("TD")
    await phone.writes("5", at=written)
    assert [level for level, _ in await agencies()] == [5]
    assert await phone.purposes() == ["notice"]


async def test_one_message_a_day_is_enough_for_a_review_and_its_order(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(daily_messages=1)
    await notified(http, hall)
    await phone.writes("你们是谁")
    assert await phone.outcomes() == ["unclear"]
    await notified(http, hall, LABOUR)
    await pass_time(at_o_clock(9, 1))
    await phone.writes("1")
    await pass_time(2 * DAY)
    await tick()
    (order,) = await orders()
    assert order["origin"] in ("callback", "review")
    days = [m["created_at"].astimezone(BEIJING).date() for m in await phone.messages()]
    assert len(days) == len(set(days))


async def test_what_was_not_understood_of_a_verdict_is_asked_shortly_at_any_hour(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await asked_for_a_verdict(http, hall, phone)
    clock.advanced += at_o_clock(21)
    await phone.writes("你们是谁")
    assert (await phone.purposes())[-1] == "unclear_verdict"


async def test_an_open_question_that_nobody_has_ended_yet_holds_its_phone(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    """Of two ticks the one that asks may come first."""
    others = [Handset(f"1380013{n:04d}") for n in range(3)]
    await notified(http, hall)
    await hall.code(http, LABOUR)
    await invitations.invite()
    clock.advanced += 25 * HOUR
    hall.tokens.clear()
    for other in others:
        await hall.code(http, applicant={"kind": 1, "name": "", "phone": other.number})
    await invitations.invite()
    await invitations.ask()
    assert [await other.purposes() for other in others] == [["notice"]] * 3
    assert await phone.purposes() == ["notice"]
    clock.advanced += 2 * SECOND
    await invitations.end_questions()
    await invitations.ask()
    assert await phone.purposes() == ["notice", "notice"]


async def test_a_question_of_one_hour_is_over_after_one_hour(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(question_hours=1, remind_hours=0)
    await notified(http, hall)
    await notified(http, hall, LABOUR)
    await pass_time(HOUR + MINUTE)
    assert await phone.questions() == [("level", "expired"), ("level", "open")]
    await phone.writes("4")
    assert [region for _, region in await agencies()] == ["990102000000"]


async def test_a_region_without_sms_asks_nobody(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await hall.code(http)
    await policy(sms=False)
    await tick()
    await notified(http, hall)
    await pass_time(3 * DAY)
    assert await phone.messages() == []
    assert await phone.questions() == [("level", "needless")]


async def test_a_question_ends_with_its_receipt(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await hall.code(http)
    await sql.fetch("UPDATE receipts SET open_until = $1", clock.now() + 3 * HOUR)
    await tick()
    written = clock.now() + 2 * HOUR
    await pass_time(4 * HOUR)
    assert await phone.questions() == [("level", "expired")]
    await phone.writes("4", at=written)
    assert [level for level, _ in await agencies()] == [4]
    assert await phone.purposes() == ["notice"]


async def test_matters_with_brackets_links_and_two_hundred_characters_are_asked_about(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    name = ("【测试】https://example.com/x?y=1 关于（某某）事项\n" * 10)[:200]
    await Matter.filter(code=MATTER).update(name=name)
    await load()
    await notified(http, hall)
    (message,) = await phone.messages()
    assert "://" not in message["text"] and message["text"].count("【") == 1
    await phone.writes("1")
    await phone.writes("什么")
    assert all(len(v) <= 35 for m in await phone.messages() for v in m["variables"].values())


async def test_a_foreign_phone_is_asked_and_its_number_stays_out_of_the_order(
    http: AsyncClient, hall: City
) -> None:
    abroad = Handset("+85291234567")
    await hall.code(http, applicant={"kind": 1, "name": "", "phone": "+852 9123 4567"})
    await tick()
    await abroad.writes("1 排队太久，打我电话+852 9123-4567或0085291234567")
    (order,) = await orders()
    digits = "".join(char for char in order["words"] if char.isdigit())
    assert "91234567" not in digits
    assert redact("+85291234567", known=("+85291234567",)) != "+85291234567"


# Another key


async def test_a_reply_after_a_change_of_keys_answers_the_question_asked_before(
    http: AsyncClient, hall: City, phone: Handset, keys_change: None
) -> None:
    await notified(http, hall)
    rotate()
    await phone.writes("4")
    assert [level for level, _ in await agencies()] == [4]


async def test_a_change_of_keys_frees_no_phone_and_gives_no_more_messages(
    http: AsyncClient, hall: City, phone: Handset, keys_change: None
) -> None:
    await policy(daily_messages=2)
    await notified(http, hall)
    old = phone.key
    rotate()
    await notified(http, hall, LABOUR)
    assert await phone.messages() == []
    await phone.writes("1")
    assert await phone.purposes() == ["reason"]
    await phone.writes("B")
    await pass_time(11 * MINUTE)
    (row,) = await sql.fetch(
        "SELECT count(*) FROM sms_messages WHERE phone_key = ANY($1)", [old, phone.key]
    )
    assert row["count"] == 2


async def test_an_opt_out_before_a_change_of_keys_holds_after_it(
    http: AsyncClient, hall: City, phone: Handset, keys_change: None
) -> None:
    await notified(http, hall)
    await phone.writes("TD")
    rotate()
    await notified(http, hall)
    assert await phone.messages() == []


async def test_an_opt_out_after_a_change_of_keys_ends_the_question_asked_before(
    http: AsyncClient, hall: City, phone: Handset, keys_change: None
) -> None:
    await notified(http, hall)
    await hall.code(http, LABOUR)
    await invitations.invite()
    rotate()
    await phone.writes("TD")
    await pass_time(3 * DAY)
    rows = await sql.fetch("SELECT DISTINCT state FROM questions")
    assert [row["state"] for row in rows] == ["needless"]
    assert await phone.messages() == []


async def test_a_bad_review_under_a_withdrawn_key_still_becomes_an_order(
    http: AsyncClient, hall: City, phone: Handset, keys_change: None
) -> None:
    await notified(http, hall)
    await phone.writes("1")
    open_vault({"c": b"third-key-third-key-third-key-th"})
    await pass_time(2 * DAY)
    (order,) = await orders()
    assert order["origin"] == "callback"


# Many at once


async def test_workers_ticks_and_pages_at_once_do_not_block_each_other(
    http: AsyncClient, hall: City
) -> None:
    phones = [Handset(f"137000000{n:02d}") for n in range(12)]
    texts = ("1", "5", "2 排队太久", "你好", "TD", "B")
    for turn in range(4):
        person = [{"kind": 1, "name": "", "phone": phone.number} for phone in phones]
        codes = [
            await hall.code(http, (HOUSING, LABOUR)[n % 2], applicant=applicant)
            for n, applicant in enumerate(person)
        ]
        for n, phone in enumerate(phones):
            await phone.writes(texts[(n + turn) % len(texts)], read=False)
        pages = [http.post(f"/api/v1/e/{code}/review", json={"level": 4}) for code in codes[::3]]
        work = (
            replies.converse, invitations.ask, invitations.invite, invitations.end_questions,
            invitations.end_unsent, call_back,
        )  # fmt: skip
        done = await asyncio.gather(*(w() for w in work * 4), *pages, return_exceptions=True)
        assert [d for d in done if isinstance(d, BaseException)] == []
        assert {d.status_code for d in done[-len(pages) :]} <= {201, 409}  # type: ignore[union-attr]
        clock.advanced += 3 * HOUR
        hall.tokens.clear()
    await tick()
    assert "new" not in {o for phone in phones for o in await phone.outcomes()}
    unanswered = await sql.fetch(
        "SELECT 1 FROM reviews r WHERE r.level <= 2 AND r.state = 'standing' AND NOT EXISTS "
        "(SELECT 1 FROM work_orders o WHERE o.number = r.order_number AND o.origin_key = r.id)"
    )
    assert unanswered == []


async def test_a_phone_that_is_freed_while_its_next_question_is_put_off_is_asked_soon(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    """A message that failed frees the phone, whichever tick comes first."""
    for turn in range(8):
        await hall.code(http, (HOUSING, LABOUR)[turn % 2])
    await tick()
    for _ in range(6):
        await sql.fetch("DELETE FROM sms_messages WHERE state = 'failed'")
        failed = "UPDATE sms_messages SET state = 'failed', next_at = NULL, settled_at = $1"
        await sql.fetch(failed, clock.now())
        await sql.fetch("UPDATE questions SET due_at = $1 WHERE state = 'waiting'", clock.now())
        await asyncio.gather(invitations.ask(), invitations.end_unsent())
        await invitations.ask()
        rows = await sql.fetch("SELECT state FROM questions WHERE state = 'open'")
        assert len(rows) == 1
        (due,) = await sql.fetch("SELECT min(due_at) FROM questions WHERE state = 'waiting'")
        assert (await phone.messages())[-1]["state"] == "queued", due


async def test_two_workers_tell_an_answer_once(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1 排队太久")
    await pass_time(11 * MINUTE)
    (order,) = await orders()
    await sql.fetch("DELETE FROM pgqueuer")
    await answered(order["number"])
    await asyncio.gather(*(news.tell(order["number"]) for _ in range(4)))
    await tick()
    assert (await phone.questions()).count(("verdict", "open")) == 1
    assert (await phone.purposes()).count("answer") == 1


async def test_a_database_that_goes_in_the_middle_leaves_nothing_half(
    http: AsyncClient, hall: City, servers: Settings
) -> None:
    phones = [Handset(f"136000000{n:02d}") for n in range(10)]
    for phone in phones:
        await hall.code(http, applicant={"kind": 1, "name": "", "phone": phone.number})
    await tick()
    killer = await asyncpg.connect(servers.database_url)
    for n, phone in enumerate(phones):
        await phone.writes("1" if n % 2 else "2 排队太久", read=False)
    killed = 0
    for wait in range(1, 30):
        reading = asyncio.gather(replies.converse(), invitations.ask(), return_exceptions=True)
        await asyncio.sleep(wait / 1000)
        hit = 0
        while not (hit or reading.done()):
            hit = len(await killer.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND datname = current_database() AND backend_xid IS NOT NULL"
            ))  # fmt: skip
        killed += hit
        await reading
        rows = await sql.fetch(
            "SELECT p.outcome, r.id, r.state, r.order_number, q.state AS question,"
            " EXISTS (SELECT 1 FROM questions w WHERE w.review_id = r.id AND w.asking = 'reason') AS asked "
            "FROM sms_replies p LEFT JOIN questions q ON q.id = p.about AND q.asking = 'level' "
            "LEFT JOIN reviews r ON r.receipt_id = q.receipt_id"
        )
        for row in rows:
            if row["outcome"] == "new":
                assert row["id"] is None
            else:
                assert (row["outcome"], row["question"]) == ("rated", "answered")
                assert (row["order_number"] is not None) != row["asked"]
        if all(row["outcome"] == "rated" for row in rows):
            break
    await killer.close()
    await tick()
    assert killed > 0
    assert len(await reviews()) == 10


async def test_a_reply_that_nobody_foresaw_holds_up_no_other_and_is_left_to_a_person(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await hall.code(http)
    await tick()
    stranger = Handset("13900139000")
    broken = await stranger.writes("5", read=False)
    await sql.fetch(
        "UPDATE sms_replies SET content = $2 WHERE id = $1",
        broken, vault().seal(json.dumps({"phone": stranger.number}).encode(), "reply"),
    )  # fmt: skip
    await phone.writes("5")
    assert await stranger.outcomes() == ["unclear"]
    assert await phone.outcomes() == ["rated"]


async def test_a_question_that_cannot_be_asked_holds_up_no_other(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await hall.code(http)
    await tick()
    await phone.writes("1 排队太久")
    await pass_time(11 * MINUTE)
    await sql.fetch("UPDATE work_orders SET state = 'answered'")  # without a step that says what
    (receipt,) = await sql.fetch("SELECT * FROM receipts")
    (review,) = await reviews()
    now = clock.now()
    broken = questions.New(
        receipt=receipt, phone=phone.number, asking="verdict", review_id=review["id"], due_at=now,
        give_up_at=now + DAY,
    )  # fmt: skip
    await questions.add([broken])
    other = Handset("13900139000")
    await hall.code(http, applicant={"kind": 1, "name": "", "phone": other.number})
    await tick()
    await tick()
    assert ("verdict", "unsent") in await phone.questions()
    assert await other.purposes() == ["notice"]
