"""Calls of the doors of evidence."""

from collections.abc import Awaitable, Callable

from appeals.papers import an_appeal, given
from kit.first_calls import Call, Scene
from kit.odd_files import a_pdf

from server.people.models import Staff


async def _add_evidence(s: Scene) -> Call:
    appeal = await an_appeal()
    return Call(
        method="POST", path=f"/api/v1/appeals/{appeal.id}/evidence",
        files={"file": ("排队记录.pdf", a_pdf(), "application/pdf")}, headers=await s.staff("handler"),
    )  # fmt: skip


def _of_evidence(what: str) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        row = await given(await an_appeal())
        path = f"/api/v1/appeals/{row.appeal_id}/evidence{f'/{row.id}' if what == 'one' else ''}"
        return Call(method="GET", path=path, headers=await s.staff(await a_ruler()))

    return call


async def a_ruler() -> str:
    """An adjudicator of the region, who belongs to no side."""
    if not await Staff.exists(username="adjudicator"):
        (row,) = await Staff.filter(username="supervisor").values()
        del row["id"]
        await Staff.create(**(row | {"username": "adjudicator", "role": "adjudicator"}))
    return "adjudicator"


EVIDENCE: dict[str, Callable[[Scene], Awaitable[Call]]] = {
    "add_evidence": _add_evidence,
    "list_evidence": _of_evidence("all"),
    "open_evidence": _of_evidence("one"),
}
