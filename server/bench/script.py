"""What is asked, word for word: the same bytes of the application and of the floor, but for the path."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice

import msgspec

from server.bench import ground, stock
from server.bench.load import Plan
from server.kit.clock import clock
from server.people import tokens
from server.receipts.codes import code_of

SIDES = ("app", "floor")
ROWS = 100
PER_BATCHES = 20
"""A batch is so many times rarer than another request, so that the tables grow alike."""
_encode = msgspec.json.Encoder().encode
_GOOD = _encode(
    {"level": 5, "tags": ["514"], "comment": "态度很好，一次办成。", "real_name": False}
)
BAD = _encode({"level": 1, "tags": ["115"], "comment": stock.COMMENT, "real_name": False})
ANSWER = _encode({
    "disposition": "fixed", "text": stock.ANSWER,
    "legal_basis": "《政务服务“好差评”评价指标》GB/T 39735",
})  # fmt: skip


@dataclass(frozen=True)
class Operation:
    name: str
    status: int
    connections: int = 32

    def count(self, requests: int) -> int:
        return max(2, requests // PER_BATCHES) if self.name == "batch" else requests


OPERATIONS = (
    Operation("page", 200),
    Operation("submit good", 201),
    Operation("submit bad", 201),
    Operation("answer", 200),
    Operation("receipt", 201),
    Operation("batch", 200, connections=4),
    Operation("callback item", 200),
)


class Script:
    """The requests of one level; a receipt or an order is used once."""

    def __init__(self, owner: int, callback_secret: str) -> None:
        self._owner = owner
        self._callback = f"/callbacks/sms/{callback_secret}/up"
        self._numbers: dict[tuple[str, str], Iterator[int]] = {}
        self._orders: dict[str, Iterator[str]] = {}
        self._steady: list[int] = []
        self._cases = 0
        self.windows = tokens.issue(f"{ground.CLIENT} {ground.AGENCY}", tokens.Audience.AGENCY)[0]
        self.handler = tokens.issue(str(owner), tokens.Audience.STAFF)[0]

    async def prepare(self, each: int, steady: int) -> None:
        for side in SIDES:
            self._numbers["page", side] = cycle(await stock.open_receipts(f"{side}-page", 500))
            for name in ("good", "bad"):
                numbers = await stock.open_receipts(f"{side}-{name}", each)
                self._numbers[f"submit {name}", side] = iter(numbers)
            orders = await stock.accepted_orders(f"{side}-answer", each, self._owner)
            self._orders[side] = iter(orders)
        if steady:
            self._steady = await stock.open_receipts("steady", steady)

    def plan(self, operation: Operation, side: str, port: int, requests: int) -> Plan:
        count = operation.count(requests)
        write = self._writer(operation.name, side)
        plan = Plan(
            port, [write() for _ in range(count)], operation.status,
            connections=operation.connections,
        )  # fmt: skip
        if operation.name == "batch":
            plan.marker, plan.times = b'"status":201', ROWS
        return plan

    def steady(self, port: int, rate: float) -> Plan:
        """One in ten is bad."""
        requests = [
            _post(f"/api/v1/e/{code_of(number)}/review", _GOOD if place % 10 else BAD)
            for place, number in enumerate(self._steady)
        ]
        return Plan(port, requests, 201, connections=128, rate=rate)

    def life(self) -> bytes:
        """The body of a receipt that a lifecycle begins with."""
        return _encode(self._row("app", "life"))

    def page(self, side: str = "app") -> bytes:
        number = next(self._numbers["page", side])
        if side == "floor":
            return _get(f"/page/{number}")
        return _get(f"/e/{code_of(number)}")

    def _writer(self, name: str, side: str) -> Callable[[], bytes]:
        return {
            "page": lambda: self.page(side),
            "submit good": lambda: self._submit("good", side, _GOOD),
            "submit bad": lambda: self._submit("bad", side, BAD),
            "answer": lambda: self._answer(side),
            "receipt": lambda: self._receipt(side),
            "batch": lambda: self._batch(side),
            "callback item": lambda: self._up(side),
        }[name]

    def _submit(self, name: str, side: str, body: bytes) -> bytes:
        number = next(self._numbers[f"submit {name}", side])
        path = f"/api/v1/e/{code_of(number)}/review" if side == "app" else f"/{name}/{number}"
        return _post(path, body)

    def _answer(self, side: str) -> bytes:
        number = next(self._orders[side])
        path = f"/api/v1/work-orders/{number}/answer" if side == "app" else f"/answer/{number}"
        return _post(path, ANSWER, self.handler)

    def _receipt(self, side: str) -> bytes:
        path = "/api/v1/receipts" if side == "app" else "/receipts"
        return _post(path, _encode(self._row(side, "new")), self.windows)

    def _batch(self, side: str) -> bytes:
        path = "/api/v1/receipts/batch" if side == "app" else "/batch"
        rows = list(islice(iter(lambda: self._row(side, "many"), None), ROWS))
        return _post(path, _encode({"receipts": rows}), self.windows)

    def _up(self, side: str) -> bytes:
        self._cases += 1
        body = _encode([stock.reply("13700000000", self._cases)])
        return _post(self._callback if side == "app" else "/up", body)

    def _row(self, side: str, mark: str) -> dict[str, object]:
        self._cases += 1
        return {
            "case_number": f"{side}-{mark}-{self._cases:09d}", "service_number": 1,
            "matter_code": ground.MATTERS[self._cases % 100],
            "window_code": ground.WINDOWS[self._cases % 20], "officer_number": ground.OFFICER,
            "stage": "签收", "channel": "window",
            "handled_at": (clock.now() - timedelta(minutes=3)).isoformat(timespec="seconds"),
            "applicant": {"kind": 1, "name": "王小明", "phone": "13800138000"},
        }  # fmt: skip


def _post(path: str, body: bytes, token: str = "") -> bytes:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: pj.example.gov.cn\r\nContent-Type: application/json\r\n"
        f"{bearer}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: pj.example.gov.cn\r\nAccept: text/html\r\n\r\n".encode()
