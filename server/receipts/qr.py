"""The receipt's QR code as SVG, PNG and printer bytes: level M, at most version 4, 6 dots a module.

At 203 dpi 6 dots are 0.75 mm: with its quiet zone a version 4 code is about 31 mm wide and fits on
58 and 80 mm paper; below 6 dots blurred scans begin to fail.
"""

import io
from dataclasses import dataclass

import qrcode
from escpos.printer import Dummy
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M

DOTS = 6
QUIET = 4
_MASK = 3
"""Any mask is readable; trying all eight to find the prettiest costs five times the rest."""
_CHINESE_ON = b"\x1c&"
_LEVEL_M = 1
_CUT_FEED = b"\n\n\n\n"


@dataclass(frozen=True)
class Slip:
    """What is printed around the code; every line may be empty."""

    agency: str
    matter: str
    place: str
    handled_at: str
    url: str
    open_until: str


def matrix(url: str) -> list[list[bool]]:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET, mask_pattern=_MASK)
    code.add_data(url, optimize=0)
    code.make(fit=True)
    return code.get_matrix()


def svg(url: str) -> str:
    """Runs of dark modules as one path; crisp at any size."""
    rows = matrix(url)
    size = len(rows)
    path = "".join(
        f"M{x} {y}h{width}v1h-{width}z" for y, row in enumerate(rows) for x, width in _runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" '
        f'width="{size * DOTS}" height="{size * DOTS}" role="img" aria-label="评价二维码" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
        f'<path d="{path}"/></svg>'
    )


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((x, 1))
    return runs


def png(url: str) -> bytes:
    """One bit a pixel, DOTS pixels a module, marked as 203 dpi."""
    rows = matrix(url)
    size = len(rows)
    image = Image.new("1", (size, size), 1)
    image.putdata([0 if dark else 255 for row in rows for dark in row])
    out = io.BytesIO()
    image.resize((size * DOTS, size * DOTS), Image.Resampling.NEAREST).save(
        out, "PNG", dpi=(203, 203), optimize=True
    )
    return out.getvalue()


def escpos(slip: Slip) -> bytes:
    """Bytes for a receipt printer: native QR (GS ( k), Chinese as GB18030."""
    printer = Dummy()
    printer.set(align="center", bold=True)
    _write(printer, "办 事 回 执")
    printer.set(align="left", bold=False)
    for label, text in (
        ("部门", slip.agency), ("事项", slip.matter), ("地点", slip.place), ("时间", slip.handled_at),
    ):  # fmt: skip
        if text:
            _write(printer, f"{label}：{text}")
    printer.set(align="center")
    _write(printer, "请扫码评价本次服务")
    printer.qr(slip.url, ec=_LEVEL_M, size=DOTS, native=True)
    printer.set(align="center")
    _write(printer, f"{slip.open_until} 前有效，评价对窗口保密")
    printer._raw(_CUT_FEED)
    printer.cut()
    return bytes(printer.output)


def _write(printer: Dummy, text: str) -> None:
    """The library's code tables lack GBK; its text() would print question marks."""
    printable = "".join(char for char in text if char.isprintable())
    printer._raw(_CHINESE_ON + printable.encode("gb18030", "replace") + b"\n")
