"""Files of every kind, good and hostile, made on the spot."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image

HTML = b"<!doctype html><html><script>document.title='ran'</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="ran"</script></svg>'
PHP = b"<?php system($_GET['c']); ?>"
MARK = b"<script>document.title='ran'</script>"


def a_picture(size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Image.Image:
    """With a gradient, so that it is told from a blank one and from one that lies on its side."""
    grey = Image.linear_gradient("L").resize(size)
    return grey.convert(mode)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def a_jpeg(size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    return encoded(a_picture(size), "JPEG", **options)


def a_png(size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    return encoded(a_picture(size, mode), "PNG", **options)


def a_photo() -> bytes:
    """From a telephone that was held upright: turned, and with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "taken at home"
    exif.get_ifd(0x8825).update(
        {1: "N", 2: (31.0, 14.0, 0.0), 3: "E", 4: (121.0, 29.0, 0.0)}
    )  # fmt: skip
    return a_jpeg((40, 30), exif=exif, comment=MARK)


def a_chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def a_png_bomb(side: int = 50_000) -> bytes:
    """Ten gigabytes of black in a file of a few hundred bytes' head and a little more."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + a_chunk(b"IHDR", head) + a_chunk(b"IDAT", rows) + a_chunk(b"IEND", b"")
    )  # fmt: skip


def a_moving_png() -> bytes:
    frames = [a_picture(), a_picture().rotate(180)]
    return encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])


def a_jpeg_of_scans(scans: int) -> bytes:
    """Progressive, with its last pass again and again: minutes of work for a few bytes."""
    whole = encoded(Image.new("L", (4000, 4000)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * scans + b"\xff\xd9"


def a_gif_and_script() -> bytes:
    return b"GIF89a/*" + encoded(a_picture(), "GIF")[8:] + b"*/=1;document.title='ran'"


def a_zip(name: str = "word/document.xml", size: int = 1000) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(size))
    return out.getvalue()


def a_pdf(*objects: bytes, catalog: bytes = b"", trailer: bytes = b"") -> bytes:
    """One empty page; with further objects, and further entries in its catalogue and trailer."""
    told = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        *objects,
    ]
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, each in enumerate(told, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(told) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %b >>\n" % (len(told) + 1, trailer)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table)


def packed(*objects: bytes, filters: bytes = b"/FlateDecode", extra: bytes = b"") -> bytes:
    """An object stream."""
    inner = zlib.compress(b" ".join(objects))
    head = b"<< /Type /ObjStm /N %d /First 10 /Filter %b /Length %d %b >>"
    return (
        head % (len(objects), filters, len(inner), extra) + b"\nstream\n" + inner + b"\nendstream"
    )
