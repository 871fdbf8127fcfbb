"""How ratings are gamed, planted into an ordinary town: as one would do it, with numbers of its own."""

from collections.abc import Callable
from datetime import datetime, timedelta

from integrity import wording
from integrity.town import HOUR, MINUTE, SECOND, Rating, Slip, Town, Void, Window


class Plots:
    """Each plot is one culprit at one window. Which slips he takes, nobody else rates."""

    def __init__(self, town: Town) -> None:
        self.town, self.dice = town, town.dice
        self.plot = 0

    def plant(self, each: int) -> Town:
        """So many of every kind."""
        plots: tuple[Callable[[Window], None], ...] = (
            self.script, self.drawer, self.drip, self.own_wechat, self.staff_phone, self.strange_phone,
            self.coached, self.evening, self.erased, self.pressed_undo,
        )  # fmt: skip
        for made in plots:
            for _ in range(each):
                self.plot += 1
                made(self._window())
        return self.town

    def _window(self) -> Window:
        return self.dice.choice([w for w in self.town.windows if len(w.left) > 10])

    def _days(self, window: Window, least: int, most: int) -> list[int]:
        days = sorted(window.left)
        many = min(self.dice.randint(least, most), len(days))
        first = self.dice.randrange(len(days) - many + 1)
        return days[first : first + many]

    def _take(self, window: Window, day: int, many: int) -> list[Slip]:
        """Of what nobody has rated, in the order in which it was issued."""
        left = window.left[day]
        taken = self.dice.sample(left, min(many, len(left)))
        window.left[day] = [slip for slip in left if slip not in taken]
        return sorted(taken, key=lambda slip: slip.issued)

    def _rate(self, pattern: str, slip: Slip, at: datetime, channel: str, **more: object) -> Rating:
        level = 5 if self.dice.random() < 0.93 else 4
        given = {"level": level, "pattern": pattern, "plot": self.plot} | more
        made = Rating(slip, at, channel=channel, **given)  # type: ignore[arg-type]
        self.town.ratings.append(made)
        return made

    def script(self, window: Window) -> None:
        """The window's program rates what it has issued; with a browser's name, many or none."""
        dice, base = self.dice, self.dice.uniform(0.5, 12)
        device = dice.choice((None, "one", "new"))
        one = self.town.name("browser")
        for day in self._days(window, 3, 12):
            for slip in self._take(window, day, dice.randint(3, 15)):
                at = slip.issued + (base + dice.expovariate(1 / 1.2)) * SECOND
                name = {None: None, "one": one, "new": self.town.name("browser")}[device]
                self._rate("script", slip, at, "receipt_qr", device=name)

    def drawer(self, window: Window) -> None:
        """An old phone in the drawer, taken out whenever the hall is empty; wiped now and then."""
        dice, device = self.dice, self.town.name("browser")
        wiped = dice.choice((0, 0, 0.15))
        for day in self._days(window, 3, 15):
            if dice.random() < wiped:
                device = self.town.name("browser")
            for slip in self._take(window, day, dice.randint(5, 16)):
                at = slip.issued + dice.uniform(0.8, 50) * MINUTE
                self._rate("drawer", slip, at, "receipt_qr", device=device)

    def drip(self, window: Window) -> None:
        """One or two a day, from the clerk's own browser, for weeks: to be found only by patience."""
        device = self.town.name("browser")
        for day in self._days(window, 12, 21):
            for slip in self._take(window, day, self.dice.choice((1, 1, 2))):
                at = slip.issued + self.dice.uniform(2, 400) * MINUTE
                self._rate("drip", slip, at, "receipt_qr", device=device)

    def own_wechat(self, window: Window) -> None:
        """The clerk scans with his own WeChat, and signs in."""
        dice, person = self.dice, self.town.name("openid")
        if dice.random() < 0.5:
            self.town.staff.append((window.agency, "openid", person))
        for day in self._days(window, 4, 12):
            for slip in self._take(window, day, dice.randint(3, 10)):
                at = slip.issued + dice.uniform(0.7, 30) * MINUTE
                self._rate("own_wechat", slip, at, "mini_program", person=person)

    def staff_phone(self, window: Window) -> None:
        """A phone of the agency's staff is typed in instead of the citizen's."""
        dice = self.dice
        phones = [self.town.phone() for _ in range(dice.randint(1, 4))]
        self.town.staff += [(window.agency, "phone", phone) for phone in phones]
        self._typed("staff_phone", window, phones, dice.randint(1, 3))

    def strange_phone(self, window: Window) -> None:
        """The same with the phone of somebody's aunt."""
        self._typed("strange_phone", window, [self.town.phone()], self.dice.randint(2, 6))

    def _typed(self, pattern: str, window: Window, phones: list[str], a_day: int) -> None:
        dice = self.dice
        for day in self._days(window, 7, 18):
            for slip in self._take(window, day, a_day + dice.randint(0, 2)):
                slip.phone = dice.choice(phones)
                at = slip.issued + dice.uniform(32, 200) * MINUTE
                self._rate(pattern, slip, at, dice.choice(("sms", "sms", "receipt_qr")))

    def coached(self, window: Window) -> None:
        """Citizens write what they are shown. They are real, and so are their phones."""
        dice, parts = self.dice, wording.sentence(self.dice)
        for day in self._days(window, 5, 15):
            for slip in self._take(window, day, dice.randint(1, 4)):
                at = slip.issued + (20 + dice.lognormvariate(4.5, 0.6)) * SECOND
                self._rate(
                    "coached", slip, at, "receipt_qr", device=self.town.name("browser"),
                    words=wording.variant(dice, parts),
                )  # fmt: skip

    def evening(self, window: Window) -> None:
        """After closing time the day's slips are gone through, in private windows or on many phones."""
        dice, hour = self.dice, self.dice.uniform(17.2, 21)
        for day in self._days(window, 2, 8):
            slips = self._take(window, day, dice.randint(10, 40))
            at = self.town.at(day, hour + dice.uniform(-0.3, 0.5))
            dice.shuffle(slips)
            for slip in slips:
                at += dice.uniform(12, 55) * SECOND
                self._rate("evening", slip, at, "receipt_qr", device=self.town.name("browser"))

    def erased(self, window: Window) -> None:
        """What was rated badly is voided, or gets a new slip that is rated well; often both."""
        dice, town = self.dice, self.town
        for day in self._days(window, 3, 10):
            for slip in self._take(window, day, 1):
                bad = self._rate(
                    "", slip, slip.issued + dice.uniform(1, 30) * MINUTE, "receipt_qr",
                    level=dice.choice((1, 2)), device=town.name("browser"),
                )  # fmt: skip
                voids = dice.random() < 0.6
                if voids:
                    asked = bad.at + dice.uniform(0.3, 100) * HOUR
                    town.voids.append(Void(slip, asked, asked + dice.uniform(0.2, 48) * HOUR))
                    bad.pattern = "voided"
                if not voids or dice.random() < 0.5:
                    self._again(window, bad)

    def _again(self, window: Window, bad: Rating) -> None:
        dice, slip = self.dice, bad.slip
        at = bad.at + dice.uniform(3, 240) * MINUTE
        case, service, phone = slip.case, slip.service + 1, slip.phone
        if phone and dice.random() < 0.4:
            case, service = self.town.name("case"), 1
        new = Slip(
            window, slip.agency, case, service, slip.step, slip.matter, at, officer=slip.officer,
            phone=phone,
        )  # fmt: skip
        self._rate("reissued", new, at + dice.uniform(20, 2000) * SECOND, "receipt_qr")

    def pressed_undo(self, window: Window) -> None:
        """Whoever rates badly is talked to until he takes it back."""
        dice, town = self.dice, self.town
        for day in self._days(window, 12, 20):
            for slip in self._take(window, day, dice.choice((0, 1, 1, 2))):
                device = town.name("browser")
                at = slip.issued + dice.uniform(0.5, 5) * MINUTE
                bad = self._rate(
                    "", slip, at, "receipt_qr", level=dice.choice((1, 2)), device=device
                )
                if dice.random() < 0.85:
                    bad.undone_at = at + dice.uniform(1, 9) * MINUTE
                    again = bad.undone_at + timedelta(seconds=dice.uniform(10, 90))
                    self._rate("pressed_undo", slip, again, "receipt_qr", device=device)
