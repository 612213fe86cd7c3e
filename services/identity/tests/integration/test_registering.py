"""Registering and logging in on a real database."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from identity_door import PASSWORD, Door, bearer, email, registration, running
from identity_fakes import cpf_number

from contracts.identity import Profile
from identity.settings import Settings
from testkit import DatabaseUrls, published
from testkit.outbox import rows


async def test_a_passenger_registers_and_logs_in_by_address_or_phone(door: Door) -> None:
    registered = await door.register(1)
    assert registered == {"user_id": registered["user_id"], "user_type": "passenger", "status": "active"}
    for login in ("PASSENGER1@exemplo.com.br", "(11) 98000-0001"):
        tokens = await door.log_in(login)
        assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in"}
        me = (await door.client.get("/me", headers=bearer(tokens))).json()
        assert (me["id"], me["user_type"], me["email"]) == (registered["user_id"], "passenger", email(1))
        assert me["passenger"]["cpf"].startswith("***.")
        assert me["driver"] is None


async def test_a_driver_starts_pending_with_a_vehicle_and_masked_documents(door: Door) -> None:
    registered = await door.register(1, "driver")
    assert registered["approval_status"] == "pending"
    tokens = await door.log_in(email(1, "driver"))
    me = (await door.client.get("/me", headers=bearer(tokens))).json()
    body = registration(1, "driver")
    assert me["approval_status"] == "pending"
    assert [car["license_plate"] for car in me["driver"]["vehicles"]] == [body["vehicle"]["license_plate"]]
    for secret in (body["cpf"], body["cnh_number"], body["pix_key"]):
        assert secret not in str(me)


async def test_wrong_fields_are_told_with_pointers_and_codes(door: Door) -> None:
    body = registration(1, "driver", cpf="11111111111", phone="1", email="x")
    body["vehicle"] = body["vehicle"] | {"license_plate": "A1"}
    response = await door.client.post("/auth/register", json=body)
    assert response.status_code == 422
    assert {error["pointer"]: error["code"] for error in response.json()["errors"]} == {
        "/cpf": "invalid_cpf",
        "/phone": "invalid_phone",
        "/email": "invalid_email",
        "/vehicle/license_plate": "invalid_plate",
    }


@pytest.mark.parametrize(("language", "sentence"), [("pt-BR", "CPF inválido."), ("en", "Invalid CPF.")])
async def test_wrong_fields_are_told_in_the_readers_language(
    door: Door, language: str, sentence: str
) -> None:
    body = registration(1, cpf="11111111111")
    response = await door.client.post("/auth/register", json=body, headers={"Accept-Language": language})
    assert [error["detail"] for error in response.json()["errors"]] == [sentence]


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "curta"},
        {"password": "x" * 129},
        {"role": "admin"},
        {"user_type": "admin"},
        {"cnh_number": "12345678900"},
        {"full_name": "a\u0007b"},
        {"full_name": 7},
    ],
)
async def test_a_wrong_registration_is_refused_before_anything_is_written(
    door: Door, urls: DatabaseUrls, changes: dict[str, Any]
) -> None:
    before = len(await rows(urls))
    response = await door.client.post("/auth/register", json=registration(1, **changes))
    assert response.status_code == 422, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    assert len(await rows(urls)) == before


@pytest.mark.parametrize("field", ["email", "phone", "cpf", "cnh_number", "pix_key", "vehicle"])
async def test_whatever_exists_gets_the_same_409(door: Door, field: str) -> None:
    await door.register(1, "driver")
    answers = []
    for taken in (field, "email"):
        body = registration(2, "driver", **{taken: registration(1, "driver")[taken]})
        response = await door.client.post("/auth/register", json=body)
        assert response.status_code == 409
        answers.append({k: v for k, v in response.json().items() if k != "request_id"})
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "already_registered"


async def test_an_old_plate_and_its_mercosul_form_are_one_car(door: Door) -> None:
    for number, plate, status in ((1, "abc-1234", 201), (2, "ABC1C34", 409)):
        body = registration(number, "driver")
        body["vehicle"] = body["vehicle"] | {"license_plate": plate}
        assert (await door.client.post("/auth/register", json=body)).status_code == status


async def test_of_fifty_registrations_of_one_cpf_exactly_one_wins(door: Door, urls: DatabaseUrls) -> None:
    cpf = cpf_number(777_000_001)
    bodies = [registration(number, cpf=cpf) for number in range(50)]
    responses = await asyncio.gather(*(door.client.post("/auth/register", json=body) for body in bodies))
    assert sorted(response.status_code for response in responses) == [201] + [409] * 49
    profiles = [
        fact for fact, _, _ in await published(urls, of=Profile) if fact.full_name.startswith("Pessoa")
    ]
    assert len(profiles) == 1


async def test_what_is_stored_published_and_logged_holds_no_document(
    door: Door,
    urls: DatabaseUrls,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    body = registration(1, "driver")
    await door.register(1, "driver")
    tokens = await door.log_in(email(1, "driver"))
    secrets = [
        body["cpf"],
        body["cnh_number"],
        body["pix_key"],
        PASSWORD,
        tokens["access_token"],
        tokens["refresh_token"],
    ]
    outbox = b"".join(row["payload"] + row["headers"].encode() for row in await rows(urls))
    stored = await _dump(urls)
    written = capfd.readouterr()
    logged = caplog.text + written.out + written.err
    assert "register_user" in logged
    for secret in secrets:
        assert secret.encode() not in outbox
        assert secret not in logged
        assert secret not in stored
    for contact in (body["email"], body["phone"]):
        assert contact.encode() not in outbox
        assert contact not in logged


async def test_an_old_bcrypt_hash_still_verifies_and_is_upgraded(door: Door, urls: DatabaseUrls) -> None:
    import bcrypt

    await door.register(1)
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    await _set_hash(urls, old)
    wrong = {"login": email(1), "password": "errada-errada"}
    assert (await door.client.post("/auth/login", json=wrong)).status_code == 401
    await door.log_in(email(1))
    assert (await _hash(urls)).startswith("$argon2id$")
    await door.log_in(email(1))


async def test_an_unreadable_hash_lets_nobody_in(door: Door, urls: DatabaseUrls) -> None:
    await door.register(1)
    await _set_hash(urls, "!locked")
    response = await door.client.post("/auth/login", json={"login": email(1), "password": PASSWORD})
    assert response.status_code == 401


async def test_an_unknown_login_and_a_wrong_password_get_one_answer(door: Door) -> None:
    await door.register(1)
    answers = []
    for login, password in ((email(1), "errada-errada"), (email(9), PASSWORD), ("lixo", PASSWORD)):
        response = await door.client.post("/auth/login", json={"login": login, "password": password})
        assert response.status_code == 401
        answers.append({k: v for k, v in response.json().items() if k != "request_id"})
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["code"] == "invalid_credentials"


async def test_failed_logins_are_refused_for_a_while_but_not_from_the_owners_address(
    door: Door, settings: Callable[..., Settings], valkey_url: str
) -> None:
    await door.register(1)
    limited = settings(
        rate_limits="strict", valkey_url=valkey_url, login_failures_per_pair=3, login_failures_per_login=4
    )
    async with running(limited) as one, running(limited) as other:
        right = {"login": email(1), "password": PASSWORD}
        wrong = right | {"password": "errada-errada"}
        home = one.from_address("203.0.113.1")
        assert (await one.client.post("/auth/login", json=right, headers=home)).status_code == 200
        statuses = []
        for process in (one, other, one, other):
            thief = process.from_address("198.51.100.7")
            statuses.append((await process.client.post("/auth/login", json=wrong, headers=thief)).status_code)
        assert statuses == [401, 401, 401, 429]
        thief = other.from_address("198.51.100.8")
        assert (await other.client.post("/auth/login", json=wrong, headers=thief)).status_code == 401
        refused = await one.client.post("/auth/login", json=right, headers=one.from_address("198.51.100.9"))
        assert refused.status_code == 429
        assert refused.json()["code"] == "too_many_attempts"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert (await other.client.post("/auth/login", json=right, headers=home)).status_code == 200


async def test_without_valkey_failures_are_counted_in_the_process(
    door: Door, settings: Callable[..., Settings]
) -> None:
    await door.register(1)
    limited = settings(rate_limits="strict", valkey_url="redis://127.0.0.1:1/0", login_failures_per_pair=4)
    async with running(limited) as process:
        wrong = {"login": email(1), "password": "errada-errada"}
        statuses = [(await process.client.post("/auth/login", json=wrong)).status_code for _ in range(3)]
        assert statuses == [401, 401, 429]


async def test_one_address_cannot_try_one_password_on_everybody(
    door: Door, settings: Callable[..., Settings], valkey_url: str
) -> None:
    limited = settings(rate_limits="strict", valkey_url=valkey_url, login_failures_per_address=3)
    async with running(limited) as process:
        headers = process.from_address("198.51.100.7")
        statuses = []
        for number in range(4):
            body = {"login": email(number), "password": "Senha123"}
            statuses.append(
                (await process.client.post("/auth/login", json=body, headers=headers)).status_code
            )
        assert statuses == [401, 401, 401, 429]


async def _dump(urls: DatabaseUrls) -> str:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        tables = ("users", "drivers", "sessions", "refresh_tokens", "signing_keys")
        return "".join([str(await connection.fetch(f"SELECT * FROM {table}")) for table in tables])
    finally:
        await connection.close()


async def _set_hash(urls: DatabaseUrls, password_hash: str) -> None:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute(
            "UPDATE users SET password_hash = $1 WHERE email = $2", password_hash, email(1)
        )
    finally:
        await connection.close()


async def _hash(urls: DatabaseUrls) -> str:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        return str(await connection.fetchval("SELECT password_hash FROM users WHERE email = $1", email(1)))
    finally:
        await connection.close()
