"""What a clerk typed into the form of intake (pure): read, and what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from server.catalogue.models import Policy
from server.catalogue.service import Catalogue
from server.grievances.intake import NAME_LIMIT, TICKET_LIMIT, Call, Spoken
from server.grievances.rules import (
    FUNCTION_NAMES,
    KIND_NAMES,
    KINDS,
    Function,
    Kind,
    Source,
    answer_days,
)
from server.workorders.rules import Disposition, is_blank

Typed = dict[str, str]
FIELDS = (
    "once", "source", "kind_stuck", "kind_faults", "function", "text", "matter", "agency_code", "hall_code",
    "window", "came_on", "external_number", "name", "phone", "identity", "spot", "disposition", "spot_text",
    "anyway",
)  # fmt: skip
_CODE = re.compile(r"[（(]([0-9A-Za-z]+)[）)]\s*$")
MOST_NAMED = 5
_LIMITS = {
    "name": (NAME_LIMIT, "姓名"),
    "external_number": (TICKET_LIMIT, "外部单号"),
    "matter": (300, "事项"),
}
FIELD_OF = {
    "contact.phone": "phone", "matter_code": "matter", "window_code": "window", "kind": "source",
}  # fmt: skip
"""The names of the entry → those of the form, where they differ."""


@dataclass
class Read:
    call: Call | None = None
    faults: dict[str, str] = field(default_factory=dict)


def typed(form: Mapping[str, str]) -> Typed:
    return {name: form.get(name, "") for name in FIELDS}


def read(t: Typed, known: Catalogue) -> Read:
    """Every mistake that the form itself can have; what only the service knows it says itself."""
    faults: dict[str, str] = {}
    source = Source(t["source"]) if t["source"] in set(Source) else None
    if source is None:
        faults["source"] = "请选择群众是怎么来的"
    kind = _kind(t, source, faults)
    matter = _matter(t["matter"], known, faults)
    window = _window(t, known, faults)
    came_on = _day(t["came_on"], faults)
    _check_person(t, faults)
    spoken = _spoken(t, faults)
    if faults or source is None:
        return Read(faults=faults)
    of_faults = source is Source.FAULTS and t["function"] in set(Function)
    return Read(Call(
        source=source, words=t["text"], kind=kind, came_on=came_on, on_the_spot=spoken,
        function=Function(t["function"]) if of_faults else None,
        hall_code=t["hall_code"] or None, window_code=window, matter_code=matter,
        agency_code=t["agency_code"] or None, external_number=t["external_number"].strip() or None,
        name=t["name"], phone=t["phone"].strip() or None, real_name=t["identity"] == "real",
    ))  # fmt: skip


def _check_person(t: Typed, faults: dict[str, str]) -> None:
    for name, (most, label) in _LIMITS.items():
        if len(t[name]) > most:
            faults[name] = f"{label}最多 {most} 字"
    if is_blank(t["text"]):
        faults["text"] = "请写下群众说的事"
    if t["identity"] not in ("real", "anonymous"):
        faults["identity"] = "请选择实名还是匿名"


def _kind(t: Typed, source: Source | None, faults: dict[str, str]) -> Kind | None:
    if source not in KINDS:
        return None
    name = f"kind_{source}"
    if t[name] not in {str(kind) for kind in KINDS[source]}:
        faults[name] = "请选择是哪一种"
        return None
    return Kind(t[name])


def _matter(given: str, known: Catalogue, faults: dict[str, str]) -> str | None:
    """By its code, by its name, or by words that only one matter has."""
    plain = given.strip()
    if not plain:
        return None
    coded = _CODE.search(plain)
    for code in (plain, coded[1] if coded else ""):
        if code in known.matters:
            return code
    named = [m for m in known.matters.values() if m.active and plain in m.name]
    exact = [m for m in named if m.name == plain]
    if len(found := exact or named) == 1:
        return str(found[0].code)
    if not found:
        faults["matter"] = "目录里没有这个事项，请换个说法，或不填，写明由哪个部门办理"
        return None
    listed = "；".join(f"{m.name}（{m.code}）" for m in found[:MOST_NAMED])
    faults["matter"] = f"有 {len(found)} 个事项叫这个名字，请把编码一起填上：{listed}"
    return None


def _window(t: Typed, known: Catalogue, faults: dict[str, str]) -> str | None:
    given = t["window"].strip()
    if not given:
        return None
    for window in known.seats.get(t["hall_code"], {}).values():
        if given in (window.code, window.name) or given.rstrip("号窗口") == window.code:
            return str(window.code)
    faults["window"] = "这个大厅没有这个窗口" if t["hall_code"] else "写了窗口，请选择是哪个大厅"
    return None


def _day(given: str, faults: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(given.strip()) if given.strip() else None
    except ValueError:
        faults["came_on"] = "日期请写成 2026-03-31 这样"
        return None


def _spoken(t: Typed, faults: dict[str, str]) -> Spoken | None:
    if not t["spot"]:
        return None
    if is_blank(t["spot_text"]):
        faults["spot_text"] = "当场答复了，请写下怎样答复的"
    if t["disposition"] not in set(Disposition):
        faults["disposition"] = "请选择是已经解决，还是解释说明"
    if faults:
        return None
    return Spoken(disposition=Disposition(t["disposition"]), text=t["spot_text"])


def kinds(policy: Policy) -> dict[str, list[tuple[str, str]]]:
    """Of each door: value and words, with the working days that follow."""
    return {
        str(source): [
            (str(kind), f"{KIND_NAMES[kind]}{_MEANS.get(kind, '')}，{answer_days(kind, policy)} 个工作日答复")
            for kind in of
        ]
        for source, of in KINDS.items()
    }  # fmt: skip


_MEANS = {
    Kind.CANNOT: "：不合规定，要讲清楚为什么", Kind.HARD: "：该办，但有政策瓶颈，要协调",
    Kind.REFUSED: "：该办，窗口不给办",
}  # fmt: skip
FUNCTIONS = [(str(name), words) for name, words in FUNCTION_NAMES.items()]
