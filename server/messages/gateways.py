"""Which provider carries our messages, and the one that is a phone on the screen."""

import asyncio
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from server.catalogue.service import catalogue
from server.catalogue.wordings import PURPOSES
from server.kit.clock import clock
from server.settings import Settings
from sms.aliyun import Aliyun
from sms.gateway import Gateway
from sms.pocket import Pocket

_POST_SECONDS = 5.0


def gateway_of(settings: Settings) -> Gateway | None:
    """None: nothing is sent, the outbox waits."""
    match settings.sms_gateway:
        case "pocket":
            return Pocket(Approved(), clock.now)
        case "aliyun":
            return Aliyun(
                settings.aliyun_key_id or "", settings.aliyun_secret or "",
                domain=settings.aliyun_domain, protocol=settings.aliyun_protocol,
            )  # fmt: skip
        case _:
            return None


def own_code(region_code: str, purpose: str) -> str:
    """For a wording without a provider's code. No provider knows it; the pocket does."""
    return f"{region_code}.{purpose}"


class Approved(Mapping[str, str]):
    """What the pocket takes for approved templates: the catalogue's wordings as they are now."""

    def __getitem__(self, code: str) -> str:
        known = catalogue()
        region_code, _, purpose = code.partition(".")
        if purpose in PURPOSES:
            variant = known.policy(region_code).wording
            return known.wording(region_code, purpose, variant).text
        for wording in known.wordings.values():
            if code and wording.template_code == code:
                return wording.text
        raise KeyError(code)

    def __iter__(self) -> Iterator[str]:
        return (w.template_code for w in catalogue().wordings.values() if w.template_code)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class PocketReports:
    """The pocket as its own provider: what it shows is reported over the real callback."""

    def __init__(self, pocket: Pocket, settings: Settings) -> None:
        self._pocket = pocket
        self._address = f"{settings.base_url}/callbacks/sms/{settings.sms_callback_secret}/report"
        self._untold: list[bytes] = []

    async def tell(self) -> int:
        body = self._pocket.reports()
        if body != b"[]":
            self._untold.append(body)
        told = 0
        for body in list(self._untold):
            if not await asyncio.to_thread(_is_taken, self._address, body):
                break
            self._untold.remove(body)
            told += 1
        return told


def _is_taken(address: str, body: bytes) -> bool:
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_POST_SECONDS)
    try:
        connection.request("POST", parts.path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
