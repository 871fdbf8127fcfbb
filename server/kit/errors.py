"""Expected refusals. Each feature declares its own beside their cause; `kit.web` renders them."""

from typing import ClassVar, NamedTuple


class Fault(NamedTuple):
    """One field that is wrong, in the caller's words."""

    field: str
    code: str
    detail: str


class Refusal(Exception):
    """`code` is the stable word of the contract, `title` and `detail` are Chinese for people."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "请求有误"
    retry_after: int | None = None

    def __init__(self, detail: str = "", *, errors: list[Fault] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors or []


class Invalid(Refusal):
    status = 422
    code = "invalid"
    title = "填写的内容有误"


class Unauthenticated(Refusal):
    status = 401
    code = "unauthenticated"
    title = "需要先登录或取得令牌"


class Denied(Refusal):
    status = 403
    code = "forbidden"
    title = "您的角色不能做这件事"


class Missing(Refusal):
    status = 404
    code = "not_found"
    title = "没有找到"


class Conflict(Refusal):
    status = 409
    code = "conflict"
    title = "与已有的内容冲突"


class Gone(Refusal):
    status = 410
    code = "gone"
    title = "已经结束"


class TooLarge(Refusal):
    status = 413
    code = "too_large"
    title = "提交的内容过大"


class NotJson(Refusal):
    status = 415
    code = "unsupported_media_type"
    title = "请求正文须是 application/json"


class Limited(Refusal):
    status = 429
    code = "too_many_requests"
    title = "请求过于频繁，请稍后再试"
    retry_after = 60


class Unavailable(Refusal):
    status = 503
    code = "unavailable"
    title = "系统暂时繁忙，请稍后再试；没有任何内容丢失"
    retry_after = 2
