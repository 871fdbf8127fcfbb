"""A tablet at every window of the demo city, and the keys that make a browser one of them."""

import json
import secrets
from pathlib import Path

from server.demo.city import OF_KEY, window_rows
from server.kit import sql
from server.kit.clock import clock
from server.kit.ids import new_id
from server.kit.privacy import vault

Keys = dict[tuple[str, str], str]
"""Agency and window → key."""
_REGIONS = {bureau.code: bureau.region for bureau in OF_KEY.values()}
_ISSUE = """
INSERT INTO kiosks (id, region_code, agency_code, window_code, key, issued_at)
SELECT *, $6::timestamptz FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
ON CONFLICT (agency_code, window_code) WHERE revoked_at IS NULL
DO UPDATE SET key = excluded.key, issued_at = excluded.issued_at, seen_at = NULL
"""


def kept(path: Path) -> Keys:
    """From an earlier start; nothing if the file is gone or is not ours any more."""
    try:
        windows = json.loads(path.read_text())["windows"]
        return {
            (w["agency_code"], w["window_code"]): w["kiosk_url"].rpartition("/")[2]
            for w in windows if "kiosk_url" in w
        }  # fmt: skip
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


async def standing(keys: Keys) -> Keys:
    """These keys where they still open a tablet, new ones for the city's other windows."""
    rows = await sql.fetch("SELECT * FROM kiosks WHERE revoked_at IS NULL")
    stored = {(row["agency_code"], row["window_code"]): row["key"] for row in rows}
    good = {
        place: key for place, key in keys.items()
        if stored.get(place) in vault().fingerprints(key, "kiosk")
    }  # fmt: skip
    wanted = [(agency, code) for code, _, agency, _ in window_rows() if (agency, code) not in good]
    fresh = {place: secrets.token_urlsafe(32) for place in sorted(wanted)}
    if fresh:
        await sql.fetch(
            _ISSUE, [new_id() for _ in fresh], [_REGIONS[agency] for agency, _ in fresh],
            [agency for agency, _ in fresh], [code for _, code in fresh],
            vault().fingerprints_of(fresh.values(), "kiosk"), clock.now(),
        )  # fmt: skip
    return good | fresh
