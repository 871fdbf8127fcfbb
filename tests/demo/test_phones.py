"""What the city's phones were asked, and what they said: as the product would have stored it."""

import json
from collections import Counter

from demo.place import KEYS, Place

from server.kit.privacy import Vault
from server.messages.rules import FOR_A_PERSON, MessageState, Outcome, Purpose
from server.reviews.rules import QuestionState
from server.settings import read
from sms import read as read_reply


def vault(place: Place) -> Vault:
    return Vault(read(place.environment(KEYS=KEYS)).keys)


async def test_every_rating_by_sms_has_its_question_its_message_and_its_reply(
    seeded: Place,
) -> None:
    odd = await seeded.fetch(
        "SELECT v.id FROM reviews v WHERE v.channel = 'sms' AND 1 <> (SELECT count(*) "
        "FROM questions q JOIN sms_messages m ON m.about = q.id JOIN sms_replies r ON r.about = q.id "
        "WHERE q.review_id = v.id AND q.asking = 'level' AND q.state = 'answered' "
        "AND r.outcome = 'rated' AND r.at = v.at AND q.asked_at <= r.at AND r.at <= q.open_until "
        "AND m.state = 'delivered' AND m.created_at = q.asked_at)"
    )
    assert odd == []


async def test_a_bad_review_without_its_reason_is_being_asked_for_it(seeded: Place) -> None:
    waiting = await seeded.fetch(
        "SELECT v.level, v.at > now() - interval '24 hours' AS fresh, q.state, q.options, "
        "q.open_until > now() AS open FROM reviews v LEFT JOIN questions q ON q.review_id = v.id "
        "AND q.asking = 'reason' WHERE v.state = 'awaiting_reason' ORDER BY v.at"
    )
    assert sorted(row["level"] for row in waiting) == [1, 1, 2]
    for row in waiting:
        assert (row["fresh"], row["state"], row["open"]) == (True, "open", True)
        assert len(row["options"]) == 8
        assert {code[0] for code in row["options"]} == {str(row["level"])}


async def test_the_letters_of_a_reply_are_the_tags_of_its_review(seeded: Place) -> None:
    rows = await seeded.fetch(
        "SELECT r.content, q.options, v.tags, v.comment FROM sms_replies r "
        "JOIN questions q ON q.id = r.about JOIN reviews v ON v.id = q.review_id "
        "WHERE r.outcome = 'reasoned'"
    )
    assert len(rows) > 10
    for row in rows:
        said = json.loads(vault(seeded).unseal(row["content"], "reply"))["text"]
        reading = read_reply(said, "reason")
        chosen = [row["options"]["ABCDEFGH".index(letter)] for letter in reading.reasons]
        assert (chosen, reading.words) == (row["tags"], row["comment"]), said


async def test_the_pages_of_the_console_have_something_of_everything(seeded: Place) -> None:
    rows = await seeded.fetch("SELECT purpose, state, code, tries FROM sms_messages")
    states = Counter(row["state"] for row in rows)
    assert states[MessageState.DELIVERED] > 500
    assert (states[MessageState.FAILED], states[MessageState.DEAD]) == (1, 2)
    assert {row["code"] for row in rows if row["state"] == MessageState.DEAD} == {
        "isv.BUSINESS_LIMIT_CONTROL", "isv.SMS_TEMPLATE_ILLEGAL",
    }  # fmt: skip
    assert {row["purpose"] for row in rows} == set(Purpose) - {
        Purpose.REASON_OPEN, Purpose.UNCLEAR_VERDICT, Purpose.UNCLEAR_RECALL, Purpose.THANKS,
        Purpose.ASK, Purpose.PROOF, Purpose.APPEALED, Purpose.EXCLUDED, Purpose.RESTORED,
    }  # fmt: skip
    outcomes = {row[0] for row in await seeded.fetch("SELECT outcome FROM sms_replies")}
    assert outcomes >= FOR_A_PERSON - {Outcome.REMARK} | {Outcome.RATED, Outcome.JUDGED}
    out = await seeded.fetch("SELECT 1 FROM sms_phones WHERE opted_out_at IS NOT NULL")
    assert len(out) == 4
    opened = await seeded.fetch("SELECT asking FROM questions WHERE state = 'open'")
    assert Counter(row["asking"] for row in opened) == {"level": 4, "reason": 3}


async def test_nothing_of_the_past_is_left_to_be_done(seeded: Place) -> None:
    """The worker that starts on the seeded city finds no one to write to."""
    for wrong in (
        "receipts WHERE invite_at IS NOT NULL",
        "sms_messages WHERE next_at IS NOT NULL OR created_at > now()",
        "sms_messages WHERE (created_at AT TIME ZONE 'Asia/Shanghai')::time NOT BETWEEN '08:00' AND '21:10'",
        f"questions WHERE state = '{QuestionState.WAITING}'",
        "questions WHERE state = 'open' AND open_until < now()",
        "questions WHERE asked_at > now() OR ended_at > now() OR ended_at < asked_at",
        f"sms_replies WHERE outcome = '{Outcome.NEW}' OR at > now()",
    ):
        assert await seeded.fetch(f"SELECT * FROM {wrong} LIMIT 3") == [], wrong


async def test_the_phones_are_nobodys_and_sealed(seeded: Place) -> None:
    masks = {row[0] for row in await seeded.fetch("SELECT masked FROM sms_phones")}
    assert all(mask.startswith("199****") for mask in masks)
    for row in await seeded.fetch("SELECT content FROM sms_messages"):
        assert b"1990000" not in row["content"]
        content = json.loads(vault(seeded).unseal(row["content"], "message"))
        assert content["phone"].startswith("1990000")
        assert content["text"].startswith("【云汀政务】")
        assert content["template"].startswith("SMS_9901")


async def test_two_cities_were_asked_the_same(seeded: Place, fresh: Place) -> None:
    assert fresh.run()[0] == 0
    for said in (
        "SELECT purpose, state, code, tries, parts, agency_code FROM sms_messages ORDER BY 1,2,3,4,5,6",
        "SELECT asking, state, reminder, receipt_id, options FROM questions ORDER BY 1,2,3,4,5",
        "SELECT outcome, phone_key FROM sms_replies ORDER BY 1,2",
        "SELECT masked, opted_out_at IS NULL FROM sms_phones ORDER BY 1,2",
    ):
        assert await fresh.fetch(said) == await seeded.fetch(said)
