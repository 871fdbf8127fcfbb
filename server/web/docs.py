"""The API's description, for programs and for people, without anything from elsewhere."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from sanic import Blueprint, HTTPResponse, Request
from sanic import json as json_answer

from server.kit.errors import Refusal
from server.kit.uploads import MULTIPART
from server.web.page import page

blueprint = Blueprint("docs")
GROUPS = {
    "people": "登录与令牌", "receipts": "回执（部门的系统）", "reviews": "评价与查询（群众）",
    "work-orders": "差评工单（工作人员）", "audit": "审计",
}  # fmt: skip
_GUARDS = {"agency": "部门系统的令牌", "staff": "工作人员的令牌"}
_TYPES = {"string": "文字", "integer": "整数", "number": "数", "boolean": "true 或 false",
          "object": "对象", "null": "null"}  # fmt: skip
_LIMITS = (("minimum", "≥ {}"), ("maximum", "≤ {}"), ("minLength", "至少 {} 字"),
           ("maxLength", "最多 {} 字"), ("maxItems", "最多 {} 项"))  # fmt: skip
Schema = dict[str, Any]


@dataclass(frozen=True)
class Field:
    name: str
    shape: Markup
    required: bool
    note: str


@dataclass(frozen=True)
class Described:
    """One operation, ready to be read."""

    method: str
    path: str
    summary: str
    guard: str
    parameters: list[Field]
    body: list[Field]
    answers: list[tuple[str, Markup]]
    problems: list[tuple[str, list[str]]]
    curl: str

    @property
    def anchor(self) -> str:
        return f"{self.method.lower()}-{self.path.strip('/').replace('/', '-')}"


@blueprint.get("/openapi.json")
async def openapi(request: Request) -> HTTPResponse:
    return json_answer(request.app.ctx.openapi)


@blueprint.get("/docs")
async def docs(request: Request) -> HTTPResponse:
    api = request.app.ctx.openapi
    schemas = api["components"]["schemas"]
    return page(
        request, "docs.html", api=api, groups=_groups(api), problems=problems(),
        schemas=[(name, short(name), fields_of(s, schemas), shape(s)) for name, s in schemas.items()],
    )  # fmt: skip


def problems() -> list[tuple[str, int, str]]:
    """Code, status and title of every refusal; `type` of a problem points here."""
    found: dict[str, tuple[str, int, str]] = {}
    for kind in _kinds(Refusal):
        found.setdefault(kind.code, (kind.code, kind.status, kind.title))
    return sorted(found.values())


def _kinds(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _groups(api: Schema) -> list[tuple[str, list[Described]]]:
    groups: dict[str, list[Described]] = defaultdict(list)
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            for tag in operation["tags"][:1]:
                groups[GROUPS.get(tag, tag)].append(
                    _described(api, path, method.upper(), operation)
                )
    return list(groups.items())


def _described(api: Schema, path: str, method: str, operation: Schema) -> Described:
    schemas = api["components"]["schemas"]
    body = _content(operation.get("requestBody", {}))
    responses = operation["responses"].items()
    return Described(
        method, path, operation["summary"],
        " ".join(_GUARDS.get(name, name) for need in operation.get("security", []) for name in need),
        [Field(p["name"], shape(p["schema"]), p.get("required", False), p.get("description", ""))
         for p in operation["parameters"]],
        fields_of(body, schemas) if body else [],
        [(status, _answered(answer)) for status, answer in responses if status < "4"],
        [(status, answer["description"].split(", ")) for status, answer in responses if status >= "4"],
        curl(api["servers"][0]["url"], path, method, operation, schemas),
    )  # fmt: skip


def _content(message: Schema) -> Schema:
    for media in message.get("content", {}).values():
        return dict(media["schema"])
    return {}


def _answered(answer: Schema) -> Markup:
    kinds = list(answer.get("content", {}))
    if kinds == ["application/json"]:
        return shape(_content(answer))
    return Markup(" ").join(kinds)


def short(name: str) -> str:
    return name.rpartition(".")[2]


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def fields_of(schema: Schema, schemas: Schema) -> list[Field]:
    schema = _resolved(schema, schemas)
    required = schema.get("required", [])
    return [
        Field(name, shape(each), name in required, each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    ]


def shape(schema: Schema) -> Markup:
    """A schema in a few words, with links to the named ones."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{1}</a>').format(name, short(name))
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return Markup(" 或 ").join(shape(choice) for choice in choices)
    if "enum" in schema:
        return Markup("、").join(map(str, schema["enum"]))
    if "const" in schema:
        return Markup("{}").format(schema["const"])
    kind = schema.get("type", "")
    words = Markup("{}").format(_TYPES.get(kind, "任意"))
    if kind == "array":
        words = Markup("列表：{}").format(shape(schema.get("items", {})))
    elif schema.get("format") == "date-time":
        words = Markup("时间，带时区")
    limits = [text.format(schema[name]) for name, text in _LIMITS if name in schema]
    return words + (Markup("，{}").format("，".join(limits)) if limits else Markup())


def example(schema: Schema, schemas: Schema) -> Any:
    """The smallest body of the right form."""
    schema = _resolved(schema, schemas)
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        needed = schema.get("required", [])
        return {
            n: example(schema["properties"][n], schemas)
            for n in schema["properties"]
            if n in needed
        }
    if choices := schema.get("anyOf"):
        return example(choices[0], schemas)
    if schema.get("format") == "date-time":
        return "2026-11-21T10:08:00+08:00"
    if schema.get("type") == "array":
        return [example(schema["items"], schemas)] if "items" in schema else []
    plain = {"integer": max(1, schema.get("minimum", 1)), "boolean": True, "string": "…"}
    return plain.get(schema.get("type", ""), {})


def curl(server: str, path: str, method: str, operation: Schema, schemas: Schema) -> str:
    lines = [f"curl {'' if method == 'GET' else f'-X {method} '}{server}{path}"]
    if operation.get("security"):
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if MULTIPART in operation.get("requestBody", {}).get("content", {}):
        lines.append("-F file=@FILE")
    elif body := _content(operation.get("requestBody", {})):
        lines.append('-H "Content-Type: application/json"')
        lines.append(f"-d '{json.dumps(example(body, schemas), ensure_ascii=False)}'")
    return " \\\n  ".join(lines)
