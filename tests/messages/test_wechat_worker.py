"""A worker as it is started in earnest: news go to WeChat, words are checked, without anybody's hand."""

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from factories import City, a_bad_review
from httpx import AsyncClient
from kit.calls import Scene, undo_time_is_over
from wechat.desk import TEMPLATES
from wechat.provider import RISKY, WeChatDesk

from server.kit import sql
from server.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def worker(
    city: City, with_wechat: Settings, tmp_path: Path
) -> AsyncIterator[subprocess.Popen[bytes]]:
    templates = ",".join(
        ":".join((news, template, *(f"{said}={key}" for said, key in keywords.items())))
        for news, (template, keywords) in TEMPLATES.items()
    )
    keys = ",".join(f"{i}:{base64.b64encode(key).decode()}" for i, key in with_wechat.keys.items())
    environment = {
        "PATH": os.environ["PATH"], "DATABASE_URL": with_wechat.database_url, "KEYS": keys,
        "REDIS_URL": with_wechat.redis_url, "BASE_URL": with_wechat.base_url,
        "WECHAT_APP_ID": with_wechat.wechat_app_id, "WECHAT_TEMPLATES": templates,
        "WECHAT_APP_SECRET": with_wechat.wechat_app_secret or "",
        "WECHAT_API_URL": with_wechat.wechat_api_url or "",
    }  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "work"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )  # fmt: skip
    yield process
    process.terminate()
    assert process.wait(15) == 0
    told = (tmp_path / "log").read_text()
    assert not [word for word in ("demo:wang", "Traceback", "app-secret") if word in told], told


async def test_an_answer_and_a_risky_word_find_their_way(
    http: AsyncClient, city: City, desk: WeChatDesk, worker: subprocess.Popen[bytes]
) -> None:
    scene = Scene(http, city)
    me, handler = await scene.citizen(), await scene.staff("handler")
    desk.visited["demo:wang"] = desk.now()
    desk.accept("demo:wang", "TMPL_ANSWERED")
    await http.post(
        "/api/v1/me/grants", json={"template": "answered", "answer": "accept"}, headers=me
    )
    path = f"/api/v1/e/{await city.code(http)}/review"
    taken = (await http.post(path, json=a_bad_review(comment=f"去{RISKY}"), headers=me)).json()
    await undo_time_is_over(taken)
    order = f"/api/v1/work-orders/{taken['work_order']['number']}"
    await http.post(f"{order}/accept", json={}, headers=handler)
    body = {"disposition": "fixed", "text": "已整改"}
    assert (await http.post(f"{order}/answer", json=body, headers=handler)).status_code == 200

    for _ in range(150):
        checked = await sql.fetch("SELECT 1 FROM word_checks WHERE state = 'held'")
        if desk.sent and checked:
            break
        assert worker.poll() is None
        await asyncio.sleep(0.1)
    (sent,) = desk.sent
    assert (sent.template_id, sent.data["phrase2"]) == ("TMPL_ANSWERED", "已答复")
    assert checked
    (notice,) = await sql.fetch("SELECT state, content FROM wechat_notices")
    assert tuple(notice) == ("sent", None)
