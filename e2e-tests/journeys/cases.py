"""Reconciliation cases, as the admin sees and resolves them."""

from typing import Any

from journeys.conftest import World


async def open_cases(world: World, kind: str) -> list[dict[str, Any]]:
    page = (await world.admin.get(f"/admin/reconciliation/cases?status=open&kind={kind}")).expect(200).body
    cases: list[dict[str, Any]] = page["data"]
    return cases


async def resolve(world: World, case: dict[str, Any], resolution: str, **more: str) -> None:
    path = f"/admin/reconciliation/cases/{case['id']}/resolve"
    body = {"resolution": resolution, "note": "looked at in a journey", **more}
    resolved = (await world.admin.post(path, body)).expect(200).body
    assert (resolved["status"], resolved["note"]) == ("resolved", "looked at in a journey")
    again = await world.admin.post(path, body)
    assert (again.status, again.code) == (409, "case_already_resolved")
