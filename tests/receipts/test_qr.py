"""Every drawing of the code is read back by another library, or by hand."""

import io
import re
import xml.etree.ElementTree as ElementTree

import pytest
import qrcode
import zxingcpp
from PIL import Image, ImageDraw
from qrcode.constants import ERROR_CORRECT_M

from server.receipts import qr
from server.receipts.codes import LENGTH

URL = "https://pj.example.gov.cn/e/" + "aB3-_xY9Z" * 2 + "qwertyu"
LONGEST = "https://" + "h" * 26 + "/e/" + "W" * LENGTH
"""62 bytes: what a version 4 code holds at level M."""
SLIP = qr.Slip(
    agency="住房保障局", matter="公租房申请", place="市民中心 1号窗口", handled_at="2026-11-21 10:08",
    url=URL, open_until="2026-11-28",
)  # fmt: skip


def read(image: Image.Image) -> zxingcpp.Barcode:
    (found,) = zxingcpp.read_barcodes(image)
    return found


def rasterised(svg: str, scale: int = qr.DOTS) -> Image.Image:
    """The two paths of our SVG: a white square, and runs of `M x y h w v 1 h -w z`."""
    root = ElementTree.fromstring(svg)
    _, _, width, height = (int(n) for n in root.attrib["viewBox"].split())
    image = Image.new("L", (width * scale, height * scale), 255)
    pen = ImageDraw.Draw(image)
    _, dark = root.findall("{http://www.w3.org/2000/svg}path")
    drawn = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", dark.attrib["d"])
    assert "".join(f"M{x} {y}h{w}v1h-{v}z" for x, y, w, v in drawn) == dark.attrib["d"]
    for x, y, run, _ in (map(int, found) for found in drawn):
        box = (x * scale, y * scale, (x + run) * scale - 1, (y + 1) * scale - 1)
        pen.rectangle(box, fill=0)
    return image


@pytest.mark.parametrize("url", [URL, LONGEST, "http://127.0.0.1:8000/e/" + "a" * LENGTH])
def test_png_and_svg_are_read_back_by_a_scanner(url: str) -> None:
    assert read(Image.open(io.BytesIO(qr.png(url)))).text == url
    assert read(rasterised(qr.svg(url))).text == url


def test_an_address_with_an_18_character_host_fits_the_code() -> None:
    host = "pj.example.gov.cn1"
    assert len(host) == 18
    assert len(f"https://{host}/e/{'a' * LENGTH}".encode()) <= 62


@pytest.mark.parametrize("url", [URL, LONGEST])
def test_the_code_is_version_4_at_most_at_level_m(url: str) -> None:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M)
    code.add_data(url, optimize=0)
    code.make(fit=True)
    assert code.version <= 4
    assert len(qr.matrix(url)) == 17 + 4 * code.version + 2 * qr.QUIET
    found = read(Image.open(io.BytesIO(qr.png(url))))
    assert "M" in str(found.ec_level)


def test_the_quiet_zone_is_four_modules_and_white() -> None:
    rows = qr.matrix(URL)
    edge = [*range(4), *range(len(rows) - 4, len(rows))]
    assert not any(rows[y][x] or rows[x][y] for y in edge for x in range(len(rows)))


def test_the_png_has_6_dots_a_module_and_says_203_dpi() -> None:
    image = Image.open(io.BytesIO(qr.png(URL)))
    assert image.size == (len(qr.matrix(URL)) * 6,) * 2
    assert image.mode == "1"
    assert [round(dpi) for dpi in image.info["dpi"]] == [203, 203]


def test_a_drawing_holds_nothing_but_its_address() -> None:
    assert "http" not in qr.svg(URL).replace("http://www.w3.org/2000/svg", "")
    assert qr.svg(URL) == qr.svg(URL)
    assert qr.png(URL) == qr.png(URL)


# The printer


def commands(data: bytes) -> list[tuple[int, int, bytes]]:
    """Every GS ( k: (cn, fn, parameters)."""
    found, at = [], 0
    while (at := data.find(b"\x1d(k", at)) >= 0:
        length = data[at + 3] + 256 * data[at + 4]
        body = data[at + 5 : at + 5 + length]
        found.append((body[0], body[1], body[2:]))
        at += 5 + length
    return found


def test_the_printer_draws_a_model_2_code_of_6_dots_at_level_m_with_our_address() -> None:
    wanted = commands(qr.escpos(SLIP))
    assert {cn for cn, _, _ in wanted} == {49}
    by_function = {fn: parameters for _, fn, parameters in wanted}
    assert by_function[65] == bytes([50, 0])  # model 2
    assert by_function[67] == bytes([6])
    assert by_function[69] == bytes([49])  # level M
    assert by_function[80] == b"0" + URL.encode()
    assert by_function[81] == b"0"
    assert [fn for _, fn, _ in wanted][-2:] == [80, 81], "stored, then printed"


def test_the_code_and_its_quiet_zone_fit_on_58_mm_paper() -> None:
    assert len(qr.matrix(LONGEST)) * qr.DOTS <= 384


def printed(slip: qr.Slip) -> list[str]:
    """The lines of text between the commands, as a printer in Chinese mode would read them."""
    data = re.sub(rb"\x1d\(k(..)", b"", qr.escpos(slip), flags=re.DOTALL)
    return [line.decode("gb18030") for line in re.findall(rb"\x1c&([^\n]*)\n", data)]


def test_chinese_is_printed_as_gb18030() -> None:
    text = "\n".join(printed(SLIP))
    for words in ("住房保障局", "公租房申请", "市民中心 1号窗口", "2026-11-21 10:08", "2026-11-28"):
        assert words in text


def test_rare_characters_are_printed_too() -> None:
    """People and villages are called so: GBK alone would print question marks."""
    assert "部门：㙍𠮷镇𬭎局" in printed(qr.Slip("㙍𠮷镇𬭎局", "", "", "", URL, ""))


def test_an_empty_line_is_left_out() -> None:
    text = "\n".join(printed(qr.Slip("", "公租房申请", "", "", URL, "2026-11-28")))
    assert "部门" not in text
    assert "地点" not in text


@pytest.mark.parametrize(
    "evil", ["\x1b@", "\x1d(k", "\x10\x14\x01", "\n\x1dV\x00", "\x00", "\x1c.", "\u202e"]
)
def test_no_name_can_send_a_command_to_the_printer(evil: str) -> None:
    plain = qr.escpos(qr.Slip("住房局", "公租房", "窗口", "", URL, ""))
    hostile = qr.escpos(qr.Slip(f"住房{evil}局", f"公租{evil}房", f"{evil}窗口", "", URL, ""))
    controls = [byte for byte in plain if byte < 0x20]
    assert [byte for byte in hostile if byte < 0x20] == controls
