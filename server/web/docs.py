"""The API's description, for programs and for people, without anything from elsewhere."""

from sanic import Blueprint, HTTPResponse, Request
from sanic import json as json_answer

from server.web.page import page

blueprint = Blueprint("docs")


@blueprint.get("/openapi.json")
async def openapi(request: Request) -> HTTPResponse:
    return json_answer(request.app.ctx.openapi)


@blueprint.get("/docs")
async def docs(request: Request) -> HTTPResponse:
    return page(request, "docs.html", api=request.app.ctx.openapi)
