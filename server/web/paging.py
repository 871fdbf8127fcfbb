"""Pages of a list that is read newest first: the cursor names the last row of the page before."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sanic import Request

from server.kit.web import bad_query

T = TypeVar("T")
LAST_ROW = 2**63 - 1


def after(
    request: Request, kind: type[UUID] | type[int] | type[str]
) -> tuple[datetime, str] | None:
    """What the cursor of the query says; `kind` is that of the row's key."""
    cursor = request.args.get("cursor") or ""
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, key = text.partition(" ")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None or "\0" in key or not _is_key(kind, key):
            raise ValueError
        return at, key
    except (ValueError, OverflowError, binascii.Error):
        raise bad_query("cursor", "不是本页给出的下一页") from None


def _is_key(kind: type[UUID] | type[int] | type[str], key: str) -> bool:
    if kind is int:
        return key.isascii() and key.isdigit() and len(key) < 20 and int(key) <= LAST_ROW
    return bool(kind(key)) if kind is UUID else len(key) <= 64


def cursor(at: datetime, key: object) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {key}".encode()).decode().rstrip("=")


def cut(rows: Sequence[T], page: int) -> tuple[Sequence[T], T | None]:
    """One row more than a page was asked for: the page, and its last row if another follows."""
    shown = rows[:page]
    return shown, shown[-1] if len(rows) > page else None
