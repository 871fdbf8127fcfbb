"""Who came, to which window, for what: five thousand receipts of the last thirty days."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from server.catalogue.models import Matter, Officer, Window
from server.catalogue.service import Catalogue
from server.demo.city import BUREAUS, DESK, person, slow_matters
from server.demo.days import Month
from server.demo.dice import one
from server.receipts.rules import Channel, Kind, Stage
from server.receipts.service import ApplicantForm, ReceiptForm

COUNT = 5000
QUIET_MINUTES = 20
"""How long ago the last of them left."""
_CROWDS = {
    "rs": 18, "ga": 16, "sc": 14, "zg": 12, "yb": 11, "mz": 6, "zj": 6, "ws": 5, "jt": 4, "jy": 4,
    "ny": 4, "zw": 3,
}  # fmt: skip
_CHANNELS = {
    Channel.WINDOW: 62, Channel.ONLINE: 15, Channel.MOBILE: 12, Channel.SELF_SERVICE: 6,
    Channel.HOTLINE: 5,
}  # fmt: skip
_STAGES = {
    Stage.COLLECT: 40, Stage.APPLY: 35, Stage.CONSULT: 12, Stage.SUPPLEMENT: 8, Stage.PAY: 5,
}  # fmt: skip
_KINDS = {
    Kind.PERSON: 80, Kind.ENTERPRISE: 13, Kind.INSTITUTION: 2, Kind.ASSOCIATION: 1,
    Kind.UNINCORPORATED: 2, Kind.AUTHORITY: 1, Kind.OTHER: 1,
}  # fmt: skip
_FIRMS = ("商贸", "餐饮管理", "建筑工程", "信息技术", "物流", "农业发展", "文化传播", "家政服务")
_PHONES = "1990000"
"""A range that is assigned to nobody."""
_COMES_AGAIN = 0.1


@dataclass(frozen=True)
class Visit:
    number: int
    """Of the receipt."""
    agency_code: str
    form: ReceiptForm
    issued_at: datetime


@dataclass
class _Bureau:
    matters: list[Matter]
    crowds: list[int]
    windows: list[Window]
    officers: list[Officer]
    before: list[ReceiptForm] = field(default_factory=list)
    """Who may come again."""


def visits(rng: Random, month: Month, known: Catalogue) -> Iterator[Visit]:
    """What is invented never depends on the day; only the times do."""
    bureaus = {bureau.code: _bureau(bureau.code, known) for bureau in BUREAUS}
    codes = [bureau.code for bureau in BUREAUS]
    crowds = [_CROWDS[bureau.key] for bureau in BUREAUS]
    last = month.now - timedelta(minutes=QUIET_MINUTES)
    for number, share in enumerate(sorted(rng.random() for _ in range(COUNT)), start=1):
        (code,) = rng.choices(codes, crowds)
        at = min(month.at(share), last)
        form = _form(rng, number, code, bureaus[code], at)
        yield Visit(number, code, form, at + timedelta(seconds=rng.randrange(20, 180)))


def _bureau(code: str, known: Catalogue) -> _Bureau:
    slow = slow_matters()
    matters = [m for m in known.matters.values() if (m.agency_code or DESK) == code]
    matters.sort(key=lambda matter: matter.code)
    return _Bureau(
        matters, [6 if m.code in slow else 1 + place % 3 for place, m in enumerate(matters)],
        sorted((w for (owner, _), w in known.windows.items() if owner == code), key=lambda w: w.code),
        sorted((o for (owner, _), o in known.officers.items() if owner == code), key=lambda o: o.number),
    )  # fmt: skip


def _form(rng: Random, number: int, code: str, bureau: _Bureau, at: datetime) -> ReceiptForm:
    earlier = rng.choice(bureau.before) if bureau.before and rng.random() < _COMES_AGAIN else None
    (matter,) = rng.choices(bureau.matters, bureau.crowds)
    channel, stage = one(rng, _CHANNELS), one(rng, _STAGES)
    window, officer, applicant = (
        rng.choice(bureau.windows), rng.choice(bureau.officers), _applicant(rng),
    )  # fmt: skip
    if earlier:
        bureau.before.remove(earlier)
    form = ReceiptForm(
        case_number=earlier.case_number if earlier else f"{code}-{at:%Y%m%d}-{number:04d}",
        service_number=earlier.service_number + 1 if earlier else 1,
        matter_code=earlier.matter_code if earlier else matter.code,
        handled_at=at,
        channel=channel,
        window_code=window.code if channel is Channel.WINDOW else None,
        officer_number=officer.number if channel in (Channel.WINDOW, Channel.HOTLINE) else None,
        stage=Stage.COLLECT if earlier else stage,
        applicant=earlier.applicant if earlier else applicant,
    )
    bureau.before.append(form)
    return form


def _applicant(rng: Random) -> ApplicantForm:
    kind, name = one(rng, _KINDS), person(rng)
    if kind is not Kind.PERSON:
        name = f"云汀市{name[-2:]}{rng.choice(_FIRMS)}有限公司"
    phone = invented_phone(rng)
    return ApplicantForm(kind=kind, name=name, phone=phone if rng.random() < 0.75 else None)


def invented_phone(rng: Random) -> str:
    return f"{_PHONES}{rng.randrange(10_000):04d}"
