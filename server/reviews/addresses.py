"""Where a rater may be written to: over the channel that rated, or the contact given with the review."""

import json
from typing import Any

from server.kit.privacy import BrokenSeal, vault
from server.reviews import questions
from server.reviews.rules import ReviewChannel


def phone_for(review: Any, receipt: Any) -> str | None:
    """Of rows of both; None where his own page is the only way."""
    if review["contact"]:
        try:
            given: str | None = json.loads(vault().unseal(review["contact"], "contact"))["phone"]
        except BrokenSeal:
            given = None  # under a key that was withdrawn
        if given:
            return given
    return questions.phone_of(receipt) if review["channel"] == ReviewChannel.SMS else None
