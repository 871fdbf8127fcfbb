"""What a person typed into a page's form: never trusted, never lost."""

from urllib.parse import parse_qs

from sanic import Request

from server.kit.errors import Fault, Invalid, TooLarge
from server.kit.forms import refuse_nul
from server.kit.web import BODY_LIMIT

MOST_FIELDS = 200
Fields = dict[str, list[str]]


class BadForm(Invalid):
    code = "invalid_form"
    title = "表单内容有误"


def fields(request: Request) -> Fields:
    """Every value of every field. A line end counts as one character, as in the browser's own count."""
    if len(request.body) > BODY_LIMIT:
        raise TooLarge(f"内容最多 {BODY_LIMIT // 1024} KiB")
    try:
        read = parse_qs(
            request.body.decode(errors="replace"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        fault = Fault("", "too_many", f"表单最多 {MOST_FIELDS} 个字段")
        raise BadForm(errors=[fault]) from None
    refuse_nul(read)
    return {name: [value.replace("\r\n", "\n") for value in read[name]] for name in read}


def only(given: Fields, name: str, default: str = "") -> str:
    """A field that may stand once; twice is as good as not at all."""
    values = given.get(name, [])
    return values[0] if len(values) == 1 else default
