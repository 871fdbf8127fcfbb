"""The questionnaire behind the query code."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct
from sanic import Request

from server.kit import query_codes as codes
from server.kit.errors import Limited
from server.kit.forms import Form
from server.kit.web import ANYONE, Door, local
from server.people.citizens import Rater
from server.people.guard import ANYONE_OR_CITIZEN
from server.reviews import questionnaire
from server.reviews.api import receipt_shown
from server.reviews.rules import ANSWER_NAMES, CLOSED_QUESTIONS, Answer, CommentTooLong
from server.reviews.tracking import receipt_row, review_behind
from server.reviews.voices import NotAReview

door = Door("questionnaire")
_REFUSALS = (
    codes.UnknownQueryCode, questionnaire.NoQuestionnaire, questionnaire.AlreadyAnswered,
    questionnaire.QuestionnaireClosed, NotAReview, Limited,
)  # fmt: skip


class ChoiceShown(Struct):
    answer: Answer
    name: str


class QuestionnaireShown(Struct):
    matter: str
    questions: list[str]
    choices: list[ChoiceShown]
    """The same for each question; any may be left out."""
    open_question: str
    version: str
    """Of the words; sent back with the answers."""
    open_until: datetime


class AnswersForm(Form):
    version: Annotated[str, Meta(max_length=32)]
    answers: Annotated[
        list[Answer | None], Meta(min_length=CLOSED_QUESTIONS, max_length=CLOSED_QUESTIONS)
    ]
    comment: str = ""


class Answered(Struct):
    state: Literal["answered"] = "answered"


@door.get(
    "/api/v1/track/<query_code>/questionnaire", guard=ANYONE, answers={200: QuestionnaireShown},
    refusals=_REFUSALS, summary="评价后的问卷（自愿；没有问卷的事项是 404 no_questionnaire）",
)  # fmt: skip
async def questionnaire_shown(request: Request, query_code: str) -> QuestionnaireShown:
    review = await review_behind(request, query_code)
    asked = await questionnaire.asked_of(review)
    return QuestionnaireShown(
        matter=receipt_shown(await receipt_row(review)).matter, questions=list(asked.questions),
        choices=[ChoiceShown(answer, name) for answer, name in ANSWER_NAMES.items()],
        open_question=asked.open_question, version=asked.version,
        open_until=local(questionnaire.open_until(review)),
    )  # fmt: skip


@door.post(
    "/api/v1/track/<query_code>/questionnaire", guard=ANYONE_OR_CITIZEN, form=AnswersForm,
    answers={201: Answered},
    refusals=(
        *_REFUSALS, questionnaire.AnswerRequired, questionnaire.QuestionnaireChanged, CommentTooLong,
    ),
    summary="回答问卷（每条评价一次；每题可以不答，null 表示不答）",
)  # fmt: skip
async def answer_questionnaire(
    request: Request, query_code: str, form: AnswersForm, who: Rater | None
) -> Answered:
    review = await review_behind(request, query_code)
    await questionnaire.answer(
        review, form.version, form.answers, form.comment, who.id if who else None
    )
    return Answered()
