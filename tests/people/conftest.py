from wechat.desk import desk, wechat, with_wechat  # noqa: F401
