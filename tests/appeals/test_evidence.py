"""Evidence: who gives it, who opens it, where it lies, and what is refused."""

import asyncio
import io
from contextvars import Context
from typing import Any
from uuid import uuid4

import httpx
import pytest
from appeals.papers import an_appeal, given, member
from durability.neighbour import neighbour
from factories import LABOUR, City
from kit.calls import Scene
from kit.odd_files import (
    HTML,
    MARK,
    SVG,
    a_gif_and_script,
    a_jpeg,
    a_moving_png,
    a_pdf,
    a_photo,
    a_png,
    a_png_bomb,
    a_zip,
)  # fmt: skip
from PIL import Image
from test_roles import peopled

from server.appeals import evidence
from server.appeals.models import Appeal, Evidence, EvidenceContent
from server.kit import sql
from server.kit.files import examined
from server.kit.privacy import BrokenSeal, vault
from server.kit.transaction import transaction
from server.kit.uploads import FILE_LIMIT
from server.people.models import AccessLog
from server.settings import Settings


@pytest.fixture
async def scene(http: httpx.AsyncClient, city: City) -> Scene:
    await peopled(city)
    return Scene(http, city)


def place(appeal: Appeal) -> str:
    return f"/api/v1/appeals/{appeal.id}/evidence"


async def sent(
    scene: Scene, appeal: Appeal, content: bytes, name: str = "照片.png", who: str = "handler",
    told: str = "image/png",
) -> httpx.Response:  # fmt: skip
    return await scene.http.post(
        place(appeal), files={"file": (name, content, told)}, headers=await scene.staff(who)
    )


# Giving


async def test_a_photo_is_given_listed_and_opened_and_its_place_is_kept_by_nobody(
    scene: Scene,
) -> None:
    appeal = await an_appeal()
    answer = await sent(scene, appeal, a_photo(), "C:\\家\\排队.jpg", told="text/html")
    assert answer.status_code == 201, answer.text
    row = answer.json()
    assert (row["name"], row["kind"]) == ("排队.jpg", "jpeg")
    listed = await scene.http.get(place(appeal), headers=await scene.staff("lead"))
    assert listed.json() == {"items": [row], "most": 5, "may_add": True, "may_open": False}
    opened = await scene.http.get(
        f"{place(appeal)}/{row['id']}", headers=await scene.staff("adjudicator")
    )
    picture = Image.open(io.BytesIO(opened.content))
    assert (picture.size, dict(picture.getexif()), len(opened.content)) == (
        (30, 40),
        {},
        row["size"],
    )
    for word in (b"Exif", MARK):
        assert word not in opened.content


@pytest.mark.parametrize("kind", ["jpeg", "png", "pdf"])
async def test_each_kind_is_handed_out_as_a_file_in_which_nothing_acts(
    scene: Scene, kind: str
) -> None:
    content = {"jpeg": a_jpeg(), "png": a_png(), "pdf": a_pdf()}[kind]
    row = await given(await an_appeal(), content, "证据 1.html")
    answer = await scene.http.get(
        f"/api/v1/appeals/{row.appeal_id}/evidence/{row.id}",
        headers=await scene.staff("adjudicator"),
    )
    head, ending = answer.headers, {"jpeg": "jpg"}.get(kind, kind)
    assert (answer.status_code, row.kind) == (200, kind)
    assert head["content-type"] == "application/octet-stream"
    assert head["content-disposition"] == (
        f"attachment; filename=\"evidence.{ending}\"; filename*=UTF-8''%E8%AF%81%E6%8D%AE%201.html.{ending}"
    )
    assert head["content-security-policy"] == "default-src 'none'; sandbox"
    assert head["x-content-type-options"] == "nosniff"
    assert head["cache-control"] == "no-store"
    assert head["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.png", HTML, "file_not_taken"), ("a.svg", SVG, "file_not_taken"),
        ("a.gif", a_gif_and_script(), "file_not_taken"), ("a.pdf", a_zip(), "file_not_taken"),
        ("bomb.zip", a_zip(size=50_000_000), "file_not_taken"), ("a.png", b"", "file_not_taken"),
        ("a.png", b"\x89", "file_not_taken"), ("a.png", a_png_bomb(), "image_too_large"),
        ("a.png", a_moving_png(), "file_not_taken"), ("a.jpg", a_jpeg()[:-200], "file_unreadable"),
        ("a.pdf", a_pdf(b"<< /S /JavaScript >>"), "pdf_active"),
        ("a.pdf", a_pdf(trailer=b"/Encrypt 4 0 R"), "pdf_locked"),
    ],
)  # fmt: skip
async def test_a_hostile_file_is_refused_in_the_senders_words_and_nothing_is_stored(
    scene: Scene, name: str, content: bytes, code: str
) -> None:
    appeal = await an_appeal()
    answer = await sent(scene, appeal, content, name)
    assert answer.status_code in (413, 422)
    assert answer.json()["code"] == code
    assert await Evidence.all().count() == 0
    assert await EvidenceContent.all().count() == 0


async def test_what_is_glued_to_a_picture_never_comes_out_again(scene: Scene) -> None:
    appeal = await an_appeal()
    answer = await sent(scene, appeal, a_jpeg() + HTML, "照片.jpg")
    opened = await scene.http.get(
        f"{place(appeal)}/{answer.json()['id']}", headers=await scene.staff("adjudicator")
    )
    assert (opened.status_code, b"script" in opened.content) == (200, False)


async def test_the_bytes_lie_sealed_and_bound_to_their_row(scene: Scene) -> None:
    row = await given(await an_appeal())
    other = await given(await an_appeal(), a_jpeg())
    kept = bytes((await EvidenceContent.get(evidence_id=row.id)).sealed)
    assert b"PNG" not in kept
    await EvidenceContent.filter(evidence_id=other.id).update(sealed=kept)
    with pytest.raises(BrokenSeal):
        vault().unseal(kept, f"evidence:{other.id}")
    assert len(vault().unseal(kept, f"evidence:{row.id}")) == row.size


async def test_the_same_bytes_a_second_time_are_the_same_evidence(scene: Scene) -> None:
    appeal = await an_appeal()
    first = await sent(scene, appeal, a_photo(), "一.jpg")
    again = await sent(scene, appeal, a_photo() + b"tail", "二.jpg", "lead")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert await Evidence.all().count() == 1


async def test_a_file_of_eight_mebibytes_is_taken_and_one_byte_more_is_not(scene: Scene) -> None:
    body = b"<< /Length 1 >>\nstream\n%b\nendstream"
    room = FILE_LIMIT - len(a_pdf(body % b""))
    whole = a_pdf(body % bytes(room - 4))
    whole += bytes(FILE_LIMIT - len(whole))
    appeal = await an_appeal()
    answer = await sent(scene, appeal, whole, "大.pdf")
    assert (answer.status_code, answer.json()["size"]) == (201, FILE_LIMIT), answer.text
    opened = await scene.http.get(
        f"{place(appeal)}/{answer.json()['id']}", headers=await scene.staff("adjudicator")
    )
    assert opened.content == whole
    for more in (1, 100_000, 5_000_000):
        answer = await sent(scene, appeal, whole + bytes(more), "大.pdf")
        assert answer.status_code == 413
        assert "8 MB" in answer.json()["detail"]


FORM = {"Content-Type": "multipart/form-data; boundary=b"}
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({"Content-Type": "image/png"}, a_png(), 415),
        ({}, a_png(), 415),
        ({"Content-Type": "multipart/form-data"}, PART + a_png() + b"\r\n--b--", 415),
        ({"Content-Type": f"multipart/form-data; boundary={'b' * 100}"}, b"", 415),
        (FORM, b"", 422),
        (FORM, b"--b--", 422),
        (FORM, PART, 422),
        (FORM, PART + a_png(), 422),
        (FORM, PART + a_png() + b"\r\n--b", 422),
        (FORM, PART + a_png() + b"\r\n--c--", 422),
        (FORM, b"x" + PART + a_png() + b"\r\n--b--", 422),
        (FORM, b"--b\r\n\r\n" + a_png() + b"\r\n--b--", 422),
        (FORM, PART.replace(b"file", b"paper") + a_png() + b"\r\n--b--", 422),
        (FORM, PART.replace(b'filename="a.png"', b'filename=""') + b"\r\n--b--", 422),
        (FORM, PART.replace(b"a.png", b"\xff\xfe.png") + a_png() + b"\r\n--b--", 422),
        (FORM, PART.replace(b'name="file"; ', b"") + a_png() + b"\r\n--b--", 422),
        (FORM, PART + a_png() + b"\r\n" + PART + a_jpeg() + b"\r\n--b--", 422),
        (FORM, PART + a_png() + (b"\r\n" + PART.replace(b"file\"", b"x\"")) * 20 + b"\r\n--b--", 422),
        (FORM, PART.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 4000 + b"\r\n\r\n") + b"\r\n--b--", 422),
        (FORM, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\0\r\n' + PART + a_png()
         + b"\r\n--b--", 422),
        (FORM, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"y" * 2000 + b"\r\n" + PART
         + a_png() + b"\r\n--b--", 422),
        (FORM, PART + a_png() + b"\r\n--b--\r\nepilogue", 201),
        (FORM, PART.replace(b"a.png", b"a\0.png") + a_png() + b"\r\n--b--", 201),
        ({"Content-Type": 'Multipart/Form-Data; charset=utf-8; Boundary="b"'},
         PART + a_png() + b"\r\n--b--", 201),
    ],
)  # fmt: skip
async def test_a_form_is_read_exactly_or_refused(
    scene: Scene, head: dict[str, str], body: bytes, status: int
) -> None:
    appeal = await an_appeal()
    answer = await scene.http.post(
        place(appeal), content=body, headers=head | await scene.staff("handler")
    )
    assert answer.status_code == status, answer.text
    assert await Evidence.all().count() == (1 if status == 201 else 0)


@pytest.mark.parametrize(
    "appeal_id", ["1", "x" * 200, "%00", "8a908e3a-ab29-4373-a0bd-a9aa62d97ea0", "../x"]
)
async def test_an_appeal_that_is_not_there_is_missing(scene: Scene, appeal_id: str) -> None:
    for who, method in (("handler", "POST"), ("handler", "GET"), ("auditor", "GET")):
        answer = await scene.http.request(
            method, f"/api/v1/appeals/{appeal_id}/evidence", headers=await scene.staff(who)
        )
        assert answer.status_code == 404, answer.text


# Who may


async def test_evidence_is_opened_by_those_who_rule_and_not_even_by_the_auditor(
    scene: Scene,
) -> None:
    expected = {  # adjudicator, supervisor, auditor, handler, lead
        "open": (200, 403, 403, 403, 403), "confirming": (200, 200, 403, 403, 403),
        "upheld": (200, 403, 403, 403, 403), "withdrawn": (403, 403, 403, 403, 403),
    }  # fmt: skip
    row = await given(appeal := await an_appeal())
    for state, answers in expected.items():
        ended = "NULL" if state in ("open", "confirming") else "at"
        await sql.fetch(
            f"UPDATE appeals SET state = $1, ruled_at = {ended} WHERE id = $2", state, appeal.id
        )
        for who, status in zip(
            ("adjudicator", "supervisor", "auditor", "handler", "lead"), answers, strict=True
        ):
            answer = await scene.http.get(
                f"{place(appeal)}/{row.id}", headers=await scene.staff(who)
            )
            assert answer.status_code == status, (state, who, answer.text)
            if status == 403:
                assert answer.json()["code"] == "evidence_for_rulers_only"


async def test_an_adjudicator_who_belongs_to_the_reviewed_agency_opens_nothing(
    scene: Scene,
) -> None:
    row = await given(appeal := await an_appeal())
    await sql.fetch(
        "UPDATE staff SET agency_code = $1 WHERE username = 'adjudicator'", appeal.agency_code
    )
    answer = await scene.http.get(
        f"{place(appeal)}/{row.id}", headers=await scene.staff("adjudicator")
    )
    assert answer.status_code == 403


async def test_every_opening_is_in_the_access_log_and_no_refused_one(scene: Scene) -> None:
    row = await given(appeal := await an_appeal())
    for who in ("adjudicator", "auditor", "adjudicator", "handler", "other", "elsewhere"):
        await scene.http.get(f"{place(appeal)}/{row.id}", headers=await scene.staff(who))
    log = await AccessLog.filter(action=evidence.ACTION).order_by("id").prefetch_related("staff")
    assert [entry.staff.username for entry in log] == ["adjudicator", "adjudicator"]
    assert {(entry.subject, entry.reason) for entry in log} == {(str(row.id), f"申诉 {appeal.id}")}


async def test_evidence_of_one_appeal_is_not_opened_through_another(scene: Scene) -> None:
    row, other = await given(await an_appeal()), await an_appeal(agency_code=LABOUR)
    for key in (row.id, uuid4(), "x"):
        answer = await scene.http.get(
            f"{place(other)}/{key}", headers=await scene.staff("adjudicator")
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_evidence")


@pytest.mark.parametrize("state", ["confirming", "upheld", "refused", "withdrawn"])
async def test_to_a_case_that_is_no_longer_open_nothing_is_added(scene: Scene, state: str) -> None:
    answer = await sent(scene, await an_appeal(state=state), a_png())
    assert (answer.status_code, answer.json()["code"]) == (409, "appeal_is_over")


async def test_to_the_citizens_objection_the_agency_adds_nothing(scene: Scene) -> None:
    answer = await sent(scene, await an_appeal(round="objection"), a_png())
    assert answer.status_code == 409


# At the same moment


async def test_of_ten_files_at_once_through_two_servers_five_are_kept(
    scene: Scene, servers: Settings
) -> None:
    appeal, head = await an_appeal(), await scene.staff("handler")
    async with neighbour(servers) as second:
        doors = (scene.http, second)
        answers = await asyncio.gather(*(
            doors[n % 2].post(
                place(appeal), files={"file": (f"{n}.png", a_png((20 + n, 20)))}, headers=head
            )
            for n in range(10)
        ))  # fmt: skip
        same = await asyncio.gather(*(
            doors[n % 2].post(
                place(twin), files={"file": (f"{n}.png", a_png())}, headers=head
            )
            for twin in [await an_appeal()] for n in range(6)
        ))  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 5
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"too_many_files"}
    assert await Evidence.filter(appeal_id=appeal.id).count() == 5
    assert sorted(answer.status_code for answer in same) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in same}) == 1


async def test_a_withdrawal_at_the_same_moment_leaves_no_evidence_behind_it(scene: Scene) -> None:
    """The withdrawal holds the row; whoever adds waits for it, and is told."""
    appeal = await an_appeal()
    who, file = await member("handler"), examined(a_png())
    async with transaction():
        held = await Appeal.select_for_update().get(id=appeal.id)
        adding = asyncio.create_task(_added(who, appeal, file), context=Context())
        await asyncio.sleep(0.2)
        assert not adding.done()
        held.state, held.ruled_at = "withdrawn", held.at
        await held.save()
    assert await adding == "appeal_is_over"
    assert await Evidence.all().count() == 0


async def _added(who: Any, appeal: Appeal, file: Any) -> str:
    try:
        await evidence.add(who, str(appeal.id), "a.png", file)
    except evidence.AppealIsOver as refusal:
        return refusal.code
    return "added"
