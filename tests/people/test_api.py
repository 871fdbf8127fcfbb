"""The two doors at which a token is given."""

import pytest
from factories import HOUSING, LABOUR, City, credentials
from httpx import AsyncClient

from server.people.models import Client


async def test_a_system_gets_a_token_for_its_secret(http: AsyncClient, city: City) -> None:
    body = {"client_id": f"c-{HOUSING}", "client_secret": city.secrets[HOUSING]}
    answer = await http.post("/api/v1/token", json=body)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "expires_in"}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_wrong_secret_an_unknown_and_a_closed_system_are_told_alike(
    http: AsyncClient, city: City
) -> None:
    await Client.filter(agency_code=LABOUR).update(active=False)
    tries = [
        {"client_id": f"c-{HOUSING}", "client_secret": "wrong"},
        {"client_id": "nobody", "client_secret": city.secrets[HOUSING]},
        {"client_id": f"c-{HOUSING}", "client_secret": city.secrets[LABOUR]},
        {"client_id": f"c-{LABOUR}", "client_secret": city.secrets[LABOUR]},
        {"client_id": "", "client_secret": ""},
    ]
    answers = [await http.post("/api/v1/token", json=body) for body in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert len({(a.json()["code"], a.json()["detail"]) for a in answers}) == 1


async def test_a_member_of_staff_learns_his_role_and_agency(http: AsyncClient, city: City) -> None:
    answer = (await http.post("/api/v1/staff/login", json=credentials("lead"))).json()
    assert (answer["role"], answer["agency_code"]) == ("agency_lead", HOUSING)
    answer = (await http.post("/api/v1/staff/login", json=credentials("auditor"))).json()
    assert (answer["role"], answer["agency_code"]) == ("auditor", None)


DOORS = [
    ("GET", "/api/v1/work-orders"),
    ("GET", "/api/v1/receipts/1"),
    ("GET", "/api/v1/audit/receipts/1"),
]


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_whoever_comes_without_a_token_is_told_so(
    http: AsyncClient, city: City, method: str, path: str
) -> None:
    for headers in (
        {},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
        {"Authorization": ""},
    ):
        answer = await http.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "invalid_token"


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_a_token_of_the_other_side_opens_nothing(
    http: AsyncClient, city: City, method: str, path: str
) -> None:
    system, staff = await city.system(http), await city.staff(http, "handler")
    wrong = staff if "receipts/1" in path and "audit" not in path else system
    assert (await http.request(method, path, headers=wrong)).status_code == 401


@pytest.mark.parametrize(
    ("username", "path", "status"),
    [
        ("handler", "/api/v1/work-orders", 200), ("lead", "/api/v1/work-orders", 200),
        ("supervisor", "/api/v1/work-orders", 200), ("auditor", "/api/v1/work-orders", 403),
        ("handler", "/api/v1/audit/receipts/1", 403), ("lead", "/api/v1/audit/receipts/1", 403),
        ("supervisor", "/api/v1/audit/receipts/1", 403), ("auditor", "/api/v1/audit/receipts/1", 404),
    ],
)  # fmt: skip
async def test_each_role_has_its_own_doors(
    http: AsyncClient, city: City, username: str, path: str, status: int
) -> None:
    headers = await city.staff(http, username)
    answer = await http.get(path, headers=headers)
    assert answer.status_code == status


async def test_the_word_bearer_may_be_written_in_any_case(http: AsyncClient, city: City) -> None:
    token = (await city.system(http))["Authorization"].partition(" ")[2]
    for scheme in ("bearer", "BEARER", "Bearer"):
        answer = await http.get(
            "/api/v1/receipts/1", headers={"Authorization": f"{scheme} {token}"}
        )
        assert answer.status_code == 404


async def test_a_name_longer_than_any_account_is_wrong_like_any_other(
    http: AsyncClient, city: City
) -> None:
    wrong = {"username": "x" * 64, "password": "p", "totp": "000000"}
    system = {"client_id": "x" * 32, "client_secret": "s"}

    assert (await http.post("/api/v1/staff/login", json=wrong)).status_code == 401
    assert (await http.post("/api/v1/token", json=system)).status_code == 401
    longer = {"client_id": "x" * 33, "client_secret": "s"}
    assert (await http.post("/api/v1/token", json=longer)).status_code == 422
