"""书面评价表: printed blanks for who has no phone at hand. Each holds two codes.

The code on the form itself is read by whoever keys it in, and opens nothing. The code on the stub is
the query code of the review to come: the citizen tears it off, and nobody at a desk ever types it. So
nobody who keys in a form can look into its review, undo it, or judge an answer in the citizen's name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from server.kit import query_codes as codes
from server.kit import sql
from server.kit.errors import Missing
from server.kit.ids import new_id
from server.kit.privacy import vault

MOST = 100
"""Blanks at once: a pile that a hall uses up in some weeks."""


class UnknownPaperForm(Missing):
    code = "unknown_paper_form"
    title = "没有找到这个表号，或不是您录入的大厅的表"


@dataclass(frozen=True)
class Blank:
    code: str
    stub: str = field(repr=False)


_PRINTED = """
INSERT INTO paper_forms (id, key, review_id, stub_key, region_code, hall_code, window_code, printed_at,
  printed_by)
SELECT p.*, $5, $6, $7, $8, $9
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) AS p(id, key, review_id, stub_key)
"""


async def printed(
    count: int, *, region_code: str, hall_code: str, window_code: str | None, by: int, at: datetime
) -> list[Blank]:
    """In the caller's transaction. The codes are given here and never again."""
    ids, reviews = [new_id() for _ in range(count)], [new_id() for _ in range(count)]
    blanks = [
        Blank(codes.query_code(form), codes.query_code(review))
        for form, review in zip(ids, reviews, strict=True)
    ]
    await sql.fetch(
        _PRINTED, ids, [codes.query_key(blank.code) for blank in blanks],
        reviews, [codes.query_key(blank.stub) for blank in blanks],
        region_code, hall_code, window_code, at, by,
    )  # fmt: skip
    return blanks


async def find(code: str) -> asyncpg.Record:
    """By the code on the form, as it was typed or scanned."""
    try:
        keys = vault().fingerprints(codes.typed(code), "query")
    except codes.UnknownQueryCode:
        raise UnknownPaperForm from None
    form = await sql.fetch_one("SELECT * FROM paper_forms WHERE key = ANY($1::text[])", keys)
    if form is None:
        raise UnknownPaperForm
    return form


async def waits(stub: str) -> bool:
    """Whether this is the code on a stub whose form nobody has keyed in yet."""
    try:
        keys = vault().fingerprints(codes.typed(stub), "query")
    except codes.UnknownQueryCode:
        return False
    found = await sql.fetch_one(
        "SELECT 1 FROM paper_forms WHERE stub_key = ANY($1::text[]) AND entered_at IS NULL", keys
    )
    return found is not None


def stub_of(form: asyncpg.Record) -> str:
    """As it was printed, under whichever master key that was."""
    return codes.code_of_key(form["review_id"], form["stub_key"])


def numbers_of(forms: Sequence[asyncpg.Record]) -> dict[UUID, str]:
    """The codes on the forms, to find the papers by; without those under a key that was withdrawn."""
    found = {}
    for form in forms:
        try:
            found[form["id"]] = codes.grouped(codes.code_of_key(form["id"], form["key"]))
        except codes.UnknownQueryCode:
            continue
    return found


_CLOSED = """
WITH form AS (
  UPDATE paper_forms SET entered_at = $2, entered_by = $3
  WHERE id = $1 AND entered_at IS NULL RETURNING review_id
)
UPDATE reviews SET entered_by = $3 FROM form WHERE reviews.id = form.review_id RETURNING reviews.id
"""


async def close(form: asyncpg.Record, by: int, at: datetime) -> bool:
    """It is keyed in: the form and its review, stored before in this transaction, name the operator."""
    return await sql.fetch_one(_CLOSED, form["id"], at, by) is not None
