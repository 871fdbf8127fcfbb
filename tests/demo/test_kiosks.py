"""Every window of the demo city has its tablet, and keeps it over a restart."""

import json

from demo.place import Place, a_server


async def test_every_window_has_a_tablet_that_opens(another: Place) -> None:
    windows = another.document["windows"]
    assert len(windows) == len({window["kiosk_url"] for window in windows}) == 40

    async with a_server(another) as http:
        for window in (windows[0], windows[-1]):
            path = window["kiosk_url"].removeprefix("http://pj.test")
            opened = await http.get(path)
            assert (opened.status_code, opened.headers["location"]) == (303, "/kiosk")
            page = await http.get("/kiosk")
            assert page.status_code == 200 and 'data-screen="welcome"' in page.text
        hall = await http.get("/demo/kiosk")
        assert hall.status_code == 303 and hall.headers["location"].startswith("/kiosk/open/")


async def test_keys_stay_and_only_a_revoked_one_is_made_anew(another: Place) -> None:
    before = {w["kiosk_url"] for w in another.document["windows"]}
    assert another.run()[0] == 0
    assert {w["kiosk_url"] for w in another.document["windows"]} == before

    await another.fetch("UPDATE kiosks SET revoked_at = now() WHERE window_code = 'A01'")
    assert another.run()[0] == 0

    after = {w["kiosk_url"] for w in another.document["windows"]}
    assert len(after) == 40 and len(after & before) == 39
    document = another.document
    del document["windows"][0]["kiosk_url"]  # as an earlier version wrote it
    (another.var / "demo.json").write_text(json.dumps(document))
    assert another.run()[0] == 0
    assert len({w["kiosk_url"] for w in another.document["windows"]}) == 40
