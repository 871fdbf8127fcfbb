"""CSV as spreadsheet programs write and read it: bytes ↔ numbered rows of cells."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

_BOM = b"\xef\xbb\xbf"
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
"""What a spreadsheet program would calculate, however often it has been guarded already."""
_SAYINGS = {
    "end of data": "引号没有配对：从这里到文件末尾都成了一格",
    "expected after": "引号没有配对：引号后面应是逗号",
    "field larger": "有一格长得不像一格，多半是引号没有配对",
}


class Unreadable(ValueError):
    """The file is no table; the message names the place."""

    def __init__(self, row: int, detail: str) -> None:
        super().__init__(detail)
        self.row, self.detail = row, detail


def decode(data: bytes) -> str:
    """UTF-8 or GB18030, strictly."""
    try:
        return data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        if data.startswith(_BOM) or _is_mostly_utf8(data):
            start = error.start + len(data) - len(data.removeprefix(_BOM))
            raise _undecodable(data, start, "UTF-8 编码有损坏") from None
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise _undecodable(data, error.start, "既不是 UTF-8 也不是 GB18030 编码") from None


def _is_mostly_utf8(data: bytes) -> bool:
    """GB18030 takes almost any bytes: a damaged UTF-8 file would come in as gibberish."""
    attempt = data.decode("utf-8", "replace")
    return len(re.findall("[\u3000-\u9fff\uff00-\uffef]", attempt)) > attempt.count("\ufffd")


def _undecodable(data: bytes, start: int, words: str) -> Unreadable:
    row = data.count(b"\n", 0, start) + 1
    return Unreadable(row, f"文件{words}：第 {start + 1} 个字节是 0x{data[start]:02X}")


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Numbered as a spreadsheet program numbers them; blank ones are left out."""
    row = 0
    try:
        for row, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), 1):
            plain = [_unguarded(cell.strip()) for cell in cells]
            if any(plain):
                yield row, plain
    except csv.Error as error:
        said = (words for sign, words in _SAYINGS.items() if sign in str(error))
        raise Unreadable(row + 1, next(said, "这一行不是 CSV")) from None


def write(table: Iterable[Sequence[str]]) -> bytes:
    """With a BOM, so that spreadsheet programs take it for UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_guarded(cell) for cell in cells] for cells in table)
    return _BOM + out.getvalue().encode()


def _guarded(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
