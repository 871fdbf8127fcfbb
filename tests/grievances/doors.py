"""What a citizen does at the open doors, in these tests."""

from typing import Any

from factories import MATTER
from httpx import Response
from kit.calls import Scene
from phones import PHONE

DOOR = "/api/v1/grievances"
CONTACT = {"name": "王小明", "phone": PHONE}


def a_grievance(**changed: Any) -> dict[str, Any]:
    return {
        "source": "faults", "kind": "correction", "function": "guide", "matter_code": MATTER,
        "text": "办事指南的样本是旧的，我叫王小明",
    } | changed  # fmt: skip


async def send(scene: Scene, headers: dict[str, str] | None = None, **changed: Any) -> Response:
    return await scene.http.post(DOOR, json=a_grievance(**changed), headers=headers)


async def said(
    scene: Scene, *moves: str, headers: dict[str, str] | None = None, **changed: Any
) -> dict[str, Any]:
    """Taken, and after these moves; with the number of its order."""
    answer = await send(scene, headers, **changed)
    assert answer.status_code == 201, answer.text
    taken: dict[str, Any] = answer.json()
    taken["number"] = taken["work_order"]["number"]
    for move in moves:
        await scene.move(taken, move)
    return taken


async def track(scene: Scene, taken: dict[str, Any]) -> dict[str, Any]:
    answer = await scene.http.get(f"/api/v1/track/{taken['query_code']}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
