# ruff: noqa: E501
"""A town as it is on a month of ordinary days: who is served where, who rates, how and when.

Written from how halls work, without a look at what the rules ask: it imports nothing of the server.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import count
from random import Random

from integrity import wording

CHINA = timezone(timedelta(hours=8))
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))
MATTERS = (
    "公租房", "社保卡", "营业执照", "不动产证", "身份证", "居住证", "医保报销", "落户", "准生证", "驾照", "个税申报", "食品许可",
)  # fmt: skip
STEPS = ("咨询", "申报", "补正", "缴费", "签收")
GRADES = (5,) * 78 + (4,) * 14 + (3,) * 5 + (2,) * 2 + (1,)


@dataclass(eq=False)
class Window:
    agency: int
    code: str
    minutes: float
    """Between one citizen and the next, on average."""
    tablet: bool
    willing: float
    """Share of the served who rate."""
    names_steps: bool
    """Whether its system sends the step of the case."""
    officers: tuple[str, ...]
    left: dict[int, list["Slip"]] = field(default_factory=dict)
    """Day → slips that nobody has rated."""


@dataclass(eq=False)
class Slip:
    window: Window | None
    agency: int
    case: str
    service: int
    step: str | None
    matter: int
    issued: datetime
    by: str = "window"
    officer: str | None = None
    phone: str | None = None


@dataclass(eq=False)
class Rating:
    slip: Slip
    at: datetime
    level: int
    channel: str
    device: str | None = None
    person: str | None = None
    words: str = ""
    undone_at: datetime | None = None
    pattern: str = ""
    """What was planted; empty: ordinary."""
    plot: int = 0


@dataclass
class Void:
    slip: Slip
    asked_at: datetime
    decided_at: datetime


@dataclass
class Town:
    seed: str
    first: datetime
    days: int = 30
    windows: list[Window] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    voids: list[Void] = field(default_factory=list)
    staff: list[tuple[int, str, str]] = field(default_factory=list)
    """Agency, phone or openid, and which."""

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        self.numbers = count(1)
        self.first = self.first.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)

    # Names

    def name(self, kind: str) -> str:
        return f"{kind}-{self.seed}-{next(self.numbers)}"

    def phone(self) -> str:
        return f"1{self.dice.choice('3578')}{next(self.numbers):09d}"

    def at(self, day: int, hour: float) -> datetime:
        return self.first + day * DAY + hour * HOUR

    def works(self, day: int) -> bool:
        return self.at(day, 12).weekday() < 5

    # A month of ordinary ratings

    def live(self, ratings: int) -> "Town":
        agency = 0
        while len(self.ratings) < ratings:
            agency += 1
            self._agency(agency)
        del self.ratings[ratings:]
        return self

    def _agency(self, agency: int) -> None:
        dice = self.dice
        steps = dice.random() < 0.7
        windows = [
            Window(
                agency, f"W{agency}-{n}", dice.choice((2.5, 5, 7, 9, 12, 15)), dice.random() < 0.6,
                dice.uniform(0.15, 0.5), steps, (f"{agency}{n}1", f"{agency}{n}2"),
            )
            for n in range(1, dice.randint(2, 9))
        ]  # fmt: skip
        self.windows += windows
        for window in windows:
            for day in filter(self.works, range(self.days)):
                self._day(window, day)
        self._regulars(windows)
        if dice.random() < 0.5:
            self._platform(agency)

    def _day(self, window: Window, day: int) -> None:
        dice, now = self.dice, self.at(day, 9 + self.dice.random() / 10)
        while now < self.at(day, 17):
            if self.at(day, 12) < now < self.at(day, 13):
                now = self.at(day, 13)
            rush = 0.6 if now.hour in (10, 14) else 1.2
            now += (0.4 + dice.expovariate(1 / 0.6)) * window.minutes * rush * MINUTE
            slip = self.slip(window, now)
            if dice.random() < window.willing:
                self.ordinary(slip)
            else:
                window.left.setdefault(day, []).append(slip)

    def slip(self, window: Window, at: datetime, phone: str | None = None) -> Slip:
        dice = self.dice
        has_phone = dice.random() < 0.6
        return Slip(
            window, window.agency, self.name("case"), dice.choice((1, 1, 1, 2, 3)),
            dice.choice(STEPS) if window.names_steps else None, dice.randrange(len(MATTERS)), at,
            officer=dice.choice(window.officers), phone=phone or (self.phone() if has_phone else None),
        )  # fmt: skip

    def ordinary(
        self, slip: Slip, device: str | None = None, person: str | None = None
    ) -> Rating | None:
        """One citizen, once, in his own way."""
        dice, drawn = self.dice, self.dice.random()
        level = dice.choice(GRADES)
        words = wording.honest(dice, MATTERS[slip.matter], level)
        if slip.window and slip.window.tablet and drawn < 0.5 and not device:
            at = slip.issued + (3.5 + dice.lognormvariate(2.4, 0.7)) * SECOND
            made = Rating(slip, at, level, "kiosk", words="" if dice.random() < 0.9 else words)
        elif slip.phone and drawn < 0.65 and not device:
            at = slip.issued + (31 + dice.lognormvariate(3, 1.2)) * MINUTE
            made = Rating(slip, at, level, "sms", words=words)
        elif person or (drawn > 0.9 and not device):
            made = Rating(
                slip, self._later(slip), level, "mini_program", person=person or self.name("openid"),
                words=words,
            )  # fmt: skip
        else:
            keeps = device or (self.name("browser") if dice.random() < 0.85 else None)
            made = Rating(slip, self._later(slip), level, "receipt_qr", keeps, words=words)
        self.ratings.append(made)
        self._second_thoughts(made)
        self._next_step(made)
        return made

    def _later(self, slip: Slip) -> datetime:
        """Still at the window, in the hall, or at home."""
        dice, drawn = self.dice, self.dice.random()
        if drawn < 0.01:
            return slip.issued + dice.uniform(9, 16) * SECOND  # phone in hand, scanner open
        if drawn < 0.55:
            return slip.issued + (14 + dice.lognormvariate(4.5, 0.9)) * SECOND
        if drawn < 0.75:
            return slip.issued + dice.uniform(5, 120) * MINUTE
        evening = slip.issued.replace(hour=18, minute=0) + dice.triangular(0, 5, 2) * HOUR
        return evening + dice.choice((0, 0, 0, 1, 2, 4)) * DAY

    def _second_thoughts(self, first: Rating) -> None:
        """A finger slipped, or he thinks better of it; a worse grade is as likely as a better one."""
        if self.dice.random() > (0.06 if first.level <= 2 else 0.004):
            return
        first.undone_at = first.at + self.dice.uniform(0.2, 8) * MINUTE
        again = self.dice.choice([n for n in (5, 5, 4, 3, 2, 1) if n != first.level])
        self.ratings.append(Rating(
            first.slip, first.undone_at + self.dice.uniform(5, 60) * SECOND, again, first.channel,
            first.device, first.person,
        ))  # fmt: skip

    def _next_step(self, rating: Rating) -> None:
        """Some cases have another service some days later, which is rated or not."""
        dice, slip = self.dice, rating.slip
        if not slip.window or slip.service > 3 or dice.random() > 0.08:
            return
        step = dice.choice([s for s in STEPS if s != slip.step]) if slip.step else None
        at = self.at((slip.issued - self.first).days + dice.randint(1, 12), dice.uniform(9, 16.5))
        later = Slip(
            slip.window, slip.agency, slip.case, slip.service + 3, step, slip.matter, at,
            officer=slip.officer, phone=slip.phone,
        )  # fmt: skip
        if at < self.at(self.days, 0):
            self.ordinary(later, device=rating.device if rating.channel != "kiosk" else None)

    def _regulars(self, windows: list[Window]) -> None:
        for _ in range(len(windows)):
            self._agent(windows)
        for _ in range(6 * len(windows)):
            self._family(windows)

    def _agent(self, windows: list[Window]) -> None:
        """Accountants and agencies: every week, several clients, one phone, one WeChat or browser."""
        dice, phone = self.dice, self.phone()
        device, person = self.name("browser"), self.name("openid")
        weekdays = dice.sample(range(5), dice.choice((1, 1, 1, 1, 2)))
        rates, signed_in = dice.uniform(0.2, 0.9), dice.random() < 0.4
        for day in range(self.days):
            if self.at(day, 12).weekday() not in weekdays:
                continue
            at, window = self.at(day, dice.uniform(9, 16)), dice.choice(windows)
            for _ in range(dice.randint(1, 6)):
                at += dice.uniform(3, 12) * MINUTE
                if dice.random() < rates:
                    slip = self.slip(window, at, phone)
                    self.ordinary(
                        slip, None if signed_in else device, person if signed_in else None
                    )

    def _family(self, windows: list[Window]) -> None:
        """One who is good with phones rates for two or three, who gave his number or their own."""
        dice, device, phone = self.dice, self.name("browser"), self.phone()
        for _ in range(dice.choice((1, 2, 2, 3))):
            day = dice.randrange(self.days)
            if not self.works(day):
                continue
            at = self.at(day, dice.uniform(9, 16))
            for _ in range(dice.choice((1, 1, 2, 3))):
                at += dice.uniform(2, 15) * MINUTE
                slip = self.slip(dice.choice(windows), at, phone if dice.random() < 0.5 else None)
                self.ordinary(slip, device=device)

    def _platform(self, agency: int) -> None:
        """Single results all day, and now and then a batch of them that everybody waited for."""
        dice = self.dice
        names_window = dice.random() < 0.3
        counter = (
            Window(agency, f"NET{agency}", 1, False, 1, False, ("",)) if names_window else None
        )
        for day in filter(self.works, range(self.days)):
            batch = dice.random() < 0.06
            for _ in range(dice.randint(40, 250) if batch else dice.randint(0, 30)):
                at = self.at(day, 10 + dice.random() / 20 if batch else dice.uniform(8, 20))
                slip = Slip(
                    counter, agency, self.name("case"), 1, None, dice.randrange(len(MATTERS)), at, "online",
                    phone=self.phone(),
                )  # fmt: skip
                waits = dice.expovariate(1 / 25) * MINUTE if batch else (
                    5 + dice.lognormvariate(2.8, 0.8)) * SECOND  # fmt: skip
                level = dice.choice(GRADES)
                self.ratings.append(Rating(
                    slip, at + waits, level, "web", self.name("browser"),
                    words=wording.honest(dice, MATTERS[slip.matter], level),
                ))  # fmt: skip
