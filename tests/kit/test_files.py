"""Files are what their bytes are; what is hostile is refused, or shed."""

import io
import random
import time

import pytest
from kit.odd_files import (
    HTML,
    MARK,
    PHP,
    SVG,
    a_chunk,
    a_gif_and_script,
    a_jpeg,
    a_jpeg_of_scans,
    a_moving_png,
    a_pdf,
    a_photo,
    a_picture,
    a_png,
    a_png_bomb,
    a_zip,
    encoded,
    packed,
)
from PIL import Image

from server.kit import files, pdf
from server.kit.errors import Refusal
from server.kit.files import File, HugeImage, Kind, NotTaken, clean_name, examined
from server.kit.pdf import ActivePdf, LockedPdf, Unreadable

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
"""Pillow's, about what it is given."""
SCRIPT = b"<< /S /JavaScript /JS (app.alert(1)) >>"


def opened(file: File) -> Image.Image:
    picture = Image.open(io.BytesIO(file.content))
    picture.load()
    return picture


@pytest.mark.parametrize(
    ("content", "kind"), [(a_jpeg(), Kind.JPEG), (a_png(), Kind.PNG), (a_pdf(), Kind.PDF)]
)
def test_a_picture_and_a_pdf_are_taken_as_what_they_are(content: bytes, kind: Kind) -> None:
    file = examined(content)
    assert file.kind is kind
    assert examined(content) == file, "the same bytes are the same evidence"
    assert examined(file.content).kind is kind


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff", b"\x89PNG", b"%PDF", HTML, SVG, b"\xef\xbb\xbf" + SVG, PHP, a_gif_and_script(),
        a_zip(), a_zip(size=50_000_000), b"MZ" + bytes(200), b"\xd0\xcf\x11\xe0" + bytes(600), b"words",
        b"RIFF\0\0\0\0WEBPVP8 ", b"\0\0\0\x18ftypheic" + bytes(50), bytes(1000),
        encoded(a_picture(), "BMP"), encoded(a_picture(), "TIFF"), encoded(a_picture(), "WEBP"),
        b"\n" + a_pdf(), HTML + a_pdf(), HTML + a_png(), b"GIF89a" + a_jpeg(),
    ],
)  # fmt: skip
def test_everything_else_is_refused_in_words_that_name_what_is_taken(content: bytes) -> None:
    with pytest.raises(NotTaken) as refused:
        examined(content)
    assert "JPEG、PNG 图片和 PDF" in refused.value.detail


def test_a_refusal_says_what_to_do_with_what_people_have() -> None:
    for content, advice in ((a_zip(), "另存为 PDF"), (b"", "空的"), (SVG, "SVG")):
        with pytest.raises(NotTaken, match=advice):
            examined(content)


# Pictures


def test_of_a_photo_neither_place_nor_comment_nor_camera_is_kept_and_it_stands_upright() -> None:
    photo = a_photo()
    assert MARK in photo
    assert Image.open(io.BytesIO(photo)).getexif().get_ifd(0x8825)
    file = examined(photo)
    kept = opened(file)
    assert not kept.getexif()
    assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"Exif" not in file.content
    assert b"home" not in file.content
    assert MARK not in file.content
    assert kept.size == (30, 40)
    # The gradient ran from above; lying on its side it runs from the right.
    left, right = kept.convert("L").getpixel((2, 20)), kept.convert("L").getpixel((27, 20))
    assert left > right + 100  # type: ignore[operator]


@pytest.mark.parametrize("picture", [a_jpeg(), a_png()])
@pytest.mark.parametrize("tail", [HTML, PHP, a_zip(), a_pdf(), bytes(100_000)])
def test_what_is_glued_to_a_picture_is_shed(picture: bytes, tail: bytes) -> None:
    file = examined(picture + tail)
    assert tail[:20] not in file.content
    assert len(file.content) < 5000
    assert opened(file).tobytes() == opened(examined(picture)).tobytes()


def test_words_inside_a_picture_file_are_shed() -> None:
    plain = a_png()
    at = plain.index(b"IDAT") - 4
    for name, content in (
        (b"tEXt", b"Comment\0" + MARK), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + MARK),
        (b"eXIf", b"MM\0*\0\0\0\x08\0\0" + MARK), (b"prIv", MARK),
    ):  # fmt: skip
        file = examined(plain[:at] + a_chunk(name, content) + plain[at:])
        assert MARK not in file.content
        assert opened(file).info == {}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_every_kind_looks_the_same_afterwards(mode: str) -> None:
    picture = a_picture(mode="L") if mode == "I;16" else a_picture(mode=mode)
    picture = picture.convert(mode)
    if mode == "RGBA":
        picture.putalpha(a_picture(mode="L").rotate(180))
    kept = opened(examined(encoded(picture, "PNG")))
    assert (kept.size, kept.mode in ("L", "RGB", "RGBA")) == (picture.size, True)
    if mode != "I;16":
        assert kept.convert("RGBA").tobytes() == picture.convert("RGBA").tobytes()


def test_a_transparent_colour_of_a_palette_stays_transparent() -> None:
    picture = a_picture(mode="P")
    content = encoded(picture, "PNG", transparency=picture.getpixel((0, 0)))
    assert opened(examined(content)).getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_a_jpeg_in_printers_colours_is_taken() -> None:
    assert opened(examined(encoded(a_picture(mode="CMYK"), "JPEG"))).mode == "RGB"


def test_of_a_jpeg_with_several_pictures_the_first_is_taken() -> None:
    both = encoded(a_picture(), "MPO", save_all=True, append_images=[a_picture((400, 400))])
    kept = opened(examined(both))
    assert (kept.format, kept.size) == ("JPEG", (40, 30))


@pytest.mark.parametrize("content", [a_png_bomb(), a_png_bomb(12_000), a_png((30_000, 10))])
def test_a_picture_that_would_fill_the_memory_is_refused_before_it_does(content: bytes) -> None:
    began = time.perf_counter()
    with pytest.raises(HugeImage, match="请缩小"):
        examined(content)
    assert time.perf_counter() - began < 0.5


def test_a_jpeg_that_would_take_minutes_is_refused_at_once() -> None:
    endless = a_jpeg_of_scans(20_000)
    assert len(endless) < 8 * 1024 * 1024
    began = time.perf_counter()
    with pytest.raises(Unreadable):
        examined(endless)
    assert time.perf_counter() - began < 0.5
    assert examined(encoded(a_picture(), "JPEG", progressive=True)).kind is Kind.JPEG


def test_a_picture_that_grows_beyond_measure_when_it_is_drawn_anew_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = Image.frombytes("RGB", (300, 300), random.Random(7).randbytes(270_000))
    content = encoded(noise, "PNG")
    assert examined(content).kind is Kind.PNG
    monkeypatch.setattr(files, "KEPT", 100_000)
    with pytest.raises(HugeImage):
        examined(content)


def test_a_picture_that_moves_is_refused() -> None:
    with pytest.raises(NotTaken, match="会动"):
        examined(a_moving_png())


@pytest.mark.parametrize("whole", [a_jpeg((400, 300)), a_png((400, 300)), a_pdf()])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_half_a_file_is_refused(whole: bytes, part: float) -> None:
    with pytest.raises(Unreadable):
        examined(whole[: int(len(whole) * part)])


@pytest.mark.parametrize("start", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7\n"])
@pytest.mark.parametrize("rest", [b"", HTML, PHP, bytes(5000), b"\xff" * 5000])
def test_the_right_beginning_alone_makes_no_picture(start: bytes, rest: bytes) -> None:
    with pytest.raises(Unreadable):
        examined(start + rest)


def test_whatever_is_changed_in_a_file_it_is_taken_or_refused_and_never_a_fault() -> None:
    dice = random.Random(20261121)
    wholes = [a_jpeg(), a_png(), a_photo(), a_pdf(packed(b"<< /A 1 >>")), a_png(mode="P")]
    taken = 0
    for _ in range(600):
        content = bytearray(dice.choice(wholes))
        for _ in range(dice.randint(1, 6)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        try:
            taken += bool(examined(bytes(content)).content)
        except Refusal as refusal:
            assert refusal.status in (413, 422)
    assert 0 < taken < 600


# PDF


@pytest.mark.parametrize(
    "content",
    [
        a_pdf(b"<< /Type /Action " + SCRIPT[2:]),
        a_pdf(catalog=b"/OpenAction << /S /JavaScript /JS (1) >>"), a_pdf(catalog=b"/OpenAction 4 0 R"),
        a_pdf(b"<< /S /Launch /F (calc.exe) >>"), a_pdf(b"<< /S /SubmitForm /F (http://x) >>"),
        a_pdf(b"<< /S /ImportData >>"), a_pdf(b"<< /S /GoToE >>"), a_pdf(b"<< /Subtype /RichMedia >>"),
        a_pdf(catalog=b"/Names << /EmbeddedFiles 4 0 R >>"), a_pdf(b"<< /Type /EmbeddedFile >>"),
        a_pdf(b"<< /Subtype /FileAttachment >>"), a_pdf(catalog=b"/AcroForm << /XFA 4 0 R >>"),
        a_pdf(b"<< /S /Rendition /JS (1) >>"),
        a_pdf(b"<< /S /Java#53cript /JS (1) >>"), a_pdf(b"<< /S /#4a#61#76#61#53#63#72#69#70#74 >>"),
        a_pdf(b"<< /S /L#61unch >>"), a_pdf(b"<< /S /L#61#75nch >>"),
        a_pdf(packed(SCRIPT)), a_pdf(packed(b"<< /S /L#61unch >>")),
        a_pdf(packed(b"<< /A 1 >>"), packed(b"<< /S /Launch >>")),
        a_pdf(packed(SCRIPT).replace(b"/ObjStm", b"/Obj#53tm")),
        a_pdf(packed(SCRIPT).replace(b"/Filter", b"/Fil#74er")),
    ],
)  # fmt: skip
def test_a_pdf_that_would_do_something_by_itself_is_refused(content: bytes) -> None:
    with pytest.raises(ActivePdf, match="打印为 PDF"):
        examined(content)


def test_a_locked_pdf_is_refused() -> None:
    with pytest.raises(LockedPdf, match="密码"):
        examined(a_pdf(b"<< /Filter /Standard >>", trailer=b"/Encrypt 4 0 R"))


@pytest.mark.parametrize(
    "content",
    [
        a_pdf(packed(SCRIPT, filters=b"[/ASCII85Decode /FlateDecode]").replace(b"x\x9c", b"zz")),
        a_pdf(packed(SCRIPT, filters=b"/LZWDecode").replace(b"x\x9c", b"zz")),
        a_pdf(packed(b"<< /A 1 >>", extra=b"/DecodeParms << /Predictor 12 >>")),
        a_pdf(packed(bytes(40_000_000))),
        a_pdf() + HTML, a_pdf() + a_zip(), a_pdf()[:-7], a_pdf().replace(b" obj", b" 0bj"),
        a_pdf(b"stream\n" * (pdf.STREAMS + 1)),
    ],
)  # fmt: skip
def test_a_pdf_that_cannot_be_looked_into_or_is_not_whole_is_refused(content: bytes) -> None:
    began = time.perf_counter()
    with pytest.raises(Unreadable):
        examined(content)
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    "content",
    [
        # A place at which to open, as office programs write it.
        a_pdf(catalog=b"/OpenAction [3 0 R /XYZ null null 0]"), a_pdf(catalog=b"/OpenAction[3 0 R /Fit]"),
        a_pdf(packed(b"<< /Type /Font >>", b"<< /A (JavaScript) >>")),
        a_pdf(b"<< /Title (EncryptMetadata of a Launcher) /EncryptMetadata true >>"),
        a_pdf(b"<< /S /URI /URI (https://law.example) >>"), a_pdf() + b"\r\n\0\0",
        a_pdf(b"<< /Filter /DCTDecode /Length 9 >>\nstream\n" + a_jpeg() + b"\nendstream"),
    ],
)  # fmt: skip
def test_an_ordinary_pdf_is_taken_as_it_is(content: bytes) -> None:
    assert examined(content).content == content


# Names


@pytest.mark.parametrize(
    ("given", "kind", "kept"),
    [
        ("现场照片.jpg", Kind.JPEG, "现场照片.jpg"), ("IMG.JPEG", Kind.JPEG, "IMG.JPEG"),
        ("../../etc/passwd", Kind.PDF, "passwd.pdf"), ("C:\\Users\\wang\\录像.png", Kind.PNG, "录像.png"),
        ("page.html", Kind.PNG, "page.html.png"), ("page.png", Kind.PDF, "page.png.pdf"),
        ("", Kind.PNG, "未命名.png"), ("...", Kind.PDF, "未命名.pdf"), (".pdf", Kind.PDF, "未命名.pdf"),
        ("/", Kind.JPEG, "未命名.jpg"), ("a\0\r\nb\x1b.jpg", Kind.JPEG, "a b.jpg"),
        ("gpj.\u202egnp.jpg", Kind.JPEG, "gpj.gnp.jpg"), ("a\u200b\ufeff.pdf", Kind.PDF, "a.pdf"),
        ('x"; filename="y.exe', Kind.PDF, "x; filename=y.exe.pdf"), (" a  b .pdf ", Kind.PDF, "a b.pdf"),
        ("e\u0301.png", Kind.PNG, "é.png"), ("<b>.pdf", Kind.PDF, "b.pdf"),
    ],
)  # fmt: skip
def test_a_name_is_no_path_and_ends_as_what_it_is(given: str, kind: Kind, kept: str) -> None:
    assert clean_name(given, kind) == kept


def test_a_long_name_is_cut_and_keeps_its_ending() -> None:
    name = clean_name("长" * 300 + ".pdf", Kind.PDF)
    assert len(name) == files.NAME
    assert name.endswith("长.pdf")
