"""An SMS gateway is all there or not at all, and the demo's never stands in for a real one."""

import pytest

from server.settings import BadSetting, Settings, read

GIVEN = {"DATABASE_URL": "d", "REDIS_URL": "r", "BASE_URL": "b", "KEYS": f"a:{'A' * 43}="}
SECRET = "path_segment-0123456789x"
ALIYUN = {
    "SMS_GATEWAY": "aliyun", "SMS_CALLBACK_SECRET": SECRET, "ALIYUN_ACCESS_KEY_ID": "LTAI",
    "ALIYUN_ACCESS_KEY_SECRET": "hush",
}  # fmt: skip


def settings(**changed: str) -> Settings:
    return read(GIVEN | changed)


def test_without_a_gateway_nothing_more_is_needed() -> None:
    assert (settings().sms_gateway, settings().sms_callback_secret) == ("", None)


def test_a_gateway_is_read_whole() -> None:
    found = settings(**ALIYUN, ALIYUN_DOMAIN="127.0.0.1:9", ALIYUN_PROTOCOL="http")
    assert (found.aliyun_key_id, found.aliyun_secret) == ("LTAI", "hush")
    assert (found.aliyun_domain, found.aliyun_protocol) == ("127.0.0.1:9", "http")
    assert (settings(**ALIYUN).aliyun_domain, settings(**ALIYUN).aliyun_protocol) == (
        "dysmsapi.aliyuncs.com", "https",
    )  # fmt: skip


@pytest.mark.parametrize("missing", [name for name in ALIYUN if name != "SMS_GATEWAY"])
def test_what_a_gateway_lacks_is_named(missing: str) -> None:
    with pytest.raises(BadSetting, match=missing):
        settings(**ALIYUN | {missing: ""})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SMS_GATEWAY", "alyun", "pocket or aliyun"),
        ("SMS_CALLBACK_SECRET", "x" * 23, "24 characters"),
        ("SMS_CALLBACK_SECRET", "a/" + "x" * 30, "24 characters"),
        ("SMS_CALLBACK_SECRET", "秘" * 24, "24 characters"),
        ("ALIYUN_PROTOCOL", "ftp", "https or http"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str, words: str) -> None:
    with pytest.raises(BadSetting, match=f"{name}: .*{words}") as refusal:
        settings(**ALIYUN | {name: value})
    if name == "SMS_CALLBACK_SECRET":
        assert value not in str(refusal.value), "a secret is not repeated, not even a wrong one"


def test_the_pocket_phone_is_for_the_demo_only() -> None:
    pocket = {"SMS_GATEWAY": "pocket", "SMS_CALLBACK_SECRET": SECRET}
    assert settings(**pocket, DEMO="1").sms_gateway == "pocket"
    with pytest.raises(BadSetting, match="DEMO=1"):
        settings(**pocket)


def test_the_secrets_are_not_shown() -> None:
    shown = repr(settings(**ALIYUN))
    assert SECRET not in shown and "hush" not in shown


def test_the_mini_program_is_there_with_its_secret_or_not_at_all() -> None:
    app = {"WECHAT_APP_ID": "wx0", "WECHAT_APP_SECRET": "hush"}
    assert (settings(**app).wechat_app_id, settings().wechat_app_id) == ("wx0", "")
    for name in app:
        with pytest.raises(BadSetting, match="belong together"):
            settings(**{name: "x"})
    assert "hush" not in repr(settings(**app))


def test_templates_are_read_with_their_keywords_and_a_wrong_one_is_named() -> None:
    text = "answered:ID-1:matter=thing1:state=phrase2, closed:ID-2:number=character_string3"
    assert settings(WECHAT_TEMPLATES=text).wechat_templates == {
        "answered": ("ID-1", {"matter": "thing1", "state": "phrase2"}),
        "closed": ("ID-2", {"number": "character_string3"}),
    }
    for wrong in ("opened:ID:matter=thing1", "answered", "answered:ID", "answered::matter=thing1",
                  "answered:ID:matter", "answered:ID:who=thing1"):  # fmt: skip
        with pytest.raises(BadSetting, match="WECHAT_TEMPLATES"):
            settings(WECHAT_TEMPLATES=wrong)
