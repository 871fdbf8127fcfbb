"""The name that a browser keeps: it means nothing elsewhere, and is stored as a keyed hash alone."""

import re

from factories import HOUSING, City
from httpx import AsyncClient

from server.kit.privacy import vault
from server.reviews.models import Review
from server.web.device import SECONDS

PAGE = {"Accept": "text/html"}


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="?hidden"? name="?(\w+)"? value="([^"]*)"', page))


async def test_a_browser_gets_a_random_name_for_thirty_days_and_keeps_it(
    http: AsyncClient, city: City
) -> None:
    http.cookies.clear()
    code = await city.code(http)
    (given,) = (await http.get(f"/e/{code}")).headers.get_list("set-cookie")
    assert re.match(r"device=[\w-]{22};", given) and f"Max-Age={SECONDS}" in given
    assert "HttpOnly" in given and "samesite=lax" in given.lower() and "Path=/" in given
    assert SECONDS <= 30 * 86_400

    again = await http.get(f"/e/{code}")

    assert "set-cookie" not in again.headers, "looking again does not prolong it"
    http.cookies.clear()
    other = (await http.get(f"/e/{code}")).headers["set-cookie"]
    assert other.split(";")[0] != given.split(";")[0]


async def test_over_tls_no_neighbour_can_plant_a_name(
    http: AsyncClient, city: City, app: object
) -> None:
    settings = app.ctx.settings  # type: ignore[attr-defined]
    http.cookies.clear()
    code = await city.code(http)
    plain = settings.base_url
    object.__setattr__(settings, "base_url", "https://pj.test")
    try:
        given = (await http.get(f"/e/{code}")).headers["set-cookie"]
    finally:
        object.__setattr__(settings, "base_url", plain)
        http.cookies.clear()
    assert given.startswith("__Host-device=") and "Secure" in given


async def test_two_slips_rated_in_one_browser_have_one_key_and_the_name_is_nowhere(
    http: AsyncClient, city: City
) -> None:
    http.cookies.clear()
    for _ in range(2):
        code = await city.code(http)
        form = await http.get(f"/e/{code}")
        sent = await http.post(f"/e/{code}", data=hidden(form.text) | {"level": "5"})
        assert sent.status_code == 303
    wall = await http.get("/h/H1/A1", headers=PAGE)
    fields = hidden(wall.text) | {"level": "5"}
    sent = await http.post("/h/H1/A1", data=fields, headers=PAGE)
    assert sent.status_code == 303, sent.text
    name = http.cookies["device"]
    http.cookies.clear()

    rows = await Review.all().values()

    assert {row["device_key"] for row in rows} == {vault().fingerprint(name, "device")}
    assert name not in str(rows)


async def test_without_cookies_one_rates_as_well(http: AsyncClient, city: City) -> None:
    for header in (
        "",
        "device=x",
        f"device={'é' * 22}",
        "device=" + "a" * 4000,
        "device=" + "%00" * 22,
    ):
        code = await city.code(http)
        http.cookies.clear()
        form = await http.get(f"/e/{code}")
        http.cookies.clear()
        sent = await http.post(
            f"/e/{code}", data=hidden(form.text) | {"level": "4"},
            headers={"Cookie": header.encode("utf-8")},  # type: ignore[dict-item]
        )  # fmt: skip
        assert sent.status_code == 303, header
    assert {row.device_key for row in await Review.all()} == {None}


async def test_the_api_takes_a_device_from_nobody(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    named = {"level": 5, "device": "a" * 22, "device_key": "a" * 22}
    taken = await http.post(
        f"/api/v1/e/{code}/review", json=named, headers={"Cookie": f"device={'a' * 22}"}
    )
    assert taken.status_code == 201
    assert (await Review.get()).device_key is None
    assert (await Review.get().prefetch_related("receipt")).receipt.agency_code == HOUSING
