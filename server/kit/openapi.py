"""The description of every door, made from the same declarations that serve it."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from server.kit.errors import (
    NotJson,
    Refusal,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from server.kit.forms import BadBody
from server.kit.idempotency import BadKey, IdempotencyConflict
from server.kit.web import Door, Operation, Optionally

VERSION = "1.0.0"
_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"<(\w+)(?::[^>]*)?>")
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `detail` is Chinese, for people.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {n: {"type": "string"} for n in ("field", "code", "detail")},
            },
        },
    },
}
BINARY = {
    "image/svg+xml": {"schema": {"type": "string"}},
    "image/png": {"schema": {"type": "string", "contentEncoding": "binary"}},
    "application/octet-stream": {"schema": {"type": "string", "contentEncoding": "binary"}},
}


def describe(doors: Iterable[Door], *, base_url: str) -> dict[str, Any]:
    """OpenAPI 3.1."""
    declared = [(door.feature, operation) for door in doors for operation in door.operations]
    paths: dict[str, dict[str, Any]] = {}
    for feature, operation in declared:
        path = paths.setdefault(_PARAMETER.sub(r"{\1}", operation.path), {})
        path[operation.method.lower()] = _operation(operation, feature)
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": _components([operation for _, operation in declared]),
    }


_INFO = {
    "title": "好差评 haochaping",
    "version": VERSION,
    "description": "政务服务“好差评”：评价、差评工单、答复。时间为 UTC+8，错误为 RFC 9457。",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}


def _components(operations: list[Operation]) -> dict[str, Any]:
    types: list[Any] = [
        kind for operation in operations
        for kind in (operation.form, operation.raw, *operation.answers.values())
        if kind is not None and not isinstance(kind, str)
    ]  # fmt: skip
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    guards = sorted({operation.guard.security for operation in operations} - {""})
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "schemas": schemas | {"Problem": _PROBLEM},
        "securitySchemes": dict.fromkeys(guards, bearer),
    }


def _operation(operation: Operation, feature: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [feature],
        "parameters": list(_parameters(operation)),
        "responses": {
            **{str(s): _answer(t) for s, t in operation.answers.items()},
            **_problems(operation),
        },
    }
    if body := operation.form or operation.raw:
        described["requestBody"] = {
            "required": True,
            "content": {operation.media: {"schema": _schema(body)}},
        }
    if operation.guard.security:
        described["security"] = [{operation.guard.security: []}]
        if isinstance(operation.guard, Optionally):
            described["security"].append({})
    return described


def _parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for name in _PARAMETER.findall(operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name, description in (operation.query or {}).items():
        yield {
            "name": name,
            "in": "query",
            "description": description,
            "schema": {"type": "string"},
        }
    if operation.once:
        yield {
            "name": "Idempotency-Key", "in": "header",
            "description": "同一个键与同样的内容在 24 小时内得到同一个答复",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }  # fmt: skip


def _answer(answer: Any) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"description": "OK", "content": {answer: BINARY[answer]}}
    return {"description": "OK", "content": {"application/json": {"schema": _schema(answer)}}}


def _schema(kind: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REF)
    return schema


def _problems(operation: Operation) -> dict[str, Any]:
    kinds: list[type[Refusal]] = [*operation.refusals, Unavailable]
    if operation.form:
        kinds += [BadBody, NotJson, TooLarge]
    if operation.guard.security:
        kinds.append(Unauthenticated)
    if operation.once:
        kinds += [IdempotencyConflict, BadKey]
    statuses: dict[int, set[str]] = {}
    for kind in kinds:
        statuses.setdefault(kind.status, set()).add(kind.code)
    return {
        str(status): {
            "description": ", ".join(sorted(codes)),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, codes in sorted(statuses.items())
    }  # fmt: skip
