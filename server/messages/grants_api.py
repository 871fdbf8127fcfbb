"""The mini-program asks the citizen whether we may write to him, and tells us what he said."""

from typing import Annotated, Literal

from msgspec import Meta, Struct
from sanic import Request

from server.kit.forms import Form
from server.kit.web import Door
from server.messages import grants
from server.messages.rules import GrantAnswer, News
from server.people.citizens import Rater
from server.people.guard import CITIZEN

door = Door("grants")


class GrantForm(Form):
    template: Annotated[str, Meta(max_length=64)]
    """`accepted`, `answered` or `closed`, or WeChat's id of that template."""
    answer: Literal["accept", "reject", "ban", "filter"]


class GrantShown(Struct):
    template: str
    template_id: str | None
    """What `wx.requestSubscribeMessage` takes; null where the city has no such template."""
    remaining: int


class Grants(Struct):
    items: list[GrantShown]


def _ids(request: Request) -> dict[str, str]:
    templates = request.app.ctx.settings.wechat_templates
    return {news: template_id for news, (template_id, _) in templates.items()}


@door.get(
    "/api/v1/me/grants", guard=CITIZEN, answers={200: Grants},
    summary="可以订阅的微信消息，以及还能收到几条",
)  # fmt: skip
async def my_grants(request: Request, who: Rater) -> Grants:
    ids = _ids(request)
    remaining = {row["news"]: row["remaining"] for row in await grants.of(who)}
    return Grants([GrantShown(n, ids.get(n), remaining.get(n, 0)) for n in News])


@door.post(
    "/api/v1/me/grants", guard=CITIZEN, form=GrantForm, answers={200: GrantShown},
    refusals=(grants.UnknownTemplate,), summary="记下对订阅消息的选择；同意一次，可发一条",
)  # fmt: skip
async def answer_grant(request: Request, who: Rater, form: GrantForm) -> GrantShown:
    ids = _ids(request)
    news = grants.news_named(form.template, ids)
    # WeChat filters a template as it bans one: nothing can be sent.
    answer = GrantAnswer.BAN if form.answer == "filter" else GrantAnswer(form.answer)
    return GrantShown(news, ids.get(news), await grants.answered(who, news, answer))
