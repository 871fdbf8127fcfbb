"""The questionnaires that we ship: the national one (N21), and one along the dimensions of reform (Z6)."""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from server.catalogue.models import Questionnaire

_SHIPPED = Path(__file__).parent / "data" / "questionnaires.csv"


@cache
def shipped() -> Mapping[str, Questionnaire]:
    with _SHIPPED.open(encoding="utf-8", newline="") as file:
        return {row["code"]: Questionnaire(**row) for row in csv.DictReader(file)}
