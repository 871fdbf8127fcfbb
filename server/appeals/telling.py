"""Who is told what: staff by alerts in the commit, the citizen by a job that writes to him once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from server.appeals.models import Appeal, Exclusion
from server.appeals.rules import RULERS, AppealState, Round
from server.appeals.sides import rulers
from server.catalogue.service import catalogue
from server.kit import jobs, sql
from server.kit.clock import BEIJING, clock
from server.kit.transaction import transaction
from server.messages import service as messages
from server.messages.rules import Purpose
from server.messages.service import Post
from server.people.rules import Role
from server.reviews import invitations, news, questions, said
from server.reviews.addresses import phone_for
from server.reviews.models import Review
from server.reviews.rules import EXCLUDED_NAMES, Excluded
from server.workorders import alerts
from server.workorders.models import WorkOrder

JOB = "tell_of_appeal"
APPEAL, DUE, LATE, CONFIRM = "appeal", "appeal_due", "appeal_late", "appeal_confirm"
RULED, EXCLUDED, RESTORED = "appeal_ruled", "excluded", "restored"
ROUND_NAMES = {Round.APPEAL: "申诉", Round.OBJECTION: "群众异议"}
_NEWS_FOR = timedelta(days=5)


# Staff


async def filed(appeal: Appeal, now: datetime) -> None:
    """To those who may rule; and to the supervisors if these are too few."""
    who = await rulers(appeal)
    words = f"{ROUND_NAMES[Round(appeal.round)]}待复核，{_day(appeal.due_at)}前裁定"
    await _tell(who, APPEAL, words, now, appeal)
    if len(who) < RULERS:
        words = "能复核这件申诉的复核员不足两名，请增派"
        await _tell(await alerts.supervisors(appeal.region_code), LATE, words, now, appeal)


async def to_confirm(appeal: Appeal, now: datetime) -> None:
    words = "两名复核员都认定恶意评价，此前已有同一人的认定，请您确认"
    await _tell(await alerts.supervisors(appeal.region_code), CONFIRM, words, now, appeal)


async def ruled(appeal: Appeal, words: str, now: datetime) -> None:
    """To who made it, to who has the order, and to the leads of the agency."""
    order = await WorkOrder.get_or_none(number=appeal.order_number)
    staff = [*await alerts.leads(appeal.agency_code), *(await alerts.owner(order) if order else [])]
    if appeal.by_id:
        staff.append(appeal.by_id)
    await _tell(staff, RULED, words, now, appeal)


async def due_soon(appeal: Appeal, now: datetime) -> None:
    words = f"{ROUND_NAMES[Round(appeal.round)]}还没有裁定，期限{_day(appeal.due_at)}"
    confirming = appeal.state == AppealState.CONFIRMING
    staff = alerts.supervisors(appeal.region_code) if confirming else rulers(appeal)
    await _tell(await staff, DUE, words, now, appeal)


async def overdue(appeal: Appeal, now: datetime) -> None:
    words = f"{ROUND_NAMES[Round(appeal.round)]}超过期限没有裁定，不会自动生效，请督促复核员"
    await _tell(await alerts.supervisors(appeal.region_code), LATE, words, now, appeal)


async def excluded(review: Review, exclusion: Exclusion) -> None:
    """N32: the office that manages government services at this level; and the citizen."""
    office = await alerts.of_region(review.region_code, Role.SUPERVISOR, Role.ADMIN)
    agency = catalogue().agency_name(exclusion.agency_code)
    words = f"不予采纳通报：{agency}，{EXCLUDED_NAMES[Excluded(exclusion.reason)]}"
    await alerts.tell(office, EXCLUDED, words, exclusion.at, order=review.order_number)
    await _citizen(Purpose.EXCLUDED, review.id, exclusion.at)


async def restored(review: Review, exclusion: Exclusion, number: str | None) -> None:
    """`number` of the new order."""
    at = exclusion.lifted_at or exclusion.at
    words = "群众的异议成立，评价恢复计入" + ("，工单重新派出" if number else "")
    staff = await alerts.of_region(review.region_code, Role.SUPERVISOR, Role.ADMIN)
    staff += await alerts.leads(exclusion.agency_code)
    await alerts.tell(staff, RESTORED, words, at, order=review.order_number)
    await _citizen(Purpose.RESTORED, review.id, at)


async def _tell(staff: Iterable[int], kind: str, words: str, now: datetime, appeal: Appeal) -> None:
    await alerts.tell(staff, kind, words, now, order=appeal.order_number or None)


def _day(at: datetime) -> str:
    local = at.astimezone(BEIJING)
    return f"{local.month}月{local.day}日"


# The citizen


async def appealed(appeal: Appeal, now: datetime) -> None:
    await _citizen(Purpose.APPEALED, appeal.review_id, now)


async def _citizen(purpose: Purpose, review_id: UUID, since: datetime) -> None:
    """Where he may be written to, if anywhere, only the job looks up: it locks phones."""
    await jobs.enqueue(JOB, purpose=purpose, review=review_id.hex, since=since.isoformat())


_ROW = """
SELECT r.id, r.channel, r.contact, r.query_key, r.receipt_id, a.agency_code, a.statement_until
FROM reviews r LEFT JOIN LATERAL (SELECT * FROM appeals b WHERE b.review_id = r.id
  AND b.round = 'appeal' ORDER BY b.at DESC LIMIT 1) a ON TRUE
WHERE r.id = $1
"""


async def tell(purpose: str, review: str, since: str) -> int:
    """The job; doing it twice tells once. That his review is contested he hears once in all."""
    news_of = Purpose(purpose)
    if not await still_wanted(news_of, UUID(review)):
        return 0
    (row,) = await sql.fetch(_ROW, UUID(review))
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", row["receipt_id"])
    phone, now = phone_for(row, receipt), clock.now()
    if phone is None:
        return 0
    first = None if news_of is Purpose.APPEALED else datetime.fromisoformat(since)
    policy = catalogue().policy(receipt["region_code"])
    values = questions.values_of(receipt) | {"code": said.query_code(row["id"], row["query_key"])}
    until = row["statement_until"]
    if news_of is Purpose.APPEALED:
        values |= {"agency": catalogue().agency_name(row["agency_code"]), "due": _day(until)}
    async with transaction():
        known = (await messages.lock([phone], now))[phone]
        if not news.may_say(news_of, policy, known) or await _is_said(row["id"], news_of, first):
            return 0
        await messages.post([
            Post(
                region_code=receipt["region_code"], agency_code=receipt["agency_code"],
                purpose=news_of, phone=phone, values=values, about=row["id"], not_before=now,
                not_after=until if news_of is Purpose.APPEALED else now + _NEWS_FOR,
            )
        ], now)  # fmt: skip
    return 1


async def _is_said(review_id: UUID, purpose: Purpose, since: datetime | None) -> bool:
    rows = await sql.fetch(
        "SELECT 1 FROM sms_messages WHERE about = $1 AND purpose = $2 "
        "AND ($3::timestamptz IS NULL OR created_at >= $3)",
        review_id, purpose, since,
    )  # fmt: skip
    return bool(rows)


_STILL = {
    Purpose.APPEALED: "SELECT 1 FROM appeals WHERE review_id = $1 AND round = 'appeal' "
    "AND state = 'open' AND statement_at IS NULL",
    Purpose.EXCLUDED: "SELECT 1 FROM reviews WHERE id = $1 AND state = 'excluded'",
    Purpose.RESTORED: "SELECT 1 FROM reviews WHERE id = $1 AND state = 'standing'",
}


async def still_wanted(purpose: Purpose, about: UUID) -> bool:
    """As `invitations.still_wanted`, which knows nothing of appeals."""
    if purpose not in _STILL:
        return await invitations.still_wanted(purpose, about)
    return bool(await sql.fetch(_STILL[purpose], about))
