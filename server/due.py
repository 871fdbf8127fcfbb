"""`python -m server due START N working|natural [--calendar FILE]`: one deadline, in the shell."""

import re
import sys
from datetime import datetime
from pathlib import Path

from server.catalogue.calendar import BadCalendar, Calendar, YearNotLoaded, parse_year, shipped
from server.kit.clock import BEIJING
from server.workorders.deadlines import Unit, due

OK, BAD_INPUT, NOT_LOADED = 0, 2, 3

# datetime.fromisoformat alone would take any character between the day and the time.
_START = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII
)


class _BadInput(Exception):
    """What the caller typed cannot be used; the message says which part."""


def run(start: str, n: str, unit: str, calendar_file: str | None) -> int:
    """Prints the due time and returns the exit code: 0, 2 (bad input), 3 (year not loaded)."""
    try:
        calendar = _calendar(calendar_file)
        print(due(_start(start), _days(n), _unit(unit), calendar).isoformat())
    except _BadInput as bad:
        return _refuse(str(bad), BAD_INPUT)
    except YearNotLoaded as missing:
        hint = f"请用 --calendar FILE 加入 {missing.year} 年（holiday-cn 格式的 JSON 文件）"
        return _refuse(f"{missing}，算不出工作日。{hint}。", NOT_LOADED)
    except ValueError as bad:  # a day or a number that no limit can have
        return _refuse(f"START 或 N 不能用：{bad}", BAD_INPUT)
    return OK


def _refuse(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _start(written: str) -> datetime:
    text = written.strip().upper()
    if not _START.fullmatch(text):
        raise _BadInput(f"START 应是日期或 ISO 8601 时间，例如 2026-02-13，现在是 {written!r}")
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise _BadInput(f"START 的 {written!r} 这个时间不存在") from None
    return start if start.tzinfo else start.replace(tzinfo=BEIJING)


def _days(written: str) -> int:
    # int() alone would also take "1_0", " 1" and full-width digits.
    if not re.fullmatch(r"[0-9]{1,9}", written):
        raise _BadInput(f"N 应是不小于 0 的整数，现在是 {written[:40]!r}")
    return int(written)


def _unit(written: str) -> Unit:
    try:
        return Unit(written)
    except ValueError:
        raise _BadInput(f"单位应是 working 或 natural，现在是 {written!r}") from None


def _calendar(file: str | None) -> Calendar:
    """The shipped years and the caller's; his year replaces ours."""
    calendar = Calendar.of(shipped())
    if file is None:
        return calendar
    try:
        return calendar.with_year(parse_year(Path(file).read_bytes()))
    except BadCalendar as bad:
        raise _BadInput(f"日历文件 {file} 不能用：{bad}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _BadInput(f"日历文件 {file} 读不了：{reason}") from None
