"""Who was asked by SMS in the invented city, and what came back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from server.catalogue.service import catalogue
from server.demo.days import lately
from server.demo.life import Life
from server.demo.opinions import Opinion
from server.demo.outbox import Outbox, Row, end
from server.demo.samples import Asked, Sampled
from server.demo.visits import Visit, invented_phone
from server.kit import query_codes as codes
from server.kit.clock import BEIJING
from server.messages.rules import MessageState, Outcome, Purpose, next_in_hours
from server.reviews.questions import LETTERS
from server.reviews.rules import QuestionState, ReviewChannel, ReviewState, is_bad
from server.workorders.rules import FINAL, Move
from server.workorders.service import CITIZEN

UNANSWERED = 400
"""Of those who were asked and said nothing."""
ASKED_LATELY: tuple[tuple[int, str, int], ...] = (
    (6, "isv.SMS_TEMPLATE_ILLEGAL", 1), (4, "isv.BUSINESS_LIMIT_CONTROL", 5), (3, "", 0), (1, "", 0),
)  # fmt: skip
"""Hours ago; why the message was not taken, and after how many tries. All of them may still answer."""
_DAY = timedelta(days=1)
_P, _Q, _O = Purpose, QuestionState, Outcome
_OPT_OUTS = ("退订", "TD", "T", "不要再发了，退订")
_STRANGE = ("收到", "请问社保卡丢了怎么补办？")
_NOT_REACHED = "MOBILE_NOT_ON_SERVICE"


@dataclass(frozen=True)
class Told:
    """What happened otherwise."""

    visits: Sequence[Visit]
    receipts: Mapping[int, Row]
    opinions: Sequence[Opinion]
    lives: Mapping[UUID, Life]
    now: datetime


def conversations(rng: Random, told: Told, drawn: Sampled) -> Outbox:
    outbox = Outbox(rng)
    for opinion in told.opinions:
        if opinion.channel is ReviewChannel.SMS:
            _rated(outbox, told, opinion)
    _silent(outbox, told)
    for asked in drawn.asked:
        _recalled(outbox, told, asked)
    for text in _STRANGE:
        outbox.reply(invented_phone(rng), text, lately(told.now, 4), _O.UNKNOWN)
    return outbox


def _phone(visit: Visit) -> str:
    assert visit.form.applicant is not None and visit.form.applicant.phone
    return visit.form.applicant.phone


def _rated(outbox: Outbox, told: Told, opinion: Opinion) -> None:
    receipt, phone = told.receipts[opinion.visit.number], _phone(opinion.visit)
    waits = opinion.state is ReviewState.AWAITING_REASON
    at = opinion.at - timedelta(minutes=6) if waits else receipt["issued_at"]
    notice = outbox.ask(receipt, phone, "level", at, reminder=waits)
    outbox.send(receipt, phone, _P.REMINDER if waits else _P.NOTICE, at, notice)
    in_one = is_bad(opinion.level) and opinion.comment and not opinion.tags
    words = opinion.comment if in_one or not is_bad(opinion.level) else ""
    outbox.reply(phone, f"{opinion.level} {words}".strip(), opinion.at, _O.RATED, notice)
    end(notice, _Q.ANSWERED, opinion.at, opinion.id)
    if is_bad(opinion.level) and not in_one:
        _reasoned(outbox, receipt, phone, opinion)
    if opinion.id in told.lives:
        _judged(outbox, told, opinion)


def _reasoned(outbox: Outbox, receipt: Row, phone: str, opinion: Opinion) -> None:
    tags = catalogue().tags_of_level(opinion.level)[:LETTERS]
    letters = {tag.code: chr(ord("A") + place) for place, tag in enumerate(tags)}
    listed = {letters[tag.code].lower(): tag.text for tag in tags}
    asked_at = opinion.at + timedelta(seconds=4)
    question = outbox.ask(
        receipt, phone, "reason", asked_at, review_id=opinion.id, options=list(letters)
    )
    outbox.send(receipt, phone, _P.REASON, asked_at, question, listed)
    if opinion.state is ReviewState.AWAITING_REASON:
        return
    text = "".join(letters[code] for code in opinion.tags) + f" {opinion.comment}".rstrip()
    at = opinion.at + timedelta(seconds=35)
    outbox.reply(phone, text, at, _O.REASONED, question)
    end(question, _Q.ANSWERED, at)


def _judged(outbox: Outbox, told: Told, opinion: Opinion) -> None:
    """The order's answers, told to the citizen, and what he thought of them within the day."""
    receipt, phone = told.receipts[opinion.visit.number], _phone(opinion.visit)
    steps = told.lives[opinion.id].steps
    for place, step in enumerate(steps):
        at = step["at"]
        _news(outbox, told, opinion, step)
        if step["move"] != Move.ANSWER or at > told.now - _DAY:
            continue
        question = outbox.ask(receipt, phone, "verdict", at, review_id=opinion.id)
        code = codes.grouped(codes.query_code(opinion.id))
        outbox.send(
            receipt, phone, _P.ANSWER, at, question, {"answer": step["words"], "code": code}
        )
        then = next((s for s in steps[place + 1 :] if s["move"] in _VERDICTS), None)
        verdict = _VERDICTS[then["move"]] if then else None
        if then and verdict and then["at"] <= question["open_until"]:
            outbox.reply(
                phone, f"{verdict} {then['words']}".strip(), then["at"], _O.JUDGED, question
            )
            end(question, _Q.ANSWERED, then["at"])
        else:
            end(question, _Q.EXPIRED, question["open_until"])


def _news(outbox: Outbox, told: Told, opinion: Opinion, step: Row) -> None:
    """That his order was accepted, if the day had room for it, or closed without him."""
    receipt, phone = told.receipts[opinion.visit.number], _phone(opinion.visit)
    order, policy = told.lives[opinion.id].row, catalogue().policy(receipt["region_code"])
    accepted = step["move"] == Move.ACCEPT
    if not accepted and (step["state"] not in FINAL or step["actor"] == CITIZEN):
        return
    at = next_in_hours(step["at"], policy.hour_from, policy.hour_to)
    room = outbox.sent_on_day_of(at, phone) < policy.daily_messages - 1
    if at > told.now - _DAY or (accepted and not room):
        return
    due = order["due_at"].astimezone(BEIJING)
    values = {
        "agency": catalogue().agency_name(order["agency_code"]), "due": f"{due.month}月{due.day}日",
        "code": codes.grouped(codes.query_code(opinion.id)),
    }  # fmt: skip
    outbox.tell(receipt, phone, _P.ACCEPTED if accepted else _P.CLOSED, at, opinion.id, values)


_VERDICTS = {Move.CONFIRM: "满意", Move.CONTEST: "不满意"}


def _recalled(outbox: Outbox, told: Told, asked: Asked) -> None:
    """Drawn for a call-back; a phone that is being asked something else comes later."""
    receipt, phone = told.receipts[asked.opinion.visit.number], _phone(asked.opinion.visit)
    question = outbox.ask(receipt, phone, "recall", asked.at, review_id=asked.opinion.id)
    question["give_up_at"] = asked.call_back["due_at"]
    if asked.at >= told.now or outbox.is_busy(question):
        question |= {
            "state": _Q.WAITING, "asked_at": None, "open_until": None,
            "due_at": asked.call_back["made_at"],
        }  # fmt: skip
        return
    outbox.send(receipt, phone, _P.RECALL, asked.at, question)
    if asked.replied_at:
        outbox.reply(phone, asked.reply, asked.replied_at, _O.RECALLED, question)
        end(question, _Q.ANSWERED, asked.replied_at)
    elif question["open_until"] <= told.now:
        end(question, _Q.EXPIRED, question["open_until"])


def _silent(outbox: Outbox, told: Told) -> None:
    """Phones that were asked and did not rate: most said nothing, some something else."""
    early, late = _left(outbox, told)
    chosen = sorted(outbox.rng.sample(early, UNANSWERED), key=lambda visit: visit.number)
    notices = [_notice(outbox, told, visit, visit.issued_at) for visit in chosen]
    for notice in notices[: UNANSWERED // 3]:
        _reminded(outbox, told, notice)
    outbox.fail(notices[-1].message, MessageState.FAILED, _NOT_REACHED)
    end(notices[-1].question, _Q.UNSENT, notices[-1].message["settled_at"])
    _not_understood(outbox, told, notices[-2])
    for text, notice in zip(_OPT_OUTS, notices[-6:-2], strict=True):
        _opted_out(outbox, notice, text)
    _too_late(outbox, notices[UNANSWERED // 2])
    for (hours, code, tries), visit in zip(ASKED_LATELY, late[-len(ASKED_LATELY) :], strict=True):
        at = max(lately(told.now, hours), visit.issued_at)
        notice = _notice(outbox, told, visit, at)
        if code:
            outbox.fail(notice.message, MessageState.DEAD, code, tries)


@dataclass(frozen=True)
class _Notice:
    visit: Visit
    question: Row
    message: Row

    def after(self, **later: float) -> datetime:
        at: datetime = self.question["asked_at"]
        return at + timedelta(**later)


def _left(outbox: Outbox, told: Told) -> tuple[list[Visit], list[Visit]]:
    """Who has a phone that occurs nowhere else and did not rate; some days ago, and lately."""
    rated = {opinion.visit.number for opinion in told.opinions}
    taken = {_phone(o.visit) for o in told.opinions if o.channel is ReviewChannel.SMS}
    found = []
    for visit in told.visits:
        phone = visit.form.applicant and visit.form.applicant.phone
        if phone and visit.number not in rated and phone not in taken:
            taken.add(phone)
            found.append(visit)
    edge = int(0.85 * len(found))
    return found[:edge], found[edge:]


def _notice(outbox: Outbox, told: Told, visit: Visit, at: datetime) -> _Notice:
    receipt, phone = told.receipts[visit.number], _phone(visit)
    question = outbox.ask(receipt, phone, "level", at)
    message = outbox.send(receipt, phone, _P.NOTICE, at, question)
    if question["open_until"] <= told.now:
        end(question, _Q.EXPIRED, question["open_until"])
    return _Notice(visit, question, message)


def _reminded(outbox: Outbox, told: Told, notice: _Notice) -> None:
    receipt, phone = told.receipts[notice.visit.number], _phone(notice.visit)
    at = notice.after(hours=48)
    question = outbox.ask(receipt, phone, "level", at, reminder=True)
    outbox.send(receipt, phone, _P.REMINDER, at, question)
    end(question, _Q.EXPIRED, question["open_until"])


def _opted_out(outbox: Outbox, notice: _Notice, text: str) -> None:
    phone, at = _phone(notice.visit), notice.after(minutes=9)
    outbox.reply(phone, text, at, _O.OPTED_OUT, notice.question)
    outbox.opt_out(phone, at)
    end(notice.question, _Q.NEEDLESS, at)


def _not_understood(outbox: Outbox, told: Told, notice: _Notice) -> None:
    receipt, phone = told.receipts[notice.visit.number], _phone(notice.visit)
    again, at = notice.after(minutes=3), notice.after(minutes=5)
    outbox.reply(phone, "你们是哪个单位", again, _O.ASKED_AGAIN, notice.question)
    notice.question["clarified_at"] = again
    outbox.send(receipt, phone, _P.UNCLEAR, again, notice.question)
    outbox.reply(phone, "那天排到我已经下班了，第二天又去的", at, _O.UNCLEAR, notice.question)
    end(notice.question, _Q.HANDED_OVER, at)


def _too_late(outbox: Outbox, notice: _Notice) -> None:
    outbox.reply(_phone(notice.visit), "5", notice.after(hours=27), _O.LATE, notice.question)
