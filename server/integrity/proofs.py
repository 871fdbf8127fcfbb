"""A one-time code by SMS: who types it in has the receipt's phone in his hand.

Whoever holds a slip may ask with any phone; he learns nothing from the answers, be it the receipt's
phone, another one, or a receipt without any.
"""

import hmac
import secrets
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Fault, Gone, Invalid, Limited
from server.kit.privacy import vault
from server.kit.transaction import transaction
from server.messages import service as messages
from server.messages.rules import Purpose, start_of_day
from server.messages.service import Post
from server.reviews.questions import values_of

DIGITS = 6
VALID = timedelta(minutes=10)
AGAIN = timedelta(seconds=60)
A_DAY = 3
"""Of one receipt and phone."""
TRIES = 5
_PURPOSE = "proof"
_NONE = "-" * 22
"""No keyed hash: for a phone that is not the receipt's nothing fits."""
_ELSEWHERE = "也可以到大厅的服务台，或拨打 12345"


class WrongProof(Invalid):
    code = "wrong_proof"
    title = "验证码不对"


class ProofOver(Gone):
    code = "proof_over"
    title = "验证码已失效，请重新获取"


class ProofTooSoon(Limited):
    code = "proof_too_soon"
    title = "刚刚已经发过验证码，请过一分钟再试"


class ProofsSpent(Limited):
    code = "proofs_spent"
    title = f"一天最多获取 {A_DAY} 次验证码，请明天再试；{_ELSEWHERE}"


_SENT = """
INSERT INTO objection_proofs AS p (key, receipt_id, code_key, sent_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE SET code_key = excluded.code_key, sent_at = excluded.sent_at, tries = 0,
  used_at = NULL, sent_today = CASE WHEN p.sent_at < $6 THEN 1 ELSE p.sent_today + 1 END
WHERE p.sent_at <= $5 AND (p.sent_at < $6 OR p.sent_today < $7) RETURNING 1
"""


async def send(receipt: Any, phone: str) -> None:
    """Sends a code if this is the receipt's phone, and seems to in any case."""
    now = clock.now()
    ours = any(
        hmac.compare_digest(key, receipt["phone_key"] or _NONE)
        for key in vault().fingerprints(phone, "phone")
    )
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    async with transaction():
        sent = await sql.fetch(
            _SENT, _key(receipt, phone), receipt["id"], _code_key(receipt, code) if ours else None,
            now, now - AGAIN, start_of_day(now), A_DAY,
        )  # fmt: skip
        if not sent:
            raise await _too_many(_key(receipt, phone), now)
        await messages.post([_message(receipt, phone, code, now)] if ours else [], now)


def _message(receipt: Any, phone: str, code: str, now: datetime) -> Post:
    return Post(
        region_code=receipt["region_code"], agency_code=receipt["agency_code"],
        purpose=Purpose.PROOF, phone=phone, values=values_of(receipt) | {"proof": code},
        not_before=now, not_after=now + VALID,
    )  # fmt: skip


async def _too_many(key: str, now: datetime) -> Limited:
    (proof,) = await sql.fetch("SELECT * FROM objection_proofs WHERE key = $1", key)
    if proof["sent_today"] >= A_DAY and proof["sent_at"] >= start_of_day(now):
        refusal: Limited = ProofsSpent()
        wait = start_of_day(now) + timedelta(days=1) - now
    else:
        refusal, wait = ProofTooSoon(), proof["sent_at"] + AGAIN - now
    refusal.retry_after = max(1, int(wait.total_seconds()))
    return refusal


_TRIED = """
UPDATE objection_proofs SET tries = tries + 1 WHERE key = $1 AND tries < $2 AND sent_at > $3
RETURNING code_key, tries, used_at
"""


async def check(receipt: Any, phone: str, typed: str) -> bool:
    """Refuses unless this is the code that the phone was sent; whether it was used before.

    Each try counts before it is compared, and outside any transaction: a refusal takes none back."""
    code = plain(typed)
    tried = await sql.fetch_alone(_TRIED, _key(receipt, phone), TRIES, clock.now() - VALID)
    if not tried:
        raise ProofOver
    proof = tried[0]
    if hmac.compare_digest(_code_key(receipt, code), proof["code_key"] or _NONE):
        return proof["used_at"] is not None
    if proof["tries"] >= TRIES:
        raise ProofOver(f"验证码错了 {TRIES} 次，已经失效，请重新获取")
    left = TRIES - proof["tries"]
    raise _wrong(f"验证码不对，请对照短信再输一次；还可以试 {left} 次")


def plain(typed: str) -> str:
    """As people type it: full-width digits, spaces between. What cannot be a code costs no try."""
    code = "".join(c for c in unicodedata.normalize("NFKC", typed) if not c.isspace() and c != "-")
    if not (code.isascii() and code.isdigit() and len(code) == DIGITS):
        raise _wrong(f"验证码是 {DIGITS} 位数字，请照短信里的填写")
    return code


def _wrong(detail: str) -> WrongProof:
    return WrongProof(errors=[Fault("proof", "wrong_proof", detail)])


async def use(receipt: Any, phone: str, now: datetime) -> bool:
    """For one objection only; False if it was used. In the caller's transaction."""
    used = await sql.fetch(
        "UPDATE objection_proofs SET used_at = $2 WHERE key = $1 AND used_at IS NULL RETURNING 1",
        _key(receipt, phone), now,
    )  # fmt: skip
    return bool(used)


async def forget() -> int:
    """Those of earlier days: they open nothing, and are counted no more."""
    rows = await sql.fetch(
        "DELETE FROM objection_proofs WHERE sent_at < $1 RETURNING 1", start_of_day(clock.now())
    )
    return len(rows)


def _key(receipt: Any, phone: str) -> str:
    return vault().fingerprint(f"{receipt['id']}\n{phone}", _PURPOSE)


def _code_key(receipt: Any, code: str) -> str:
    return vault().fingerprint(f"code\n{receipt['id']}\n{code}", _PURPOSE)
