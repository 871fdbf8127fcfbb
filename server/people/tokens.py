"""Bearer tokens: one algorithm, one audience each, signed with a derived key that is named in the header."""

from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

import jwt
from jwt.types import Options

from server.kit.clock import clock
from server.kit.errors import Unauthenticated
from server.kit.privacy import vault
from server.people.rules import TOKEN_LIFE

_ALGORITHM = "HS256"
_ISSUER = "haochaping"
_OPTIONS: Options = {
    "require": ["sub", "aud", "iss", "exp"],
    "verify_exp": False,
    "verify_iat": False,
}


class Audience(StrEnum):
    AGENCY = "agency"
    STAFF = "staff"
    CITIZEN = "citizen"


class BadToken(Unauthenticated):
    code = "invalid_token"
    title = "令牌缺失、有误或已过期"


def issue(subject: str, audience: Audience, life: timedelta = TOKEN_LIFE) -> tuple[str, int]:
    """The token and its life in seconds."""
    now = int(clock.now().timestamp())
    claims = {
        "iss": _ISSUER, "aud": audience, "sub": subject, "iat": now,
        "exp": now + int(life.total_seconds()),
    }  # fmt: skip
    key_id = vault().newest
    key = vault().subkey(key_id, "token")
    return jwt.encode(claims, key, _ALGORITHM, headers={"kid": key_id}), int(life.total_seconds())


def read(token: str, audience: Audience) -> str:
    """The subject, or BadToken."""
    subject, expires = _verify(token, audience)
    if clock.now().timestamp() >= expires:
        raise BadToken
    return subject


@lru_cache(maxsize=4096)
def _verify(token: str, audience: Audience) -> tuple[str, int]:
    """Signature and claims; the time is checked at each use, on the application's clock."""
    try:
        key = vault().subkey(str(jwt.get_unverified_header(token).get("kid")), "token")
        claims = jwt.decode(
            token, key, [_ALGORITHM], audience=audience, issuer=_ISSUER, options=_OPTIONS
        )
        return str(claims["sub"]), int(claims["exp"])
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
        raise BadToken from None
