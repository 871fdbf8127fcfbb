# ruff: noqa: E501
"""What is not on the allow-list is not written, whoever logs it."""

import json
import logging
from collections.abc import Iterator

import pytest

from server.kit.log import FIELDS, AllowListed, request_id, set_up

PHONE = "13800138000"


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Everything that would have been written, from any logger, as it would have been."""
    written: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler, root = Kept(), logging.getLogger()
    handler.setFormatter(AllowListed())
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize(
    "name", ["server.reviews.service", "tortoise.db_client", "sanic.error", "x", "root"]
)
def test_an_argument_of_a_log_line_is_not_written(lines: list[str], name: str) -> None:
    log = logging.getLogger(name)
    log.propagate = True
    log.warning("stored %s for %r", PHONE, {"name": "王小明"})
    (line,) = lines
    assert PHONE not in line
    assert "王小明" not in line
    assert json.loads(line)["event"] == "stored %s for %r"


def test_a_field_that_is_not_on_the_list_is_not_written(lines: list[str]) -> None:
    logging.getLogger("server.x").warning(
        "sent", extra={"phone": PHONE, "status": 200, "to": PHONE}
    )
    assert PHONE not in lines[0]
    assert json.loads(lines[0])["status"] == 200


def test_the_message_of_an_error_is_not_written_but_its_place_is(lines: list[str]) -> None:
    try:
        raise ValueError(f"Key (phone)=({PHONE}) already exists")
    except ValueError as cause:
        try:
            raise RuntimeError(f"no message to {PHONE}") from cause
        except RuntimeError:
            logging.getLogger("server.x").exception("job failed")
    (line,) = lines
    assert PHONE not in line
    assert "RuntimeError at test_log.py" in json.loads(line)["error"]


@pytest.mark.parametrize("message", [ValueError(PHONE), f"GET /e/{PHONE}", {"phone": PHONE}])
def test_a_foreign_line_without_arguments_says_only_its_type(
    lines: list[str], message: object
) -> None:
    """A library that formats by itself could have put anything into its message."""
    logging.getLogger("some.library").error(message)
    assert PHONE not in lines[0]


def test_what_our_own_code_logs_that_is_not_a_text_is_not_written(lines: list[str]) -> None:
    logging.getLogger("server.x").error(ValueError(f"no message to {PHONE}"))
    assert PHONE not in lines[0]


def test_the_stack_and_a_line_feed_do_not_make_a_second_line(lines: list[str]) -> None:
    logging.getLogger("server.x").error("a\nb", stack_info=True, extra={"reason": "c\nd"})
    assert "\n" not in lines[0]


def test_a_line_says_which_request_it_belongs_to(lines: list[str]) -> None:
    token = request_id.set("abc123")
    logging.getLogger("server.x").warning("x")
    request_id.reset(token)
    assert json.loads(lines[0])["request_id"] == "abc123"


def test_no_field_on_the_list_could_hold_a_person() -> None:
    forbidden = {
        "phone",
        "name",
        "code",
        "path",
        "url",
        "query",
        "body",
        "words",
        "comment",
        "ip",
        "token",
    }
    assert not forbidden & set(FIELDS)


def test_access_lines_of_the_server_are_never_written() -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    kept = {name: (logging.getLogger(name).propagate, logging.getLogger(name).level,
                   logging.getLogger(name).handlers[:])
            for name in ("sanic.root", "sanic.error", "sanic.access", "sanic.server", "sanic.websockets")}  # fmt: skip
    try:
        set_up()
        access = logging.getLogger("sanic.access")
        assert not access.propagate
        assert not access.handlers
        assert all(isinstance(h.formatter, AllowListed) for h in root.handlers)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, (propagate, old, old_handlers) in kept.items():
            logger = logging.getLogger(name)
            logger.propagate, logger.handlers[:] = propagate, old_handlers
            logger.setLevel(old)
