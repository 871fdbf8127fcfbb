"""What tells a demo database from a real one, so that neither is ever taken for the other."""

from collections.abc import Mapping

from server.kit import sql
from server.settings import BadSetting, Settings

MARK = "demo"
"""A row of `beacons`, written in the transaction that brings the city."""
PROVIDER_KEYS = (
    "ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET", "WECHAT_APP_ID", "WECHAT_APP_SECRET",
)  # fmt: skip
_NOWHERE = "9901%"
"""The invented city's region codes, and all that an operator of the demo adds below them."""
_HELD = (
    "regions", "agencies", "halls", "windows", "officers", "matters", "policies", "tags",
    "staff", "clients", "receipts", "reviews", "work_orders", "wordings", "questions",
    "sms_messages", "sms_replies", "kiosks", "questionnaires", "questionnaire_answers", "samples",
    "accountability", "appeals", "exclusions", "paper_forms", "grievances",
)  # fmt: skip
_FOREIGN = {
    **{
        table: f"{column} NOT LIKE '{_NOWHERE}'"
        for table, column in {
            "regions": "code",
            "agencies": "region_code",
            "halls": "region_code",
            "policies": "region_code",
            "staff": "region_code",
            "receipts": "region_code",
            "work_orders": "region_code",
            "wordings": "region_code",
            "questions": "region_code",
            "sms_messages": "region_code",
            "kiosks": "region_code",
            "questionnaire_answers": "region_code",
            "samples": "region_code",
            "accountability": "region_code",
            "appeals": "region_code",
            "exclusions": "region_code",
            "paper_forms": "region_code",
            "grievances": "region_code",
        }.items()
    },
    **dict.fromkeys(
        ("clients", "windows", "officers", "matters"),
        "agency_code NOT IN (SELECT code FROM agencies)",
    ),
}


class NotTheDemo(BadSetting):
    """Something real is within reach of the demo."""


def check_surroundings(settings: Settings, environment: Mapping[str, str]) -> None:
    if not settings.demo:
        raise NotTheDemo("the demo city is only for a demo: set DEMO=1, on a database of its own")
    if found := [name for name in PROVIDER_KEYS if environment.get(name)]:
        raise NotTheDemo(f"the demo refuses to start with provider keys: unset {', '.join(found)}")


async def is_marked() -> bool:
    return bool(await sql.fetch("SELECT 1 FROM beacons WHERE name = $1 AND value = 1", MARK))


async def set_mark() -> None:
    await sql.fetch("INSERT INTO beacons (name, value) VALUES ($1, 1)", MARK)


async def demo_rows_only() -> None:
    """Raises NotTheDemo if the database holds anything that did not come from the demo."""
    marked = await is_marked()
    conditions = _FOREIGN if marked else dict.fromkeys(_HELD, "TRUE")
    for table, condition in conditions.items():
        if await sql.fetch(f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1"):  # noqa: S608
            raise NotTheDemo(
                f"the database holds rows in {table!r} that are not the demo's: "
                "give the demo an empty database, or unset DEMO"
            )
