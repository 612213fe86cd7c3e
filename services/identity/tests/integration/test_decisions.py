"""What administrators, drivers and other services do, on a real database."""

from typing import Any

import pytest
from identity_door import PASSWORD, Door, bearer, email, registration

from contracts.audit import AuditRecorded
from contracts.identity import DriverPixKeyChanged, Profile, SessionRevoked, UserBanned, UserSuspended
from kernel.ids import new_id
from testkit import DatabaseUrls, published


async def test_an_administrator_approves_a_waiting_driver(door: Door, urls: DatabaseUrls) -> None:
    driver_id = (await door.register(1, "driver"))["user_id"]
    admin = await door.admin()
    waiting = (await door.client.get("/admin/drivers/pending", headers=admin)).json()
    assert [row["id"] for row in waiting["data"]] == [driver_id]
    assert waiting["data"][0]["driver"]["cpf"].startswith("***.")
    approved = await door.client.post(f"/admin/drivers/{driver_id}/approve", headers=admin)
    assert (approved.status_code, approved.json()["approval_status"]) == (200, "approved")
    assert (await door.client.get("/admin/drivers/pending", headers=admin)).json()["data"] == []
    again = await door.client.post(f"/admin/drivers/{driver_id}/approve", headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")
    versions = [
        version for fact, _, version in await published(urls, of=Profile) if str(fact.user_id) == driver_id
    ]  # type: ignore[attr-defined]
    assert versions == [1, 2]


async def test_the_list_of_waiting_drivers_is_walked_by_its_cursor(door: Door) -> None:
    ids = [(await door.register(number, "driver"))["user_id"] for number in range(5)]
    admin = await door.admin()
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await door.client.get("/admin/drivers/pending", headers=admin, params=params)).json()
        seen += [row["id"] for row in page["data"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert seen == ids


async def test_a_rejected_driver_reads_why_and_may_be_approved_later(door: Door) -> None:
    driver_id, tokens = await door.session(1, "driver")
    admin = await door.admin()
    body = {"reason": "CNH de João, CPF 529.982.247-25, ilegível"}
    rejected = await door.client.post(f"/admin/drivers/{driver_id}/reject", headers=admin, json=body)
    assert rejected.status_code == 200
    me = (await door.client.get("/me", headers=bearer(tokens))).json()
    assert me["approval_status"] == "rejected"
    assert "ilegível" in me["driver"]["rejection_reason"]
    assert "529.982.247-25" not in me["driver"]["rejection_reason"]
    approved = await door.client.post(f"/admin/drivers/{driver_id}/approve", headers=admin)
    assert approved.json()["driver"]["rejection_reason"] is None


@pytest.mark.parametrize(
    ("verb", "status", "fact"), [("suspend", "suspended", UserSuspended), ("ban", "banned", UserBanned)]
)
async def test_whoever_is_kept_out_loses_every_token_and_returns_only_when_reinstated(
    door: Door, urls: DatabaseUrls, verb: str, status: str, fact: Any
) -> None:
    user_id, tokens = await door.session(1)
    admin = await door.admin()
    path = f"/admin/users/{user_id}"
    decided = await door.client.post(f"{path}/{verb}", headers=admin, json={"reason": "fraude"})
    assert (decided.status_code, decided.json()["status"]) == (200, status)
    assert (await door.client.get("/me", headers=bearer(tokens))).status_code == 401
    assert (await door.refresh(tokens["refresh_token"])).status_code == 401
    login = {"login": email(1), "password": PASSWORD}
    refused = await door.client.post("/auth/login", json=login)
    assert (refused.status_code, refused.json()["code"]) == (403, f"user_{status}")
    wrong = await door.client.post("/auth/login", json=login | {"password": "errada-errada"})
    assert wrong.status_code == 401
    assert len(await published(urls, of=fact)) == 1
    assert {f.session_id is None for f, _, _ in await published(urls, of=SessionRevoked)} == {True, False}  # type: ignore[attr-defined]
    back = await door.client.post(f"{path}/reinstate", headers=admin, json={"reason": "revisado"})
    assert back.status_code == 200
    fresh = await door.log_in(email(1))
    assert (await door.client.get("/me", headers=bearer(fresh))).status_code == 200
    assert (await door.client.get("/me", headers=bearer(tokens))).status_code == 401


async def test_decisions_name_their_author_and_address_in_the_audit(door: Door, urls: DatabaseUrls) -> None:
    user_id, _ = await door.session(1)
    admin = await door.admin()
    headers = admin | door.from_address("203.0.113.77")
    await door.client.post(f"/admin/users/{user_id}/suspend", headers=headers, json={"reason": "fraude"})
    records = [fact for fact, _, _ in await published(urls, of=AuditRecorded)]
    record: Any = records[-1]
    admin_id = (await door.client.get("/me", headers=admin)).json()["id"]
    assert (record.action, record.entity_id, record.reason) == ("suspend_user", user_id, "fraude")
    assert (str(record.user_id), record.user_type, record.ip_address) == (admin_id, "admin", "203.0.113.77")
    assert record.request_id


async def test_an_administrator_cannot_suspend_themselves(door: Door) -> None:
    admin = await door.admin()
    own_id = (await door.client.get("/me", headers=admin)).json()["id"]
    response = await door.client.post(f"/admin/users/{own_id}/suspend", headers=admin, json={"reason": "x"})
    assert (response.status_code, response.json()["code"]) == (409, "own_account")


async def test_a_driver_changes_their_pix_key_and_reads_it_masked(door: Door, urls: DatabaseUrls) -> None:
    driver_id, tokens = await door.session(1, "driver")
    body = {"pix_key": "(11) 91234-5678", "pix_key_type": "phone"}
    changed = await door.client.put(f"/drivers/{driver_id}/pix-key", headers=bearer(tokens), json=body)
    assert changed.status_code == 200
    assert changed.json()["pix_key"] == "+5511*****5678"
    assert len(await published(urls, of=DriverPixKeyChanged)) == 1
    details = await door.client.get(f"/internal/drivers/{driver_id}/bank-details", headers=door.service)
    assert details.json() == {
        "driver_id": driver_id,
        "full_name": registration(1, "driver")["full_name"],
        "cpf": registration(1, "driver")["cpf"],
        "pix_key": "+5511912345678",
        "pix_key_type": "phone",
        "pix_key_changed_at": changed.json()["pix_key_changed_at"],
        "status": "active",
    }
    actions = [fact.action for fact, _, _ in await published(urls, of=AuditRecorded)]  # type: ignore[attr-defined]
    assert actions.count("read_bank_details") == 1


async def test_a_pix_key_that_is_anothers_is_refused(door: Door) -> None:
    _, tokens = await door.session(1, "driver")
    other_id, other = await door.session(2, "driver")
    body = {"pix_key": registration(1, "driver")["pix_key"], "pix_key_type": "email"}
    response = await door.client.put(f"/drivers/{other_id}/pix-key", headers=bearer(other), json=body)
    assert (response.status_code, response.json()["code"]) == (409, "already_registered")
    assert (await door.client.get("/me", headers=bearer(tokens))).status_code == 200


async def test_checks_come_in_the_order_of_the_contract(door: Door) -> None:
    driver_id, driver = await door.session(1, "driver")
    _, passenger = await door.session(1)
    path, malformed = f"/drivers/{driver_id}/pix-key", b"{"
    other = f"/drivers/{new_id()}/pix-key"
    door.client.headers["Content-Type"] = "application/json"
    put = door.client.put
    assert (await door.client.get("/nothing")).status_code == 404
    assert (await door.client.delete("/me")).status_code == 405
    assert (await put(path, content=malformed)).status_code == 401
    assert (await put(path, content=malformed, headers=bearer(passenger))).status_code == 403
    assert (await put(other, content=malformed, headers=bearer(driver))).status_code == 404
    response = await put(path, content=malformed, headers=bearer(driver))
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")
    assert (await put(path, json={"pix_key": "x"}, headers=bearer(driver))).status_code == 422
    wrong = {"pix_key": "x", "pix_key_type": "cpf"}
    response = await put(path, json=wrong, headers=bearer(driver))
    assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "invalid_pix_key")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/drivers/pending"),
        ("POST", "/admin/drivers/{id}/approve"),
        ("POST", "/admin/drivers/{id}/reject"),
        ("POST", "/admin/users/{id}/suspend"),
        ("POST", "/admin/users/{id}/reinstate"),
        ("POST", "/admin/users/{id}/ban"),
    ],
)
async def test_only_administrators_decide(door: Door, method: str, path: str) -> None:
    driver_id, driver = await door.session(1, "driver")
    url = path.format(id=driver_id)
    body = {"json": {"reason": "x"}} if method == "POST" else {}
    assert (await door.client.request(method, url, **body)).status_code == 401
    assert (await door.client.request(method, url, headers=bearer(driver), **body)).status_code == 403
    if "{id}" in path:
        unknown = path.format(id=new_id())
        response = await door.client.request(method, unknown, headers=await door.admin(), **body)
        assert response.status_code == 404


async def test_bank_details_are_for_services_only(door: Door) -> None:
    driver_id, driver = await door.session(1, "driver")
    url = f"/internal/drivers/{driver_id}/bank-details"
    for headers in ({}, bearer(driver), await door.admin(), {"Authorization": "Bearer nope"}):
        assert (await door.client.get(url, headers=headers)).status_code == 401
    unknown = f"/internal/drivers/{new_id()}/bank-details"
    assert (await door.client.get(unknown, headers=door.service)).status_code == 404


async def test_nobody_forges_an_address_without_the_gateways_token(door: Door, urls: DatabaseUrls) -> None:
    headers = {
        "X-Ibora-Gateway": "guess",
        "X-Ibora-Client-Address": "203.0.113.1",
        "X-Forwarded-For": "203.0.113.2",
    }
    await door.client.post("/auth/register", json=registration(1), headers=headers)
    records: list[Any] = [fact for fact, _, _ in await published(urls, of=AuditRecorded)]
    assert records[-1].action == "register_user"
    assert records[-1].ip_address is None
