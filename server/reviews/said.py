"""What the agency said last, as a message to the citizen tells it."""

from uuid import UUID

from server.catalogue.service import catalogue
from server.kit import query_codes as codes
from server.kit import sql
from server.reviews.ties import COURSE_OF

_LAST = f"""
SELECT r.query_key, o.agency_code, s.words FROM voices r JOIN work_orders o ON o.number = {COURSE_OF}
JOIN work_order_steps s ON s.order_id = o.number AND s.move = ANY($2) AND s.actor <> 'citizen'
WHERE r.id = $1 ORDER BY s.id DESC LIMIT 1
"""  # noqa: S608


async def answer(review_id: UUID) -> dict[str, str]:
    (row,) = await sql.fetch(_LAST, review_id, ["answer"])
    return {
        "agency": catalogue().agency_name(row["agency_code"]), "answer": _open_ended(row["words"]),
        "code": query_code(review_id, row["query_key"]),
    }  # fmt: skip


async def word(review_id: UUID) -> dict[str, str]:
    """What the agency said last in the relay."""
    (row,) = await sql.fetch(_LAST, review_id, ["ask", "message"])
    return {
        "agency": catalogue().agency_name(row["agency_code"]), "words": _open_ended(row["words"]),
    }  # fmt: skip


def _open_ended(words: str) -> str:
    """The wording goes on behind it with a stop of its own."""
    return words.rstrip("。.！!；;，, ")


def query_code(review_id: UUID, key: str) -> str:
    """Empty if its key was withdrawn."""
    try:
        return codes.grouped(codes.code_of_key(review_id, key))
    except codes.UnknownQueryCode:
        return ""
