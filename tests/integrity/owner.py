"""Somebody with a slip, and the phone that a code is sent to."""

from dataclasses import dataclass, field
from typing import Any

from httpx import AsyncClient, Response
from phones import PHONE, Handset


async def proofs_on(phone: str = PHONE) -> list[str]:
    """The one-time codes that it was sent, oldest first."""
    sent = await Handset(phone).messages()
    return [one["variables"]["proof"] for one in sent if one["purpose"] == "proof"]


@dataclass
class Owner:
    http: AsyncClient
    code: str
    phone: str = PHONE
    head: dict[str, str] = field(default_factory=dict)

    async def asks(self, phone: str = "", *, code: str = "") -> Response:
        return await self._says({"phone": phone or self.phone}, code)

    async def proves(self, proof: str, phone: str = "", *, code: str = "") -> Response:
        return await self._says({"phone": phone or self.phone, "proof": proof}, code)

    async def objects(self, code: str = "") -> Response:
        asked = await self.asks(code=code)
        assert asked.status_code == 202, asked.text
        return await self.proves((await proofs_on(self.phone))[-1], code=code)

    async def _says(self, body: dict[str, Any], code: str) -> Response:
        path = f"/api/v1/e/{code or self.code}/objection"
        return await self.http.post(path, json=body, headers=self.head)


def another(proof: str) -> str:
    """A code that is not this one."""
    return f"{(int(proof) + 1) % 1_000_000:06}"
