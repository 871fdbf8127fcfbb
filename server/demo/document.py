"""$VAR/demo.json: the one place where the demo's secrets stand in the clear."""

import json
import os
import tempfile
from typing import Any

from server.catalogue.service import catalogue
from server.demo.accounts import FILE, Secrets, staff, systems
from server.demo.city import BUREAUS
from server.demo.tablets import Keys
from server.reviews import kiosks
from server.settings import Settings

_PLACES = {bureau.code: place for place, bureau in enumerate(BUREAUS)}


def write(settings: Settings, given: Secrets, keys: Keys) -> None:
    """Whole or not at all; for nobody's eyes but the owner's."""
    settings.var.mkdir(0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=settings.var, prefix=f"{FILE}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(_document(settings, given, keys), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, settings.var / FILE)


def _document(settings: Settings, given: Secrets, keys: Keys) -> dict[str, Any]:
    return {
        "base_url": settings.base_url,
        "clients": [
            {"client_id": name, "client_secret": given.clients[name], "agency_code": code}
            for name, code in systems().items()
        ],
        "staff": [
            {
                "username": a.username, "password": given.passwords[a.username],
                "totp_secret": given.totps[a.username], "role": str(a.role),
                "agency_code": a.agency_code,
            }
            for a in staff()
        ],
        "sms": _callbacks(settings),
        "windows": _windows(settings, keys),
        "matters": _matters(),
        "officers": _officers(),
        "tags": [{"code": tag.code, "level": tag.level} for tag in catalogue().tags.values()],
    }  # fmt: skip


def _callbacks(settings: Settings) -> dict[str, str] | None:
    """None where nothing is sent, and nobody listens."""
    if not settings.sms_callback_secret:
        return None
    callbacks = f"{settings.base_url}/callbacks/sms/{settings.sms_callback_secret}"
    return {"up_url": f"{callbacks}/up", "report_url": f"{callbacks}/report"}


def _place(agency_code: str | None) -> int:
    return _PLACES.get(agency_code or "", len(_PLACES))


def _windows(settings: Settings, keys: Keys) -> list[dict[str, Any]]:
    """One that an operator added has a tablet once he has given it one."""
    windows = sorted(catalogue().windows.values(), key=lambda w: (_place(w.agency_code), w.code))
    return [
        {"window_code": w.code, "hall_code": w.hall_code, "agency_code": w.agency_code}
        | ({"kiosk_url": kiosks.address(settings.base_url, key)} if key else {})
        for w, key in ((w, keys.get((w.agency_code, w.code))) for w in windows)
    ]


def _matters() -> list[dict[str, Any]]:
    """An agency's simple matters first; those of no agency last."""
    matters = sorted(
        catalogue().matters.values(),
        key=lambda m: (_place(m.agency_code), bool(m.co_agency_codes), m.code),
    )
    return [{"matter_code": m.code, "agency_code": m.agency_code} for m in matters]


def _officers() -> list[dict[str, Any]]:
    officers = sorted(
        catalogue().officers.values(), key=lambda o: (_place(o.agency_code), o.number)
    )
    return [{"officer_number": o.number, "agency_code": o.agency_code} for o in officers]
