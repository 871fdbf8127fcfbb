"""A PDF's form, and whether it says that it does something by itself.

Looked for: a whole file from its first byte to its last; encryption; scripts, programs, attached files,
forms that send themselves, media; also under escaped names and in packed object streams. Not looked at:
what the pages show, fonts, pictures, links, metadata, and what only a reader's fault would run; one who
forges with skill can hide an act from this. Therefore a PDF is handed out as a download, never shown.
"""

import re
import zlib
from collections.abc import Iterator

from server.kit.errors import Invalid

STREAMS = 50_000
"""More has no file of a few megabytes that was made for reading."""
UNPACKED = 32 * 1024 * 1024
"""Of all object streams of a file together."""
_DICTIONARY = 4096
"""What is read of what stands before a stream."""
_HEAD = re.compile(rb"%PDF-[12]\.\d")
_TAIL = re.compile(rb"startxref\s+\d+\s+%%EOF[\s\0]*\Z")
_OBJECT = re.compile(rb"\b\d+\s+\d+\s+obj\b")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")


class Unreadable(Invalid):
    code = "file_unreadable"
    title = "这个文件打不开，可能没有传完，或者已经损坏"


class LockedPdf(Invalid):
    code = "pdf_locked"
    title = "这份 PDF 加了密码或限制，裁决的人打不开。请去掉密码再传"


class ActivePdf(Invalid):
    code = "pdf_active"
    title = "这份 PDF 里有脚本、会自动执行的动作或附件。请用“打印为 PDF”另存一份再传"


def _name(*names: str, whole: bool = True) -> str:
    """A pattern of these names however they are spelled: any letter may stand as #xx."""
    spelled = ("".join(f"(?:{c}|#(?i:{ord(c):02x}))" for c in name) for name in names)
    return f"/(?:{'|'.join(spelled)})" + ("(?![A-Za-z0-9])" if whole else "")


_ENCRYPTED = re.compile(_name("Encrypt").encode())
_ACTS = re.compile(
    "|".join(
        (
            _name("JavaScript", "Launch", "SubmitForm", "ImportData", "GoToE", "RichMedia"),
            _name("Rendition", "XFA"),
            _name("EmbeddedFile", "FileAttachment", whole=False),
            # A place at which to open is harmless; whatever else is done at the opening is not.
            _name("OpenAction") + r"(?!\s*\[)",
        )
    ).encode()
)
"""Additional actions (/AA) and scripts (/JS) need one of these names to do anything."""
_PACKED = re.compile(_name("ObjStm", "First").encode())
_FILTERED = re.compile(_name("Filter").encode())
_PREDICTED = re.compile(_name("DecodeParms").encode())


def check(content: bytes) -> None:
    whole = _HEAD.match(content) and _TAIL.search(content[-1200:]) and _OBJECT.search(content)
    if not whole:
        raise Unreadable
    for part in (content, *_packed(content)):
        if _ENCRYPTED.search(part):
            raise LockedPdf
        if _ACTS.search(part):
            raise ActivePdf


def _packed(content: bytes) -> Iterator[bytes]:
    """What object streams hold. One that cannot be unpacked cannot be looked at: refused."""
    left, fed = UNPACKED, 0
    for place, found in enumerate(_STREAM.finditer(content)):
        if place >= STREAMS:
            raise Unreadable
        head = content[max(0, found.start() - _DICTIONARY) : found.start()]
        head = head.rpartition(b"endstream")[2].rpartition(b"endobj")[2]
        if not (_PACKED.search(head) and _FILTERED.search(head)):
            continue
        end = content.find(b"endstream", found.end())
        body = content[found.end() : end if end >= 0 else len(content)]
        fed += len(body)
        if _PREDICTED.search(head) or fed > 2 * len(content):
            raise Unreadable
        unpacked = _inflated(body, left)
        left -= len(unpacked)
        yield unpacked


def _inflated(body: bytes, most: int) -> bytes:
    machine = zlib.decompressobj()
    try:
        unpacked = machine.decompress(body, most + 1)
    except zlib.error:
        raise Unreadable from None
    if len(unpacked) > most:
        raise Unreadable
    return unpacked
