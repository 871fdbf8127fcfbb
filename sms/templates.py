"""What the provider would refuse, said before it is sent, and what a message costs.

The rules: help.aliyun.com/document_detail/463270.htm (通知短信模板规范)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

ONE_MESSAGE, EACH_PART, LONGEST_VARIABLE, LONGEST_TEMPLATE = 70, 67, 35, 500

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}")
# Links must be fixed text of the template. A bare domain counts, "3.5分" and "A12.3" do not.
_LINK = re.compile(
    r"://|www\.|(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)"
    r"|[a-z0-9-]\.(?:com|cn|net|org|gov|edu|info|top|xyz|vip|club|site|shop|link|cc|io|me|tv)"
    r"(?![a-z0-9])",
    re.ASCII | re.IGNORECASE,
)
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse: the provider's code for it, the placeholder, words for a person.
    The words name the placeholder, never its value."""

    code: str
    placeholder: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Checked:
    text: str = field(repr=False)
    characters: int
    messages: int
    problems: tuple[Problem, ...]


def check(sign: str, template: str, variables: Mapping[str, str]) -> Checked:
    """The finished message, its counts, and all that the provider would refuse in it."""
    text = render(sign, template, variables)
    problems = (*check_wording(template), *_check_variables(template, variables))
    return Checked(text, count_characters(text), count_messages(text), problems)


def placeholders(template: str) -> tuple[str, ...]:
    """Their names, in the order of the text."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(template)))


def check_wording(template: str) -> Iterator[Problem]:
    """What is wrong with a template whatever its variables are: for the day it is written."""
    found = list(_PLACEHOLDER.finditer(template))
    names = [match.group(1) for match in found]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield _problem("isv.SMS_TEMPLATE_ILLEGAL", name, "在模板中出现了两次，每个变量只能用一次")
    for left, right in pairwise(found):
        if not template[left.end() : right.start()].strip():
            words = f"与变量 {right.group(1)} 紧挨着，中间必须有文字"
            yield _problem("isv.SMS_TEMPLATE_ILLEGAL", left.group(1), words)
    rest = _PLACEHOLDER.sub("", template)
    if "${" in rest:
        yield _problem(
            "isv.SMS_TEMPLATE_ILLEGAL", None, "模板中有写错的变量，应为 ${字母开头的名字}"
        )
    if not rest.strip():
        yield _problem("isv.SMS_TEMPLATE_ILLEGAL", None, "模板不能只有变量")
    if "【" in rest or "】" in rest:
        yield _problem("isv.SMS_TEMPLATE_ILLEGAL", None, "模板正文不能使用【】，以免与签名混淆")
    if len(template) > LONGEST_TEMPLATE:
        yield _problem("isv.SMS_TEMPLATE_ILLEGAL", None, f"模板超过 {LONGEST_TEMPLATE} 个字符")


def _check_variables(template: str, variables: Mapping[str, str]) -> Iterator[Problem]:
    names = placeholders(template)
    for name in names:
        if name not in variables:
            yield _problem("isv.TEMPLATE_MISSING_PARAMETERS", name, "没有给出内容")
        else:
            yield from _check_value(name, variables[name])
    # Not refused by the provider, but what no one will read should not leave the house.
    for name in variables.keys() - set(names):
        yield _problem("isv.TEMPLATE_PARAMS_ILLEGAL", name, "不在模板中，不应发送")


def _check_value(name: str, value: str) -> Iterator[Problem]:
    if not value.strip():
        yield _problem(
            "isv.PARAM_LENGTH_LIMIT", name, f"是空的，应为 1 至 {LONGEST_VARIABLE} 个字符"
        )
    elif count_characters(value) > LONGEST_VARIABLE:
        yield _problem("isv.PARAM_LENGTH_LIMIT", name, f"超过 {LONGEST_VARIABLE} 个字符")
    if _LINK.search(value):
        yield _problem("isv.PARAM_NOT_SUPPORT_URL", name, "含有链接，链接只能写在模板的固定文字里")
    if "【" in value or "】" in value:
        yield _problem("isv.TEMPLATE_PARAMS_ILLEGAL", name, "含有【】，会与签名混淆")
    if _INVISIBLE.search(value):
        yield _problem("isv.UNSUPPORTED_CONTENT", name, "含有看不见的字符")


def _problem(code: str, placeholder: str | None, words: str) -> Problem:
    return Problem(code, placeholder, f"变量 {placeholder} {words}" if placeholder else words)


def render(sign: str, template: str, variables: Mapping[str, str]) -> str:
    """What the phone shows. A placeholder without content stays visible as it is."""
    body = _PLACEHOLDER.sub(lambda found: variables.get(found.group(1), found.group(0)), template)
    return f"【{sign}】{body}"


def count_characters(text: str) -> int:
    """As the network counts: UCS-2 units, so that an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def count_messages(text: str) -> int:
    """What is paid for: up to 70 characters one message, else 67 in each part."""
    characters = count_characters(text)
    return 1 if characters <= ONE_MESSAGE else -(-characters // EACH_PART)
