"""What both test files of the gateways send."""

from datetime import date

from sms.gateway import Message

PHONE, TODAY = "13800138000", date(2026, 11, 21)
SECRET_WORD = "居住证丢失补领"


def a_message(out_id: str = "invitation-1", **changes: object) -> Message:
    given: dict[str, object] = {
        "phone": PHONE, "sign": "杭州政务", "template": "SMS_ASK", "out_id": out_id,
        "variables": {"date": "11月21日", "hall": "市民中心", "item": SECRET_WORD},
    }  # fmt: skip
    return Message(**{**given, **changes})  # type: ignore[arg-type]
