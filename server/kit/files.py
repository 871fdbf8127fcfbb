"""What a file is, by its bytes alone; never by its name, nor by what the sender calls it.

Pictures are decoded as a whole and drawn anew: what came along with them (where they were taken,
comments, whatever is glued to their end) is not kept. The pixels themselves may still spell anything;
who serves them says that they are a picture, and nothing else.
"""

import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from io import BytesIO

from PIL import Image, ImageOps

from server.kit import pdf
from server.kit.errors import Invalid, Refusal, TooLarge
from server.kit.pdf import Unreadable

PIXELS = 40_000_000
"""Of a telephone's camera the largest that it makes by itself; 160 MB in memory."""
SIDE = 20_000
SCANS = 64
"""A JPEG draws its picture in passes, ten at most in earnest. A thousand cost a minute for a few bytes."""
KEPT = 12 * 1024 * 1024
"""What a picture may take when it is drawn anew."""
QUALITY = 90
NAME = 100


class Kind(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    PDF = "pdf"


KIND_NAMES = {Kind.JPEG: "JPEG 图片", Kind.PNG: "PNG 图片", Kind.PDF: "PDF 文件"}
MEDIA_TYPES = {Kind.JPEG: "image/jpeg", Kind.PNG: "image/png", Kind.PDF: "application/pdf"}
_ENDINGS = {Kind.JPEG: (".jpg", ".jpeg"), Kind.PNG: (".png",), Kind.PDF: (".pdf",)}
_STARTS = {b"\xff\xd8\xff": Kind.JPEG, b"\x89PNG\r\n\x1a\n": Kind.PNG, b"%PDF-": Kind.PDF}


class NotTaken(Invalid):
    code = "file_not_taken"
    title = "只收 JPEG、PNG 图片和 PDF 文件"


class HugeImage(TooLarge):
    code = "image_too_large"
    title = "图片太大，请缩小后再传"


@dataclass(frozen=True)
class File:
    """A file that was looked at, in the form in which it may be kept."""

    kind: Kind
    content: bytes = field(repr=False)
    digest: str
    """SHA-256 of it."""


def examined(content: bytes) -> File:
    """Takes up to seconds of CPU: not for the event loop."""
    kind = next((kind for start, kind in _STARTS.items() if content.startswith(start)), None)
    if kind is None:
        raise NotTaken(f"{_guess(content)}{NotTaken.title}")
    if kind is Kind.PDF:
        pdf.check(content)
        kept = content
    else:
        kept = _drawn_anew(content, kind)
    return File(kind, kept, hashlib.sha256(kept).hexdigest())


def _is_text(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


_GUESSES: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (lambda c: not c, "这个文件是空的。"),
    (lambda c: c.startswith(b"PK"), "这是 Word、Excel 文档或压缩包，文档请另存为 PDF 再传。"),
    (lambda c: c.startswith(b"\xd0\xcf\x11\xe0"), "这是旧版 Word、Excel 文档，请另存为 PDF 再传。"),
    (lambda c: c[4:8] == b"ftyp", "这是苹果手机的 HEIC 照片或一段录像，照片请另存为 JPEG 再传。"),
    (lambda c: c.startswith(b"GIF8"), "这是 GIF 图片，请另存为 JPEG 或 PNG 再传。"),
    (lambda c: c.startswith(b"RIFF") and c[8:12] == b"WEBP", "这是 WebP 图片，请另存为 JPEG 再传。"),
    (lambda c: c.startswith(b"MZ"), "这是一个程序。"),
    (_is_text, "这是网页、SVG 或其他带标记的文字。"),
)  # fmt: skip


def _guess(content: bytes) -> str:
    """For people only: what to do about it. Nothing is decided by it."""
    return next((words for fits, words in _GUESSES if fits(content[:64])), "")


def _drawn_anew(content: bytes, kind: Kind) -> bytes:
    if kind is Kind.JPEG and content.count(b"\xff\xda") > SCANS:
        raise Unreadable
    try:
        with Image.open(BytesIO(content), formats=[kind.upper()]) as image:
            return _encoded(_plain(image, kind), kind)
    except Refusal:
        raise
    except Image.DecompressionBombError:
        raise _huge() from None
    except Exception:
        # Whatever a decoder stumbles over in a stranger's bytes, they are no picture.
        raise Unreadable from None


def _huge() -> HugeImage:
    return HugeImage(f"图片最多 {PIXELS // 10_000} 万像素，请缩小后再传")


def _plain(image: Image.Image, kind: Kind) -> Image.Image:
    """The pixels alone, upright."""
    if image.width * image.height > PIXELS or max(image.size) > SIDE:
        raise _huge()
    if kind is Kind.PNG and getattr(image, "n_frames", 1) > 1:
        raise NotTaken("这是会动的 PNG，看到的不一定是全部。请传不动的图片")
    image.load()
    upright = ImageOps.exif_transpose(image)
    plain = upright.convert(_mode(upright, kind))
    plain.info = {}
    return plain


def _mode(image: Image.Image, kind: Kind) -> str:
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return "L"
    if kind is Kind.PNG and (image.has_transparency_data or "transparency" in image.info):
        return "RGBA"
    return "RGB"


def _encoded(image: Image.Image, kind: Kind) -> bytes:
    out = BytesIO()
    if kind is Kind.JPEG:
        image.save(out, "JPEG", quality=QUALITY)
    else:
        image.save(out, "PNG", compress_level=4)
    if out.tell() > KEPT:
        raise HugeImage
    return out.getvalue()


def clean_name(given: str, kind: Kind) -> str:
    """What a file was called, without path and invisible characters, and with the ending of what it is:
    a picture that calls itself a page would be opened as one."""
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    shown = "".join(" " if c.isspace() else c for c in last if c.isspace() or _is_seen(c))
    name = " ".join(shown.split()).rstrip(". ")
    endings = _ENDINGS[kind]
    if name.lower().endswith(endings):
        stem, _, ending = name.rpartition(".")
    else:
        stem, ending = name, endings[0][1:]
    return f"{(stem.strip('. ') or '未命名')[: NAME - len(ending) - 1]}.{ending}"


def _is_seen(char: str) -> bool:
    """No control, no turning of the direction, nothing unassigned; no sign that a disk reads as its own."""
    return unicodedata.category(char)[0] != "C" and char not in '"<>|:*?'
