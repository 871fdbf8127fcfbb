"""Whoever stands behind an order with a query code: a review, or a grievance of another door.

What both may do is written for a `Voice`; in SQL the view `voices` has them together."""

from typing import TypeAlias
from uuid import UUID

from server.grievances.models import Grievance
from server.grievances.service import grievance_of
from server.kit import query_codes as codes
from server.kit.errors import Conflict
from server.kit.privacy import vault
from server.reviews.models import Review

Voice: TypeAlias = Review | Grievance


class NotAReview(Conflict):
    code = "not_a_review"
    title = "这是一件诉求，不是评价。要补充，请直接给部门留言"


async def behind(query_code: str) -> Voice:
    """By the citizen's query code, as he typed it."""
    keys = vault().fingerprints(codes.typed(query_code), "query")
    review = await Review.get_or_none(query_key__in=keys).prefetch_related("receipt")
    voice = review or await grievance_of(query_code)
    if voice is None:
        raise codes.UnknownQueryCode
    return voice


async def of_id(voice_id: UUID) -> Voice:
    """Whom an order, a question or a call-back names."""
    return await Review.get_or_none(id=voice_id) or await Grievance.get(id=voice_id)


def as_review(voice: Voice) -> Review:
    """For what only a rating has: undo, supplement, questionnaire."""
    if isinstance(voice, Review):
        return voice
    raise NotAReview
