"""Writes what the mini-program shares with the web page: words, colours, faces, from the page's own sources.

PYTHONPATH=. .venv/bin/python tests/mpweb/words.py
"""

import ast
import json
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, nodes

import server
from server.integrity import pressures
from server.integrity.rules import HOW_NAMES
from server.kit import query_codes as codes
from server.kit.errors import Fault, Limited, Refusal, TooLarge, Unavailable
from server.receipts.codes import UnknownCode
from server.receipts.rules import ReviewClosed
from server.reviews import questionnaire, rules
from server.reviews.api import BadPhone
from server.reviews.progress import CITIZEN_WORDS, FOLLOWED
from server.reviews.voices import NotAReview
from server.web.citizen import LevelRequired
from server.web.track import STATES, VerdictRequired
from server.workorders.rules import BlankText, IllegalMove

WEB = Path(server.__file__).parent / "web"
ROOT = Path(__file__).parents[2]
MINIPROGRAM = ROOT / "miniprogram"
INLINE = re.compile(r"</?(?:a|b|span|wbr)\b[^>]*>")
"""Tags that stand inside a sentence; any other ends it."""

SENTENCES = {
    "_receipt.html": {"matter": "事项", "agency": "部门", "window": "窗口", "day": "日期"},
    "_track_form.html": {
        "query_code_label": "查询编码（", "query_code_help": "评价或反映提交后显示的", "look_up": "查询进度",
    },
    "_track_parts.html": {
        "order_number": "工单号", "responsible": "责任部门", "due": "答复期限", "provisional": "（暂定",
        "query_code": "查询编码", "keep": "请截图", "ask_more": "再回答几个",
    },
    "base.html": {
        "name": "政务服务", "large": "关怀模式", "standard": "标准模式", "voluntary": "评不评价",
    },
    "closed.html": {
        "closed": "这次服务的评价", "closed_until": "可以评价的时间到", "closed_over": "为止",
        "closed_else": "有意见仍然",
    },
    "home.html": {
        "home": "办完事", "home_how": "在政务服务大厅", "bad_then": "差评会怎样", "bad_first": "评价成为工单",
        "bad_second": "凭查询编码", "bad_third": "对答复不满意",
    },
    "questionnaire.html": {
        "questionnaire": "再回答几个", "questionnaire_means": "答不答", "skip": "跳过",
        "send_answers": "提交回答", "open_comment": "（可不写，", "open_until": "可以答到",
    },
    "grievance.html": {"grieved": "您反映的", "kind": "类型", "function": "功能"},
    "questionnaire_over.html": {
        "answered": "谢谢您的回答", "answered_for": "您的回答已经", "back": "回到我的评价",
    },
    "review.html": {
        "review": "请评价", "ask_level": "您满意吗", "ask_reason": "请选择原因", "may_reason": "原因（",
        "more_reasons": "更多原因", "comment": "想说的话", "ask_name": "匿名还是", "anonymous_means":
        "匿名：", "real_name_means": "实名：", "person": "姓名", "phone": "手机号", "submit": "提交评价",
        "free_until": "评不评价全凭自愿。",
    },
    "review_confirm.html": {
        "confirm": "请确认", "reasons": "原因", "your_words": "您的话", "way": "方式", "real_name": "实名",
        "anonymous": "匿名", "phone_of_receipt": "，用办事时留的", "becomes_order": "提交后会",
        "confirm_send": "确认提交", "change": "返回修改",
    },
    "reviewed.html": {
        "reviewed": "这次服务已经", "reviewed_once": "每次服务只评一次", "not_mine": "您没有评过",
        "not_mine_how": "用办事时登记的",
    },
    "objection.html": {
        "not_me": "不是我评的", "not_me_means": "这次服务已经有", "not_me_then": "原来那条", "not_me_asked":
        "如果这就是", "not_me_valid": "分钟内有效", "not_me_phone": "办事时登记的手机号", "not_me_proof":
        "短信里的验证码", "not_me_prove": "核对，", "not_me_resend": "重新发送验证码", "not_me_send":
        "发送验证码", "not_me_late": "没有收到", "not_me_else": "办事时没有登记",
    },
    "pressure.html": {
        "pressed": "被要求好评", "pressed_means": "有人要求您", "pressed_how": "是怎样的", "pressed_words":
        "经过（", "pressed_send": "提交", "pressed_private": "姓名、电话等",
    },
    "pressure_followed.html": {
        "pressed_checking": "正在核查", "pressed_checked": "已核查", "pressed_until": "以前核查完",
        "pressed_at": "反映时间", "pressed_keep": "请截图", "pressed_unseen": "窗口和部门看不到",
    },
    "thanks.html": {
        "thanks": "谢谢", "order_made": "已转成工单", "mistaken": "评错了", "undo_until": "以前可以撤回",
        "undo": "撤回这次评价",
    },
    "track.html": {
        "progress": "办理进度", "yours": "您的评价", "overdue": "已超过", "ask_verdict": "对答复满意吗",
        "verdict_comment": "想说的话", "content": "满意，", "not_content": "不满意，",
        "asked_you": "部门在等您",
        "steps": "每一步", "excluded": "这条评价经", "level": "满意度",
        "time": "时间", "supplement": "补充", "may_supplement": "补充说明（", "send_supplement": "提交补充",
        "talk": "和部门的对话", "talk_private": "您写的电话", "you": "您", "them": "部门",
        "answer_them": "回答部门的问题", "write_them": "给部门留言", "send": "发送",
        "recall_means": "您被随机抽中", "recall_why": "哪里不满意", "recall_yes": "确实满意",
        "recall_no": "其实不满意", "desk_first": "先接待您的", "desk_asked": "，您满意吗", "yes": "满意",
        "no": "不满意",
    },
    "track.py": {"verdict_reason": "不满意，请写下"},
    "track_form.html": {"track": "查询办理进度", "compare": "请对照", "lost": "编码丢了"},
    "wall.html": {
        "ask_matter": "您办的是", "search_matter": "输入事项", "find_matter": "查找事项",
        "no_matter": "不选，", "place": "地点", "case_label": "办件编号（", "wall_means": "这是大厅墙上",
    },
    "wall_confirm.html": {"case_number": "办件编号", "not_chosen": "没有选"},
    "undone.html": {
        "undone": "评价已经撤回", "unseen": "。部门没有", "again_once": "您可以重新", "again": "重新评价",
        "too_late": "可以评价的时间已过",
    },
}  # fmt: skip
"""Where a sentence stands and how it begins; how it goes on is read there."""

REFUSALS: tuple[type[Refusal], ...] = (
    UnknownCode, ReviewClosed, rules.AlreadyReviewed, rules.ReasonRequired, rules.TagNotOfLevel,
    rules.ContactRequired, rules.CommentTooLong, rules.AlreadyUndone, rules.UndoClosed,
    rules.SupplementTooEarly, rules.AlreadySupplemented, rules.NothingToJudge, codes.UnknownQueryCode,
    rules.NobodyToTalkTo, rules.TooManyMessages, rules.NoCallBack, BadPhone, BlankText, IllegalMove,
    LevelRequired, VerdictRequired, NotAReview, Limited, TooLarge, Unavailable, questionnaire.AnswerRequired,
    pressures.HowRequired,
)  # fmt: skip


@cache
def sentences(file: str) -> list[str]:
    if file.endswith(".py"):
        tree = ast.parse((WEB / file).read_text())
        return [
            n.value for n in ast.walk(tree)
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]  # fmt: skip
    parsed = Environment(autoescape=True).parse((WEB / "templates" / file).read_text())
    found: list[str] = []
    for node in parsed.find_all((nodes.TemplateData, nodes.Const)):
        text = node.data if isinstance(node, nodes.TemplateData) else node.value
        if isinstance(text, str):
            found += re.split(r"<[^>]*>?|\n", INLINE.sub("", text))
    return [sentence.rpartition(">")[2].strip() for sentence in found]


def said(file: str, beginning: str) -> str:
    """The shortest, so that a name is not taken for the sentence that explains it."""
    fitting = {s for s in sentences(file) if s.startswith(beginning)}
    if not fitting:
        raise LookupError(f"{file} no longer says “{beginning}…”: mend SENTENCES in {__file__}")
    return min(fitting, key=len).lstrip("，。 ").strip()


def words() -> dict[str, str]:
    found = {
        key: said(file, beginning)
        for file, begun in SENTENCES.items() for key, beginning in begun.items()
    }  # fmt: skip
    return dict(sorted(found.items())) | {"reason_required": _fault_of_a_bare_bad_review().detail}


def _fault_of_a_bare_bad_review() -> Fault:
    try:
        rules.check_reason(rules.Level.BAD, [], "")
    except rules.ReasonRequired as refusal:
        return refusal.errors[0]
    raise AssertionError


def words_ts() -> str:
    def constant(name: str, value: object) -> str:
        return f"export const {name} = {json.dumps(value, ensure_ascii=False, indent=2)} as const\n"

    levels = [{"level": level, "name": rules.LEVEL_NAMES[level]} for level in (5, 4, 3, 2, 1)]
    how = [{"code": code, "name": name} for code, name in HOW_NAMES.items()]
    refusals = {refusal.code: refusal.title for refusal in REFUSALS}
    return "\n".join((
        "// Made by tests/mpweb/words.py from the words of the web page. Do not edit.\n",
        constant("words", words()), constant("LEVELS", levels), constant("STATES", STATES),
        constant("REFUSALS", dict(sorted(refusals.items()))), constant("HOW", how),
        f"export const ANSWERED = '{CITIZEN_WORDS['answer']}'", f"export const FOLLOWED = '{FOLLOWED}'",
        f"export const COMMENT_LIMIT = {rules.COMMENT_LIMIT}",
        f"export const QUERY_CODE_LENGTH = {codes.LENGTH}\n",
    ))  # fmt: skip


def colours() -> dict[int, str]:
    css = (WEB / "static" / "site.css").read_text()
    return {int(n): colour for n, colour in re.findall(r"\.l([1-5])\{color:(#[0-9a-f]{6})\}", css)}


def colours_wxss() -> str:
    lines = [f".l{level} {{ color: {colour}; }}" for level, colour in sorted(colours().items())]
    return "\n".join(("/* Made by tests/mpweb/words.py. Do not edit. */", *lines, ""))


def faces() -> dict[str, str]:
    """Each level as a drawing in its colour: the outline, and filled when it is chosen."""
    template = (WEB / "templates" / "_face.html").read_text()
    mouths = {int(n): path for n, path in re.findall(r"(\d): \"(M[^\"]+)\"", template)}
    circle = re.search(r"<circle ([^/]+)/>", template)
    assert circle and sorted(mouths) == [1, 2, 3, 4, 5], "the faces are drawn in another way now"
    round_ = re.sub(r"(\w+)=(\d+)", r'\1="\2"', circle[1]).strip()
    drawn = {}
    for level, colour in colours().items():
        for name, fill, stroke in (("", "#ffffff", colour), ("-chosen", colour, "#ffffff")):
            drawn[f"face-{level}{name}.svg"] = (
                '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" width="96" height="96" '
                f'fill="none" stroke-width="3" stroke-linecap="round"><circle {round_} fill="{fill}" '
                f'stroke="{colour}"/><path d="{mouths[level]}" stroke="{stroke}"/></svg>\n'
            )
    return drawn


def made() -> dict[Path, str]:
    """Every generated file, by its place below `miniprogram/`."""
    return {
        Path("words.ts"): words_ts(), Path("colours.wxss"): colours_wxss(),
        **{Path("assets") / name: drawing for name, drawing in faces().items()},
    }  # fmt: skip


if __name__ == "__main__":
    for place, content in made().items():
        (MINIPROGRAM / place).parent.mkdir(parents=True, exist_ok=True)
        (MINIPROGRAM / place).write_text(content)
    print(f"{len(made())} files below {MINIPROGRAM.name}/")
