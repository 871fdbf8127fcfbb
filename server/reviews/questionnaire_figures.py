"""What the questionnaire has brought together, for those who answer for the matters.

Nobody reads single answers. Answers are counted in steps of five, in the order in which they came:
so what changes between two looks is never one person's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record

from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.redaction import redact
from server.reviews.rules import CLOSED_QUESTIONS, Answer
from server.reviews.snapshot import known_to_us

SMALLEST = 5
"""Smaller groups are not shown (design §5)."""
WORDS_SHOWN = 100
MATTERS_SHOWN = 200


@dataclass(frozen=True)
class Sight:
    """Whose matters: an agency's own, or all of these regions."""

    regions: Sequence[str]
    agency_code: str | None
    year: int

    @property
    def values(self) -> tuple[Any, ...]:
        first, last = (datetime(year, 1, 1, tzinfo=BEIJING) for year in (self.year, self.year + 1))
        return list(self.regions), self.agency_code, first, last, clock.now()


@dataclass(frozen=True)
class Counted:
    """One closed question: how many said what, of those who said anything."""

    text: str
    given: dict[Answer, int]

    @property
    def of(self) -> int:
        return sum(self.given.values())

    @property
    def is_shown(self) -> bool:
        return self.of >= SMALLEST


@dataclass(frozen=True)
class Group:
    """One matter, asked in the same words."""

    n: int
    questions: list[Counted]
    open_question: str
    words: list[str]
    """Redacted, in no order."""
    more_words: int


# A review's answers count once the agency may know of it, and only while it stands.
_STANDING = """FROM questionnaire_answers a JOIN reviews r ON r.id = a.review_id
  WHERE a.region_code = ANY($1) AND ($2::text IS NULL OR a.agency_code = $2)
    AND a.at >= $3 AND a.at < $4 AND r.state IN ('standing', 'awaiting_reason')
    AND r.undo_until <= $5"""
_MATTERS = f"""
SELECT matter_code, sum(n - n % $6::int)::int AS n FROM (
  SELECT a.matter_code, count(*) AS n {_STANDING} GROUP BY a.matter_code, a.asked) AS asked
GROUP BY 1 HAVING sum(n - n % $6::int) > 0 ORDER BY 2 DESC, 1 LIMIT $7
"""  # noqa: S608
_COUNTED = f"""
WITH standing AS (
  SELECT a.*, r.contact, r.receipt_id, count(*) OVER (PARTITION BY a.asked) AS n,
    row_number() OVER (PARTITION BY a.asked ORDER BY greatest(a.at, r.undo_until), a.review_id)
      AS place
  {_STANDING} AND a.matter_code = $6
), counted AS (SELECT * FROM standing WHERE place <= n - n % $7::int) {{then}}
"""  # noqa: S608
_GIVEN = ", ".join(
    f"count(*) FILTER (WHERE answers[{place}] = '{answer}') AS {answer}_{place}"
    for place in range(1, CLOSED_QUESTIONS + 1) for answer in Answer
)  # fmt: skip
_FIGURES = _COUNTED.format(
    then=f"SELECT asked, count(*) AS n, {_GIVEN} FROM counted GROUP BY asked ORDER BY max(at) DESC"  # noqa: S608
)
_WORDS = _COUNTED.format(
    then=""", said AS (
  SELECT c.*, count(*) OVER (PARTITION BY c.asked) AS of_all,
    row_number() OVER (PARTITION BY c.asked ORDER BY md5(c.review_id::text)) AS mixed
  FROM counted c LEFT JOIN word_checks k ON k.review_id = c.review_id
  WHERE c.comment <> '' AND coalesce(k.state, 'passed') = 'passed')
SELECT s.*, t.applicant, t.case_number FROM said s JOIN receipts t ON t.id = s.receipt_id
WHERE mixed <= $8 ORDER BY mixed"""
)
"""Words that WeChat has not let pass are read by nobody."""


async def matters(sight: Sight) -> list[Record]:
    """Code and number of answers, most answered first."""
    return await sql.fetch(_MATTERS, *sight.values, SMALLEST, MATTERS_SHOWN)


async def groups(sight: Sight, matter_code: str) -> list[Group]:
    """The newest wording first."""
    values = (*sight.values, matter_code, SMALLEST)
    rows = await sql.fetch(_FIGURES, *values)
    said = await sql.fetch(_WORDS, *values, WORDS_SHOWN)
    return [_group(row, [one for one in said if one["asked"] == row["asked"]]) for row in rows]


def _group(row: Record, said: Sequence[Record]) -> Group:
    *questions, open_question = row["asked"]
    counted = [
        Counted(text, {answer: row[f"{answer}_{place}"] for answer in Answer})
        for place, text in enumerate(questions, start=1)
    ]
    words = [redact(one["comment"], known=known_to_us(one, one["contact"])) for one in said]
    more = said[0]["of_all"] - len(said) if said else 0
    return Group(row["n"], counted, open_question, words, more)
