"""One clock for the whole application: rules take time as an argument, services ask here."""

from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8), "UTC+08:00")
"""The only civil time of the product; a fixed offset, since China has had no daylight saving since 1991."""


class Clock:
    """The application's time: the machine's, plus what the demo has advanced it by."""

    def __init__(self) -> None:
        self.advanced = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC).astimezone(BEIJING) + self.advanced


clock = Clock()
