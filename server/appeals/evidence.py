"""材料: what the appellant lays before those who rule. Sealed in the database, shown to them alone, and
every opening is written down."""

import asyncio
from uuid import UUID

from server.appeals import service
from server.appeals.models import Appeal, Evidence, EvidenceContent
from server.appeals.refusals import UnknownAppeal
from server.appeals.rules import AppealState, Round
from server.catalogue.service import catalogue
from server.kit.clock import clock
from server.kit.errors import Conflict, Denied, Missing
from server.kit.files import File, clean_name
from server.kit.ids import new_id
from server.kit.privacy import vault
from server.kit.transaction import transaction
from server.people.rules import OF_AN_AGENCY, Role
from server.people.service import Member, note_access

ACTION = "open_evidence"
"""In the access log."""
MOST = 5
"""Files of one appeal."""
_ABOVE = frozenset({Role.SUPERVISOR, Role.ADJUDICATOR, Role.AUDITOR})
KNOWS = OF_AN_AGENCY | _ABOVE
"""The roles that may hear that there is evidence, each in its part of the world."""


class UnknownEvidence(Missing):
    code = "unknown_evidence"
    title = "这件申诉没有这份材料"


class ForRulersOnly(Denied):
    code = "evidence_for_rulers_only"
    title = "材料只给裁决的人看；您能看到的是名称、大小和日期"


class AppealIsOver(Conflict):
    code = "appeal_is_over"
    title = "这件申诉已不在受理中，不能再补充材料"


class TooManyFiles(Conflict):
    code = "too_many_files"
    title = f"一件申诉最多 {MOST} 份材料"


def of_its_side(member: Member, appeal: Appeal) -> bool:
    """Of the agency that was reviewed: it gives, and does not look again."""
    return member.role in OF_AN_AGENCY and member.agency_code == appeal.agency_code


def may_add(member: Member, appeal: Appeal) -> bool:
    made_by_it = appeal.round == Round.APPEAL and appeal.state == AppealState.OPEN
    return made_by_it and of_its_side(member, appeal)


def _in_region(member: Member, appeal: Appeal) -> bool:
    return member.role in _ABOVE and appeal.region_code in catalogue().within(member.region_code)


async def find(member: Member, appeal_id: str, *, lock: bool = False) -> Appeal:
    """For whoever may know that there is evidence."""
    appeals = Appeal.select_for_update() if lock else Appeal.all()
    key = _uuid(appeal_id)
    appeal = await appeals.get_or_none(id=key) if key else None
    if appeal is None or not (of_its_side(member, appeal) or _in_region(member, appeal)):
        raise UnknownAppeal
    return appeal


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def listed(appeal: Appeal) -> list[Evidence]:
    return await Evidence.filter(appeal_id=appeal.id).order_by("at", "id")


async def check_place(member: Member, appeal_id: str) -> Appeal:
    """Before a file is read at all; asked again, with the row locked, when it is added."""
    appeal = await find(member, appeal_id)
    _check_open(member, appeal)
    return appeal


def _check_open(member: Member, appeal: Appeal) -> None:
    if not of_its_side(member, appeal):
        raise Denied
    if not may_add(member, appeal):
        raise AppealIsOver


async def add(member: Member, appeal_id: str, name: str, file: File) -> tuple[Evidence, bool]:
    """The evidence, and whether it is new: the same bytes a second time are the same evidence."""
    key = new_id()
    sealed = await asyncio.to_thread(vault().seal, file.content, _purpose(key))
    async with transaction():
        appeal = await find(member, appeal_id, lock=True)
        _check_open(member, appeal)
        before = await listed(appeal)
        for one in before:
            if one.digest == file.digest:
                return one, False
        if len(before) >= MOST:
            raise TooManyFiles
        evidence = await Evidence.create(
            id=key, appeal_id=appeal.id, name=clean_name(name, file.kind), kind=file.kind,
            size=len(file.content), digest=file.digest, by_id=member.id, at=clock.now(),
        )  # fmt: skip
        await EvidenceContent.create(evidence_id=key, sealed=sealed)
    return evidence, True


async def opened(member: Member, appeal_id: str, evidence_id: str) -> tuple[Evidence, bytes]:
    """Logged in a commit of its own before anything is shown."""
    appeal, key = await find(member, appeal_id), _uuid(evidence_id)
    evidence = await Evidence.get_or_none(id=key, appeal_id=appeal.id) if key else None
    if evidence is None:
        raise UnknownEvidence
    if not await service.sees_evidence(member, appeal):
        raise ForRulersOnly
    await note_access(member, ACTION, str(evidence.id), f"申诉 {appeal.id}")
    kept = await EvidenceContent.get(evidence_id=evidence.id)
    content = await asyncio.to_thread(vault().unseal, bytes(kept.sealed), _purpose(evidence.id))
    return evidence, content


def _purpose(key: UUID) -> str:
    """Bound to its row: sealed bytes that were moved to another one do not open."""
    return f"evidence:{key}"
