"""Calls of the doors of objection."""

from collections.abc import Awaitable, Callable

from kit.first_calls import Call, Scene, _of_citizen, _of_code
from phones import PHONE, Handset


async def _object_to_review(s: Scene) -> Call:
    """With the code that the phone was sent."""
    code, _ = await s.rated()
    path = f"/api/v1/e/{code}/objection"
    assert (await s.http.post(path, json={"phone": PHONE})).status_code == 202
    sent = (await Handset().messages())[-1]
    body = {"phone": PHONE, "proof": sent["variables"]["proof"]}
    return Call(method="POST", path=path, body=body)


_PRESSED = {"how": ["asked", "watched"], "words": "站在旁边看着我按的"}


async def _pressure_followed(s: Scene) -> Call:
    call = await _of_code("/api/v1/e/{}/pressure", "POST", _PRESSED)(s)
    code = (await call.send(s.http)).json()["query_code"]
    return Call(method="GET", path=f"/api/v1/pressure/{code}")


OBJECTION: dict[str, Callable[[Scene], Awaitable[Call]]] = {
    "object_to_review": _object_to_review,
    "report_pressure": _of_code("/api/v1/e/{}/pressure", "POST", _PRESSED),
    "report_pressure_after": _of_citizen("/pressure", body=_PRESSED),
    "pressure_followed": _pressure_followed,
}
