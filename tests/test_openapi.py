"""The API's description is complete and true: every operation is called, every answer is as it says."""

import copy
import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from factories import City
from httpx import AsyncClient
from kit.calls import CALLS, Scene, all_operations

from server.kit.errors import Refusal
from server.kit.web import ANYONE
from server.people.guard import ANYONE_OR_CITIZEN

OPERATIONS = all_operations()
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="session")
def document(app: Any) -> dict[str, Any]:
    # As it is sent, not as it lies in memory.
    return json.loads(json.dumps(app.ctx.openapi))


def described(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """The same schemas, with nothing in an object that is not described."""
    shut = copy.deepcopy(document["components"]["schemas"])

    def close(schema: Any) -> None:
        if isinstance(schema, dict):
            if "properties" in schema:
                schema["additionalProperties"] = False
            for inner in schema.values():
                close(inner)
        elif isinstance(schema, list):
            for inner in schema:
                close(inner)

    close(shut)
    return shut


def check(schema: dict[str, Any], value: Any, schemas: dict[str, Any]) -> None:
    whole = schema | {"components": {"schemas": schemas}}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(value)


def test_every_operation_has_a_good_call_in_this_file_and_no_call_is_left_over() -> None:
    assert set(CALLS) == set(OPERATIONS)


def test_every_door_is_described_once(document: dict[str, Any]) -> None:
    found = described(document)
    assert set(found) == set(OPERATIONS)
    assert sum(len(methods) for methods in document["paths"].values()) == len(found)


def test_every_route_under_api_is_described(app: Any, document: dict[str, Any]) -> None:
    """Nothing was hung into the router behind the doors' back."""
    served = {
        (method, re.sub(r"<(\w+)(?::[^>]*)?>", r"{\1}", f"/{route.path}"))
        for route in app.router.routes for method in route.methods
        if route.path.startswith("api/")
    }  # fmt: skip
    assert served == {
        (m, path) for m, path, _ in described(document).values() if path.startswith("/api/")
    }


@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_answers_as_described(
    http: AsyncClient, city: City, document: dict[str, Any], name: str
) -> None:
    method, path, operation = described(document)[name]
    call = await CALLS[name](Scene(http, city))
    assert call.method == method
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/?]+", path) + r"(\?.*)?", call.path)
    if call.body is not None:
        (content,) = operation["requestBody"]["content"].values()
        check(content["schema"], call.body, closed(document))
    answer = await call.send(http)
    assert answer.is_success, answer.text
    told = operation["responses"][str(answer.status_code)]["content"]
    content_type = answer.headers["content-type"].partition(";")[0]
    assert content_type in told
    if content_type == "application/json":
        check(told[content_type]["schema"], answer.json(), closed(document))
    else:
        assert answer.content


@pytest.mark.parametrize(
    "name", [n for n, op in OPERATIONS.items() if op.guard not in (ANYONE, ANYONE_OR_CITIZEN)]
)
async def test_a_guarded_operation_says_so_and_refuses_whoever_comes_without_a_token(
    http: AsyncClient, document: dict[str, Any], name: str
) -> None:
    method, path, operation = described(document)[name]
    ((scheme, scopes),) = operation["security"][0].items()
    assert scopes == []
    assert document["components"]["securitySchemes"][scheme]["scheme"] == "bearer"
    answer = await http.request(method, re.sub(r"\{\w+\}", "1", path), json={})
    assert answer.status_code == 401
    check({"$ref": "#/components/schemas/Problem"}, answer.json(), closed(document))
    assert "401" in operation["responses"]


def test_an_open_door_asks_for_no_token(document: dict[str, Any]) -> None:
    for name, (_, _, operation) in described(document).items():
        assert ("security" in operation) is bool(OPERATIONS[name].guard.security)


def all_refusals(of: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    yield of
    for narrower in of.__subclasses__():
        yield from all_refusals(narrower)


def test_every_documented_code_has_a_class_with_that_status_and_a_chinese_title(
    document: dict[str, Any],
) -> None:
    known: dict[str, set[int]] = {}
    for kind in all_refusals():
        known.setdefault(kind.code, set()).add(kind.status)
    told = {
        (code, int(status))
        for _, _, operation in described(document).values()
        for status, response in operation["responses"].items() if int(status) >= 400
        for code in response["description"].split(", ")
    }  # fmt: skip
    assert [pair for pair in told if pair[1] not in known.get(pair[0], set())] == []


def test_every_refusal_is_a_stable_word_of_one_status_and_speaks_chinese() -> None:
    of_code: dict[str, set[int]] = {}
    for kind in all_refusals():
        assert re.fullmatch(r"[a-z][a-z_]+", kind.code), kind
        assert CHINESE.search(kind.title), kind
        assert 400 <= kind.status < 600, kind
        if len(inspect.signature(kind).parameters) == 0 or kind.__init__ is Refusal.__init__:
            assert CHINESE.search(kind().detail), kind
        of_code.setdefault(kind.code, set()).add(kind.status)
    assert {code: found for code, found in of_code.items() if len(found) > 1} == {}


def test_an_idempotency_key_is_described_on_every_post_that_changes_something(
    document: dict[str, Any],
) -> None:
    for name, (method, _, operation) in described(document).items():
        headers = [p["name"] for p in operation["parameters"] if p["in"] == "header"]
        login = name in ("client_token", "staff_login", "wechat_login")
        once = method == "POST" and not login and not OPERATIONS[name].raw
        assert ("Idempotency-Key" in headers) is once, name


def test_every_operation_has_words_and_all_its_parameters(document: dict[str, Any]) -> None:
    for _, path, operation in described(document).values():
        assert CHINESE.search(operation["summary"])
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))
        for parameter in operation["parameters"]:
            assert parameter["in"] == "path" or CHINESE.search(parameter["description"])
        assert any(200 <= int(status) < 300 for status in operation["responses"])


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_schema_is_sound_and_every_reference_leads_somewhere(
    document: dict[str, Any],
) -> None:
    schemas = document["components"]["schemas"]
    assert {r.rpartition("/")[2] for r in references(document)} <= set(schemas)
    for schema in schemas.values():
        jsonschema_rs.validator_for(schema | {"components": {"schemas": schemas}})


async def test_the_document_is_served_as_it_is(http: AsyncClient, document: dict[str, Any]) -> None:
    answer = await http.get("/openapi.json")
    assert answer.json() == document
    assert document["openapi"].startswith("3.1")


def outside_addresses(text: str, own: str) -> list[str]:
    found = re.findall(r"""(?:https?:)?//[\w.-]+[^\s"'<>)]*""", text)
    harmless = (own, "http://www.w3.org/", "//{", "https://HOST", "http://HOST")
    return [address for address in found if not address.startswith(harmless)]


async def test_neither_the_document_nor_its_page_needs_anything_from_elsewhere(
    http: AsyncClient, document: dict[str, Any]
) -> None:
    own = document["servers"][0]["url"]
    assert outside_addresses(json.dumps(document), own) == []
    page = await http.get("/docs", headers={"Accept": "text/html"})
    assert page.status_code == 200, "docs.html"
    assert outside_addresses(page.text, own) == []
    assert "unsafe" not in page.headers["content-security-policy"]
    loaded = re.findall(r"""(?:src|href|action)=["']?([^"'\s>]+)""", page.text)
    assert [address for address in loaded if not address.startswith(("/", "#", "?", own))] == []
    for asset in {address for address in loaded if address.startswith("/static/")}:
        assert (await http.get(asset)).status_code == 200, asset


async def test_the_page_names_every_operation_and_every_refusal(
    http: AsyncClient, document: dict[str, Any]
) -> None:
    """A problem's `type` is `/docs#<code>`: it leads to an anchor that is there."""
    text = (await http.get("/docs", headers={"Accept": "text/html"})).text
    for name, (_, path, operation) in described(document).items():
        assert path in text or path.replace("{", "&#123;") in text, name
        assert operation["summary"] in text, name
        for status, response in operation["responses"].items():
            for code in response["description"].split(", ") if int(status) >= 400 else ():
                assert f'id="{code}"' in text, code
