"""One good call for every operation of the API, on a target of its own each time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from factories import (
    HOUSING,
    JOINT_MATTER,
    LABOUR,
    SMS_SECRET,
    City,
    a_bad_review,
    a_receipt,
    credentials,
)  # fmt: skip

from server.kit import sql
from server.kit.web import Operation
from server.reviews import kiosks


def all_operations() -> dict[str, Operation]:
    from server.app import DOORS  # noqa: PLC0415  the app is whatever it is when the test runs

    return {operation.name: operation for door in DOORS for operation in door.operations}


@dataclass(frozen=True, kw_only=True)
class Call:
    method: str
    path: str
    body: Any = None
    files: Any = None
    """Of a form, instead of a body."""
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, http: httpx.AsyncClient) -> httpx.Response:
        return await http.request(
            self.method, self.path, json=self.body, files=self.files, headers=self.headers
        )


@dataclass(frozen=True)
class Scene:
    """A city, and the client through which its things are made."""

    http: httpx.AsyncClient
    city: City
    kept: dict[str, dict[str, str]] = field(default_factory=dict)

    async def staff(self, username: str) -> dict[str, str]:
        if username not in self.kept:
            self.kept[username] = await self.city.staff(self.http, username)
        return self.kept[username]

    async def citizen(self, openid: str = "demo:wang") -> dict[str, str]:
        """Headers of one who signed in from the mini-program."""
        answer = await self.http.post("/api/v1/wechat/login", json={"code": openid})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def rated(
        self, *, undo_is_over: bool = False, **changed: Any
    ) -> tuple[str, dict[str, Any]]:
        """A review's code and what its citizen got."""
        code = await self.city.code(self.http)
        answer = await self.http.post(f"/api/v1/e/{code}/review", json=a_bad_review(**changed))
        assert answer.status_code == 201, answer.text
        taken = answer.json()
        if undo_is_over:
            await undo_time_is_over(taken)
        return code, taken

    async def order(self, *moves: str) -> dict[str, Any]:
        """An order that the agency sees, after these moves; with its citizen's query code."""
        _, taken = await self.rated(undo_is_over=True)
        taken["number"] = taken["work_order"]["number"]
        for move in moves:
            await self.move(taken, move)
        return taken

    async def joint(self) -> dict[str, Any]:
        """An order of LABOUR in which HOUSING has a part."""
        code = await self.city.code(self.http, LABOUR, matter_code=JOINT_MATTER)
        answer = await self.http.post(f"/api/v1/e/{code}/review", json=a_bad_review())
        taken = answer.json()
        await undo_time_is_over(taken)
        return taken | {"number": taken["work_order"]["number"]}

    async def move(self, taken: dict[str, Any], move: str) -> None:
        """As whoever usually makes it."""
        who, body = USUAL[move]
        path = f"/api/v1/work-orders/{taken['number']}/{move}"
        if who == "citizen":
            path = f"/api/v1/track/{taken['query_code']}/confirmation"
        headers = {} if who == "citizen" else await self.staff(who)
        answer = await self.http.post(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text


USUAL: dict[str, tuple[str, dict[str, Any]]] = {
    "accept": ("handler", {}),
    "answer": ("handler", {"disposition": "fixed", "text": "已整改"}),
    "return": ("lead", {"agency_code": LABOUR, "reason": "事项由该部门负责"}),
    "ask": ("handler", {"text": "请问是哪个窗口？"}),
    "extend": ("lead", {"working_days": 3, "reason": "需要调取监控"}),
    "confirm": ("citizen", {"satisfied": True}),
    "contest": ("citizen", {"satisfied": False, "comment": "没有解决"}),
    "supervise": ("supervisor", {"text": "限三日内重新答复"}),
}
"""Move → who usually makes it, and with what."""


async def undo_time_is_over(taken: dict[str, Any]) -> None:
    """In the database, since two processes do not share the demo's clock."""
    number = (taken["work_order"] or {}).get("number", "")
    earlier = "- interval '11 minutes'"
    await sql.fetch(
        f"UPDATE reviews SET at = at {earlier}, undo_until = undo_until {earlier} WHERE order_number = $1",
        number,
    )
    await sql.fetch(
        f"UPDATE work_orders SET visible_from = visible_from {earlier} WHERE number = $1", number
    )
    await sql.fetch(f"UPDATE work_order_steps SET at = at {earlier} WHERE order_id = $1", number)


async def _client_token(s: Scene) -> Call:
    body = {"client_id": f"c-{HOUSING}", "client_secret": s.city.secrets[HOUSING]}
    return Call(method="POST", path="/api/v1/token", body=body)


async def _staff_login(s: Scene) -> Call:
    return Call(method="POST", path="/api/v1/staff/login", body=credentials("handler"))


async def _issue_receipt(s: Scene) -> Call:
    headers = await s.city.system(s.http)
    return Call(method="POST", path="/api/v1/receipts", body=a_receipt(), headers=headers)


async def _issue_receipts(s: Scene) -> Call:
    body = {"receipts": [a_receipt(), a_receipt(channel="online", window_code=None)]}
    headers = await s.city.system(s.http)
    return Call(method="POST", path="/api/v1/receipts/batch", body=body, headers=headers)


def _of_receipt(suffix: str) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        number = (await s.city.receipt(s.http))["receipt_id"]
        headers = await s.city.system(s.http)
        return Call(method="GET", path=f"/api/v1/receipts/{number}{suffix}", headers=headers)

    return call


def _of_code(
    path: str, method: str = "GET", body: Any = None
) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        return Call(method=method, path=path.format(await s.city.code(s.http)), body=body)

    return call


async def _undo_review(s: Scene) -> Call:
    code, taken = await s.rated()
    body = {"query_code": taken["query_code"]}
    return Call(method="POST", path=f"/api/v1/e/{code}/undo", body=body)


async def _track(s: Scene) -> Call:
    taken = await s.order("accept", "answer")
    return Call(method="GET", path=f"/api/v1/track/{taken['query_code']}")


async def _supplement_review(s: Scene) -> Call:
    _, taken = await s.rated(undo_is_over=True)
    path = f"/api/v1/track/{taken['query_code']}/supplement"
    return Call(method="POST", path=path, body={"comment": "又去了一次，还是这样"})


async def _confirm_answer(s: Scene) -> Call:
    taken = await s.order("accept", "answer")
    path = f"/api/v1/track/{taken['query_code']}/confirmation"
    return Call(method="POST", path=path, body={"satisfied": False, "comment": "没有解决"})


async def _questionnaire_shown(s: Scene) -> Call:
    """After a review of the matter that has one."""
    code = await s.city.code(s.http, LABOUR, matter_code=JOINT_MATTER)
    taken = (await s.http.post(f"/api/v1/e/{code}/review", json={"level": 4})).json()
    return Call(method="GET", path=f"/api/v1/track/{taken['query_code']}/questionnaire")


async def _answer_questionnaire(s: Scene) -> Call:
    shown = await _questionnaire_shown(s)
    version = (await shown.send(s.http)).json()["version"]
    answers = {"version": version, "answers": ["yes", None, "no", "fair"], "comment": "少跑一趟"}
    return Call(method="POST", path=shown.path, body=answers)


async def _audit_receipt(s: Scene) -> Call:
    await s.rated()
    (last,) = await sql.fetch("SELECT max(receipt_id) AS id FROM reviews")
    path = f"/api/v1/audit/receipts/{last['id']}"
    return Call(method="GET", path=path, headers=await s.staff("auditor"))


async def _list_orders(s: Scene) -> Call:
    await s.order()
    path = "/api/v1/work-orders?limit=1&overdue=false&state=assigned&q=" + quote("公租房")
    return Call(method="GET", path=path, headers=await s.staff("handler"))


def _of_order(
    suffix: str, *moves: str, body: Any = None, method: str = "POST", who: str = "handler"
) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        path = f"/api/v1/work-orders/{(await s.order(*moves))['number']}{suffix}"
        return Call(method=method, path=path, body=body, headers=await s.staff(who))

    return call


async def _ask_on_kiosk(s: Scene) -> Call:
    if (HOUSING, "A1") not in await kiosks.standing([HOUSING]):
        await kiosks.issue(HOUSING, "A1", instead_of=None, by=None)
    body = {"receipt_id": (await s.city.receipt(s.http))["receipt_id"]}
    headers = await s.city.system(s.http)
    return Call(method="POST", path="/api/v1/windows/A1/ask", body=body, headers=headers)


async def _plan_order(s: Scene) -> Call:
    taken = await s.order("accept")
    body = {"text": "增设两个窗口", "until": taken["work_order"]["due_at"][:10]}
    path = f"/api/v1/work-orders/{taken['number']}/plan"
    return Call(method="POST", path=path, body=body, headers=await s.staff("lead"))


async def _merge_order(s: Scene) -> Call:
    body = {"into": (await s.order())["number"]}
    path = f"/api/v1/work-orders/{(await s.order())['number']}/merge"
    return Call(method="POST", path=path, body=body, headers=await s.staff("lead"))


def _of_part(suffix: str, who: str, body: Any) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        path = f"/api/v1/work-orders/{(await s.joint())['number']}{suffix}"
        return Call(method="POST", path=path, body=body, headers=await s.staff(who))

    return call


def _seen_from_above(path: str) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        await s.order(*_CONTESTED)
        return Call(method="GET", path=path, headers=await s.staff("supervisor"))

    return call


async def _follow_accountability(s: Scene) -> Call:
    listed = await (await FIRST["list_order_accountable"](s)).send(s.http)
    path = f"/api/v1/accountability/{listed.json()['id']}/follow"
    headers = await s.staff("supervisor")
    return Call(method="POST", path=path, body={"text": "已约谈负责人"}, headers=headers)


def _of_citizen(suffix: str, *moves: str, body: Any) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        path = f"/api/v1/track/{(await s.order(*moves))['query_code']}{suffix}"
        return Call(method="POST", path=path, body=body)

    return call


async def _answer_call_back(s: Scene) -> Call:
    """Of one who was drawn, here without a draw."""
    _, taken = await s.rated(level=5, tags=[], undo_is_over=False)
    await sql.fetch(
        "INSERT INTO call_backs (id, region_code, agency_code, review_id, kind, state, made_at, due_at) "
        "SELECT id, region_code, $1, id, 'sample', 'waiting', at, at + interval '5 days' "
        "FROM reviews ORDER BY at DESC LIMIT 1",
        HOUSING,
    )
    path = f"/api/v1/track/{taken['query_code']}/call-back"
    return Call(method="POST", path=path, body={"satisfied": False, "comment": "其实没有办成"})


def _of_real_name(suffix: str, body: Any) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        _, taken = await s.rated(undo_is_over=True, real_name=True)
        taken["number"] = taken["work_order"]["number"]
        await s.move(taken, "accept")
        path = f"/api/v1/work-orders/{taken['number']}{suffix}"
        return Call(method="POST", path=path, body=body, headers=await s.staff("handler"))

    return call


async def _list_call_backs(s: Scene) -> Call:
    await _of_real_name("", {})(s)
    return Call(method="GET", path="/api/v1/call-backs?limit=1", headers=await s.staff("lead"))


async def _flag_message(s: Scene) -> Call:
    taken = await s.order("accept")
    path = f"/api/v1/track/{taken['query_code']}/messages"
    assert (await s.http.post(path, json={"text": "你们都是废物"})).status_code == 200
    path = f"/api/v1/work-orders/{taken['number']}/flag"
    body = {"step_id": 3, "reason": "辱骂"}
    return Call(method="POST", path=path, body=body, headers=await s.staff("handler"))


async def _rule_on_flag(s: Scene) -> Call:
    flag = await _flag_message(s)
    assert (await flag.send(s.http)).status_code == 200
    body, headers = {"step_id": 3, "upheld": True}, await s.staff("supervisor")
    return Call(method="POST", path=f"{flag.path}-ruling", body=body, headers=headers)


async def _wechat_login(s: Scene) -> Call:
    return Call(method="POST", path="/api/v1/wechat/login", body={"code": "demo:wang"})


def _of_me(path: str, method: str = "GET", body: Any = None) -> Callable[[Scene], Awaitable[Call]]:
    """By a citizen who has rated twice."""

    async def call(s: Scene) -> Call:
        headers = await s.citizen()
        for level in (1, 5):
            review = a_bad_review() if level == 1 else {"level": level}
            code = await s.city.code(s.http)
            answer = await s.http.post(f"/api/v1/e/{code}/review", json=review, headers=headers)
            assert answer.status_code == 201, answer.text
        return Call(method=method, path=path, body=body, headers=headers)

    return call


async def _claim_review(s: Scene) -> Call:
    _, taken = await s.rated()
    body, headers = {"query_code": taken["query_code"]}, await s.citizen()
    return Call(method="POST", path="/api/v1/me/claims", body=body, headers=headers)


def _at_a_wall(path: str, **review: Any) -> Callable[[Scene], Awaitable[Call]]:
    async def call(_: Scene) -> Call:
        if not path.endswith("/review"):
            return Call(method="GET", path=path)
        return Call(method="POST", path=path, body=a_bad_review(**review))

    return call


def _pushed(kind: str, **item: Any) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        body = [{"phone_number": "13800138000", "send_time": "2026-11-21 10:08:00", **item}]
        return Call(method="POST", path=f"/callbacks/sms/{SMS_SECRET}/{kind}", body=body)

    return call


_ANSWER = {
    "disposition": "explained",
    "text": "窗口人手不足，已增开两个",
    "legal_basis": "《条例》第三条",
}
_ELSEWHERE = {"agency_code": LABOUR, "reason": "事项由该部门负责"}
_CONTESTED = ("accept", "answer", "contest")
_NAMED = {"name": "王小明", "phone": "13800138000"}
FIRST: dict[str, Callable[[Scene], Awaitable[Call]]] = {
    "client_token": _client_token,
    "staff_login": _staff_login,
    "issue_receipt": _issue_receipt,
    "issue_receipts": _issue_receipts,
    "receipt_state": _of_receipt(""),
    "receipt_escpos": _of_receipt("/escpos"),
    "qr_svg": _of_code("/e/{}/qr.svg"),
    "qr_png": _of_code("/e/{}/qr.png"),
    "invitation": _of_code("/api/v1/e/{}"),
    "submit_review": _of_code(
        "/api/v1/e/{}/review", "POST", a_bad_review(real_name=True, contact=_NAMED)
    ),
    "undo_review": _undo_review,
    "wall_of_hall": _at_a_wall("/api/v1/h/H1?q=%E5%85%AC"),
    "wall_of_window": _at_a_wall("/api/v1/h/H1/A1"),
    "review_hall": _at_a_wall("/api/v1/h/H1/review", matter_code=JOINT_MATTER, case_number="A-1"),
    "review_window": _at_a_wall("/api/v1/h/H1/A1/review", real_name=True, contact=_NAMED),
    "track": _track,
    "supplement_review": _supplement_review,
    "confirm_answer": _confirm_answer,
    "questionnaire_shown": _questionnaire_shown,
    "answer_questionnaire": _answer_questionnaire,
    "audit_receipt": _audit_receipt,
    "list_orders": _list_orders,
    "one_order": _of_order("", "accept", method="GET"),
    "accept_order": _of_order("/accept", body={}),
    "answer_order": _of_order("/answer", "accept", body=_ANSWER),
    "ask_on_kiosk": _ask_on_kiosk,
    "return_order": _of_order("/return", body=_ELSEWHERE, who="lead"),
    "ask_citizen": _of_order("/ask", "accept", body={"text": "请问是哪个窗口？"}),
    "plan_order": _plan_order,
    "extend_order": _of_order("/extend", body={"working_days": 2, "reason": "调取监控"}, who="lead"),
    "give_part": _of_part("/part", "handler", {"text": "本部门已核对"}),
    "verify_order": _of_order(
        "/verify", "accept", body={"finding": "partly", "how": "records", "text": "已查监控"}
    ),
    "message_citizen": _of_order("/message", "accept", body={"text": "已在处理"}),
    "merge_order": _merge_order,
    "reassign_order": _of_order(
        "/reassign", "return", body={"agency_code": LABOUR}, who="supervisor"
    ),
    "refuse_return": _of_order("/refuse", "return", body={"reason": "属本部门"}, who="supervisor"),
    "supervise_order": _of_order("/supervise", *_CONTESTED, body={"text": "重办"}, who="supervisor"),
    "rule_order": _of_order(
        "/rule", *_CONTESTED, body={"finding": "accountable", "text": "推诿"}, who="supervisor"
    ),
    "release_part": _of_part(
        "/release", "supervisor", {"agency_code": HOUSING, "reason": "与该部门无关"}
    ),
    "urge_order": _of_order("/urge", body={"text": "请尽快办理"}, who="supervisor"),
    "take_over_order": _of_order(
        "/takeover", "accept", body={"reason": "久拖不决"}, who="supervisor"
    ),
    "supervision_views": _seen_from_above("/api/v1/supervision"),
    "supervision_view": _seen_from_above("/api/v1/supervision/verify?limit=100"),
    "accountability_list": _seen_from_above("/api/v1/accountability?open=true&limit=1"),
    "follow_accountability": _follow_accountability,
    "list_order_accountable": _of_order(
        "/accountability", body={"why": "retaliation", "text": "事后刁难"}, who="supervisor"
    ),
    "write_message": _of_citizen("/messages", "accept", "ask", body={"text": "是三号窗口"}),
    "answer_call_back": _answer_call_back,
    "name_verifier": _of_order("/verifier", "accept", body={"username": "lead"}, who="lead"),
    "reveal_citizen": _of_real_name("/reveal", {"reason": "电话核实"}),
    "record_call_back": _of_real_name("/call-back", {"reached": True, "satisfied": True}),
    "list_call_backs": _list_call_backs,
    "flag_message": _flag_message,
    "rule_on_flag": _rule_on_flag,
    "wechat_login": _wechat_login,
    "my_reviews": _of_me("/api/v1/me/reviews?limit=1&state=all"),
    "claim_review": _claim_review,
    "erase_me": _of_me("/api/v1/me/erase", "POST", {}),
    "export_me": _of_me("/api/v1/me/export"),
    "my_grants": _of_me("/api/v1/me/grants"),
    "answer_grant": _of_me(
        "/api/v1/me/grants", "POST", {"template": "answered", "answer": "accept"}
    ),
    "receive_replies": _pushed("up", content="1", sequence_id=7),
    "receive_reports": _pushed("report", success=True, err_code="DELIVERED", biz_id="900^0"),
}  # fmt: skip
