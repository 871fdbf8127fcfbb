"""Everything that may differ between two installations, read once from the environment."""

import base64
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class BadSetting(ValueError):
    """A setting is missing or cannot be used; the message names it."""


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("", "0", "false", "no", "off"):
        return False
    raise BadSetting(f"expected 1 or 0, got {text!r}")


def _keys(text: str) -> dict[str, bytes]:
    """`id:base64,id:base64`, newest first; the first one writes, all of them read."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, colon, secret = part.partition(":")
        key = base64.b64decode(secret, validate=True) if colon else b""
        if len(name) != 1 or not name.isalnum() or not name.isascii() or len(key) != 32:
            raise BadSetting("every key is <one letter or digit>:<32 bytes in base64>")
        keys[name] = key
    if not keys:
        raise BadSetting("at least one key is needed")
    return keys


def _one_of(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise BadSetting(f"expected {' or '.join(names)}, got {text!r}")
        return text

    return read


def _callback_secret(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z_-]{24,}", text, re.ASCII):
        raise BadSetting("expected at least 24 characters of 0-9A-Za-z_-")
    return text


@dataclass(frozen=True, slots=True)
class Settings:
    """Secrets have no default: an installation that forgets one does not start."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    base_url: str
    """Scheme and host that citizens see, without a trailing slash."""
    keys: dict[str, bytes] = field(repr=False)
    """Master keys by id, newest first. Codes, seals and tokens are derived from them."""
    host: str = "127.0.0.1"
    port: int = 8000
    var: Path = Path("var")
    demo: bool = False
    pool_size: int = 16
    metrics_port: int = 0
    """0: no metrics port of its own."""
    metrics_public: bool = False
    trusted_proxies: int = 0
    """How many proxies in front of us write X-Forwarded-For."""
    unknown_codes_per_minute: int = 300
    wall_reviews_per_hour: int = 120
    """Of a code on a wall, for each window that it stands for; a window serves some thirty people."""
    wechat_check_files: dict[str, str] = field(default_factory=dict)
    """File name → content, served under /e/ and /h/ for WeChat's rules of ordinary QR codes."""
    wechat_app_id: str = ""
    """Empty: nobody signs in with WeChat, and nothing is sent there."""
    wechat_app_secret: str | None = field(repr=False, default=None)
    wechat_api_url: str | None = None
    """Instead of WeChat itself: a proxy of the operator's, or an endpoint that stands in for it."""
    wechat_templates: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    """News → the template's id and its keywords by what they say."""
    wechat_version: str = "release"
    """Of the mini-program, which messages and codes lead to."""
    wechat_url_link: bool = False
    """Whether this mini-program may have URL links: phones outside WeChat are offered one on a wall."""
    sms_gateway: str = ""
    """Empty: nothing is sent by SMS, the outbox waits."""
    sms_callback_secret: str | None = field(repr=False, default=None)
    """A segment of the path, since the provider signs nothing."""
    aliyun_key_id: str | None = None
    aliyun_secret: str | None = field(repr=False, default=None)
    aliyun_domain: str = "dysmsapi.aliyuncs.com"
    aliyun_protocol: str = "https"


def _check_files(text: str) -> dict[str, str]:
    pairs = (p.partition("=") for p in filter(None, text.split(",")))
    return {name.strip(): content.strip() for name, _, content in pairs}


_SAID = ("matter", "agency", "number", "state", "at")


def _templates(text: str) -> dict[str, tuple[str, dict[str, str]]]:
    """`accepted:<template id>:matter=thing1:state=phrase2,answered:…`."""
    templates: dict[str, tuple[str, dict[str, str]]] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        news, template_id, *pairs = part.split(":")
        keywords = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        whole = len(keywords) == len(pairs) > 0 and keywords.keys() <= set(_SAID)
        if news not in ("accepted", "asked", "answered", "closed") or not template_id or not whole:
            raise BadSetting(
                "each is accepted, asked, answered or closed, then :<template id>, "
                f"then :<{', '.join(_SAID)}>=<keyword>"
            )
        templates[news] = (template_id, keywords)
    return templates


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "DATABASE_URL": ("database_url", str), "REDIS_URL": ("redis_url", str),
    "BASE_URL": ("base_url", lambda t: t.rstrip("/")), "KEYS": ("keys", _keys),
    "HOST": ("host", str), "PORT": ("port", int), "VAR": ("var", Path), "DEMO": ("demo", _flag),
    "POOL_SIZE": ("pool_size", int), "METRICS_PORT": ("metrics_port", int),
    "METRICS_PUBLIC": ("metrics_public", _flag), "TRUSTED_PROXIES": ("trusted_proxies", int),
    "UNKNOWN_CODES_PER_MINUTE": ("unknown_codes_per_minute", int),
    "WALL_REVIEWS_PER_HOUR": ("wall_reviews_per_hour", int),
    "WECHAT_CHECK_FILES": ("wechat_check_files", _check_files),
    "WECHAT_APP_ID": ("wechat_app_id", str), "WECHAT_APP_SECRET": ("wechat_app_secret", str),
    "WECHAT_API_URL": ("wechat_api_url", lambda t: t.rstrip("/")),
    "WECHAT_TEMPLATES": ("wechat_templates", _templates),
    "WECHAT_VERSION": ("wechat_version", _one_of("release", "trial", "develop")),
    "WECHAT_URL_LINK": ("wechat_url_link", _flag),
    "SMS_GATEWAY": ("sms_gateway", _one_of("pocket", "aliyun")),
    "SMS_CALLBACK_SECRET": ("sms_callback_secret", _callback_secret),
    "ALIYUN_ACCESS_KEY_ID": ("aliyun_key_id", str),
    "ALIYUN_ACCESS_KEY_SECRET": ("aliyun_secret", str), "ALIYUN_DOMAIN": ("aliyun_domain", str),
    "ALIYUN_PROTOCOL": ("aliyun_protocol", _one_of("https", "http")),
}  # fmt: skip
REQUIRED = ("DATABASE_URL", "REDIS_URL", "BASE_URL", "KEYS")
_APP = ("WECHAT_APP_ID", "WECHAT_APP_SECRET")
_NEEDED_BY = {
    "pocket": ("SMS_CALLBACK_SECRET",),
    "aliyun": ("SMS_CALLBACK_SECRET", "ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET"),
}


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises BadSetting naming what is missing or wrong."""
    gateway = environment.get("SMS_GATEWAY", "")
    required = REQUIRED + _NEEDED_BY.get(gateway, ())
    missing = [name for name in required if not environment.get(name)]
    if missing:
        raise BadSetting(f"not set: {', '.join(missing)} (README, Settings)")
    values: dict[str, Any] = {}
    for name, (attribute, reader) in _READERS.items():
        if text := environment.get(name):
            try:
                values[attribute] = reader(text)
            except ValueError as error:
                raise BadSetting(f"{name}: {error}") from error
    if values.get("sms_gateway") == "pocket" and not values.get("demo"):
        raise BadSetting("SMS_GATEWAY: pocket sends nothing to anybody, it is for DEMO=1")
    app = [name for name in _APP if environment.get(name)]
    if len(app) == 1 and not values.get("demo"):  # which refuses either
        raise BadSetting(f"{app[0]}: {' and '.join(_APP)} belong together")
    return Settings(**values)
