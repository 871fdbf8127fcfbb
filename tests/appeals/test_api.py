"""Lists by pages, and refusals in the caller's words."""

from appeals.court import AGAINST, FOR, Court, told


async def _read(court: Court, who: str, path: str) -> list[dict]:
    """All pages, one row each."""
    found, cursor = [], ""
    for _ in range(9):
        page = (await court.get(who, f"{path}limit=1&cursor={cursor}")).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return found
    raise AssertionError("the list never ends")


async def test_lists_are_read_page_by_page_and_nothing_twice(court: Court) -> None:
    done = [await court.excluded() for _ in range(3)]
    waiting = [await court.appealed() for _ in range(3)]
    cases = await _read(court, "first", "appeals?")
    assert {one["id"] for one in cases} == {one["case"] for one in (*done, *waiting)}
    assert len(cases) == 6 and cases == sorted(cases, key=lambda one: (one["due_at"], one["id"]))
    opened = await _read(court, "auditor", "appeals?state=open&")
    assert {one["id"] for one in opened} == {one["case"] for one in waiting}
    excluded = await _read(court, "admin", "exclusions?")
    assert {one["order_number"] for one in excluded} == {one["number"] for one in done}
    assert len(excluded) == 3 and all(one["by"] is None is one["receipt_id"] for one in excluded)
    audited = await _read(court, "auditor", "exclusions?")
    assert all(one["by"] == ["first", "second"] and one["receipt_id"] for one in audited)


async def test_bad_queries_and_unknown_cases_are_said_in_words(court: Court) -> None:
    for path in (
        "appeals?state=gone", "appeals?limit=0", "appeals?cursor=x", "appeals?overdue=maybe",
        "exclusions?cursor=eA", "exclusions?limit=a",
    ):  # fmt: skip
        answer = await court.get("auditor", path)
        assert told(answer) == (422, "invalid_query"), path
    unknown = "00000000-0000-7000-8000-000000000000"
    for case in (unknown, "1", "x" * 300):
        assert told(await court.get("first", f"appeals/{case}")) == (404, "unknown_appeal")
        assert told(await court.vote("first", case, **AGAINST)) == (404, "unknown_appeal")


async def test_a_vote_says_what_is_wrong_with_it(court: Court) -> None:
    taken = await court.appealed()
    for ballot, expected in (
        (FOR | {"text": " "}, (422, "blank_text")), (FOR | {"reason": "gamed"}, (422, "invalid_body")),
        (FOR | {"reason": None}, (422, "reason_mismatch")),
        (AGAINST | {"reason": "mistaken"}, (422, "reason_mismatch")),
        ({"text": "x"}, (422, "invalid_body")), (FOR | {"text": "a\0"}, (422, "invalid_body")),
        (FOR | {"text": "长" * 2001}, (422, "invalid_body")),
    ):  # fmt: skip
        assert told(await court.vote("first", taken["case"], **ballot)) == expected
    for who in ("supervisor", "auditor"):
        assert told(await court.vote(who, taken["case"], **FOR)) == (403, "wrong_role")
    assert (await court.vote("handler", taken["case"], **FOR)).status_code == 403
    assert (await court.vote("", taken["case"], **FOR)).status_code == 401


async def test_the_same_request_once_more_is_answered_and_not_done_twice(court: Court) -> None:
    taken = await court.appealed()
    headers = await court.scene.staff("first") | {"Idempotency-Key": "vote-1"}
    path = f"/api/v1/appeals/{taken['case']}/vote"
    answers = [await court.http.post(path, json=FOR, headers=headers) for _ in range(2)]
    assert answers[0].status_code == answers[1].status_code == 200
    assert answers[0].content == answers[1].content
