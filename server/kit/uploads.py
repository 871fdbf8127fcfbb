"""A form with one file, read as it comes: nothing beyond the limit is ever held."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct
from sanic import Request

from server.kit import files
from server.kit.errors import NotJson, Refusal, TooLarge, Unavailable
from server.kit.forms import BadBody, refuse_nul

MULTIPART = "multipart/form-data"
FILE_LIMIT = 8 * 1024 * 1024
FORM_ROOM = 16 * 1024
"""For the other fields of the form and the heads of its parts."""
LET_PASS = 32 * 1024 * 1024
"""Of a form that is a little too large we read the rest away, so that its sender hears why. Beyond this
he is cut off."""
SECONDS = 90.0
"""For a whole upload over a slow line."""
LOOK_SECONDS = 8.0
"""For looking into a file, with the wait for one's turn."""
WHOLE_SECONDS = SECONDS + LOOK_SECONDS + 5
AT_ONCE = 8
_PARTS, _HEAD, _TEXT = 10, 2048, 1024
_BOUNDARY = re.compile(
    r';\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;",]{1,70})(?![^\s;]))', re.IGNORECASE
)
_DISPOSITION = re.compile(
    r"^content-disposition:\s*form-data\s*;(.*)$", re.IGNORECASE | re.MULTILINE
)
_PARAMETER = re.compile(r';\s*(name|filename)="((?:[^"\\\r\n]|\\.)*)"', re.IGNORECASE)
_QUOTED = re.compile(r"%(?:22|0D|0A)")
"""A quote or line end in a file's name, as browsers write them."""
_rooms = asyncio.BoundedSemaphore(AT_ONCE)
_eyes = ThreadPoolExecutor(2, thread_name_prefix="file")
"""A thread cannot be ended: a file that takes too long holds its place until it is done."""


class FileForm(Struct):
    """As it is described; it is read here."""

    file: Annotated[bytes, Meta(extra_json_schema={"contentEncoding": "binary"})]


class NotForm(Refusal):
    status = NotJson.status
    code = NotJson.code
    title = "请用表单（multipart/form-data）上传，文件放在 file 一栏"


class FileTooLarge(TooLarge):
    title = f"一个文件最多 {FILE_LIMIT // 1024 // 1024} MB，请缩小或分开后再传"


@dataclass(frozen=True)
class Upload:
    name: str
    """As the sender calls it."""
    file: files.File
    fields: dict[str, str]
    """What else stood in the form."""


async def receive(request: Request) -> Upload:
    """The one file of the form, looked at. To be called where the body has not been read."""
    found = _BOUNDARY.search(content_type := request.headers.get("content-type", ""))
    if not (found and content_type.partition(";")[0].strip().lower() == MULTIPART):
        raise NotForm
    if _rooms.locked():
        raise Unavailable
    async with _rooms:
        body = await _body(request)
        fields, name, content = _read(body, (found[1] or found[2]).encode())
        del body
        async with asyncio.timeout(LOOK_SECONDS):
            loop = asyncio.get_running_loop()
            file = await loop.run_in_executor(_eyes, files.examined, content)
    return Upload(name, file, fields)


async def _body(request: Request) -> bytes:
    most, told = FILE_LIMIT + FORM_ROOM, request.headers.get("content-length")
    if told and told.isdecimal() and int(told) > LET_PASS:
        raise FileTooLarge
    stream: Any = request.stream
    body, seen = bytearray(), 0
    async with asyncio.timeout(SECONDS):
        async for piece in stream:
            seen += len(piece)
            if seen <= most:
                body += piece
            elif not told or seen > LET_PASS:
                raise FileTooLarge
            else:
                body.clear()
    if seen > most:
        raise FileTooLarge
    return bytes(body)


def _read(body: bytes, boundary: bytes) -> tuple[dict[str, str], str, bytes]:
    """The texts, and name and bytes of the file."""
    texts: dict[str, str] = {}
    file: tuple[str, bytes] | None = None
    for name, filename, content in _parts(body, b"--" + boundary):
        if name in texts or (name == "file" and file):
            raise BadBody("同一栏出现了两次；一次只传一个文件")
        if name == "file":
            file = filename or "", content
        elif filename is not None or len(content) > _TEXT:
            raise BadBody(f"表单里没有“{name[:20]}”这一栏文件")
        else:
            texts[name] = _decoded(content)
    if file is None or file == ("", b""):
        raise BadBody("请选择一个文件")
    if len(file[1]) > FILE_LIMIT:
        raise FileTooLarge
    refuse_nul(texts)
    return texts, *file


def _parts(body: bytes, mark: bytes) -> Iterator[tuple[str, str | None, bytes]]:
    """Name, file name and bytes of each. Strict: what is not exactly a form is none."""
    place = len(mark)
    for _ in range(_PARTS):
        if not body.startswith(mark) or body[place : place + 2] != b"\r\n":
            break
        head_ends = body.find(b"\r\n\r\n", place, place + _HEAD)
        ends = body.find(b"\r\n" + mark, head_ends + 4) if head_ends >= 0 else -1
        if ends < 0:
            break
        yield *_named(body[place:head_ends]), body[head_ends + 4 : ends]
        place = ends + 2 + len(mark)
        if body[place : place + 2] == b"--":
            return
    raise BadBody("表单不完整，可能没有传完，请再传一次")


def _named(head: bytes) -> tuple[str, str | None]:
    found = _DISPOSITION.search(_decoded(head).replace("\r", ""))
    told = _PARAMETER.findall(f";{found[1]}") if found else []
    names = {key.lower(): value for key, value in told}
    if len(told) != len(names) or "name" not in names:
        raise BadBody("表单不合规范：有一栏没有名字")
    filename = names.get("filename")
    return names["name"], filename if filename is None else _QUOTED.sub(" ", filename)


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadBody("表单里的文字须是 UTF-8") from None
