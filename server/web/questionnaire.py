"""The questionnaire's page: after the thanks, for whoever likes."""

from sanic import Blueprint, HTTPResponse, Request

from server.kit import query_codes as codes
from server.kit.errors import Conflict, Gone, Invalid, Missing, Refusal
from server.kit.web import local
from server.reviews import questionnaire
from server.reviews.api import receipt_shown
from server.reviews.models import Review
from server.reviews.questionnaire import AlreadyAnswered, Asked, QuestionnaireChanged
from server.reviews.rules import ANSWER_NAMES, CLOSED_QUESTIONS, Answer
from server.reviews.tracking import receipt_row, review_behind
from server.web.page import page, refused, see_other
from server.web.typed import Fields, fields, only

blueprint = Blueprint("questionnaire_pages")
_NAMES = tuple(f"q{place}" for place in range(1, CLOSED_QUESTIONS + 1))


@blueprint.exception(Refusal)
async def refuse(request: Request, refusal: Refusal) -> HTTPResponse:
    if isinstance(refusal, codes.UnknownQueryCode):
        return page(request, "track_form.html", refusal.status, refusal=refusal)
    return refused(request, refusal)


@blueprint.get("/t/<query_code>/questionnaire", name="questionnaire_form", unquote=True)
async def form(request: Request, query_code: str) -> HTTPResponse:
    review = await review_behind(request, query_code)
    try:
        asked = await questionnaire.asked_of(review)
    except (Missing, Conflict, Gone) as refusal:
        return _over(request, review, refusal)
    return await _form(request, review, asked, {})


@blueprint.post("/t/<query_code>/questionnaire", name="questionnaire_sent", unquote=True)
async def sent(request: Request, query_code: str) -> HTTPResponse:
    """Sent twice is sent once: the second time shows the thanks of the first."""
    given = fields(request)
    review = await review_behind(request, query_code)
    answers = [_answer(given, name) for name in _NAMES]
    try:
        await questionnaire.answer(review, only(given, "version"), answers, only(given, "comment"))
    except (Invalid, QuestionnaireChanged) as refusal:
        asked = await questionnaire.asked_of(review)
        kept = {} if isinstance(refusal, QuestionnaireChanged) else given
        return await _form(request, review, asked, kept, refusal)
    except (Missing, Conflict, Gone) as refusal:
        return _over(request, review, refusal)
    return see_other(f"/t/{_code(review)}/questionnaire")


def _answer(given: Fields, name: str) -> Answer | None:
    said = only(given, name)
    return Answer(said) if said in set(Answer) else None


def _code(review: Review) -> str:
    return codes.code_of_key(review.id, review.query_key)


async def _form(
    request: Request, review: Review, asked: Asked, given: Fields, refusal: Refusal | None = None
) -> HTTPResponse:
    return page(
        request, "questionnaire.html", refusal.status if refusal else 200, refusal=refusal,
        code=_code(review), version=asked.version, choices=ANSWER_NAMES,
        questions=[
            (name, text, only(given, name))
            for name, text in zip(_NAMES, asked.questions, strict=True)
        ],
        open_question=asked.open_question, comment=only(given, "comment"),
        matter=receipt_shown(await receipt_row(review)).matter,
        open_until=local(questionnaire.open_until(review)),
    )  # fmt: skip


def _over(request: Request, review: Review, refusal: Refusal) -> HTTPResponse:
    """Nothing to fill in: answered, closed, or none there."""
    answered = isinstance(refusal, AlreadyAnswered)
    return page(
        request, "questionnaire_over.html", 200 if answered else refusal.status, answered=answered,
        refusal=refusal, code=_code(review),
    )  # fmt: skip
