"""The audit log on a real database, filled over a real Kafka."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from backoffice_fakes import NOW, a_record
from fastapi import FastAPI

from backoffice.main import build
from backoffice.settings import Settings
from contracts.audit import AuditRecorded
from messaging import KafkaSettings
from testkit import DatabaseUrls, Tokens, eventually


@pytest.fixture
def urls(make_database: Callable[..., DatabaseUrls]) -> DatabaseUrls:
    return make_database("backoffice")


@pytest.fixture
async def app(urls: DatabaseUrls, kafka_settings: KafkaSettings, tokens: Tokens) -> AsyncIterator[FastAPI]:
    settings = Settings(database_url=urls.app_url, **kafka_settings.model_dump())
    app = build(settings, verifier=tokens.verifier())
    async with app.router.lifespan_context(app):
        yield app


async def publish(app: FastAPI, *records: AuditRecorded) -> None:
    """As any service does, through this one's own outbox."""
    async with app.state.deps.transaction() as tx:
        for record in records:
            await tx.publish(record)


async def listed(app: FastAPI, tokens: Tokens, **query: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://backoffice"
    ) as client:
        answer = await client.get("/audit/logs", params=query, headers=tokens.headers(uuid4(), "admin"))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_records_arrive_once_and_are_found_by_what_they_say(app: FastAPI, tokens: Tokens) -> None:
    first, second = a_record(), a_record(action="ban_user", occurred_at=NOW + timedelta(hours=1))
    await publish(app, first, second, first)

    async def both() -> bool:
        return len((await listed(app, tokens))["data"]) == 2

    await eventually(both, timeout_s=20)
    for query in (
        {"action": "ban_user"},
        {"entity_id": second.entity_id, "entity_type": "driver"},
        {"user_id": str(second.user_id)},
        {"from": (NOW + timedelta(minutes=1)).isoformat()},
    ):
        [found] = (await listed(app, tokens, **query))["data"]
        assert found["id"] == str(second.record_id)
    [before_noon] = (await listed(app, tokens, to=(NOW + timedelta(minutes=1)).isoformat()))["data"]
    assert before_noon["changes"] == {
        "before": {"approval_status": "pending"},
        "after": {"approval_status": "approved"},
    }
    page = await listed(app, tokens, limit=1)
    rest = await listed(app, tokens, limit=1, cursor=page["next_cursor"])
    assert page["has_more"]
    assert not rest["has_more"]
    assert {page["data"][0]["id"], rest["data"][0]["id"]} == {str(first.record_id), str(second.record_id)}


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_beyond_the_calendar_is_refused(app: FastAPI, tokens: Tokens, at: str) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://backoffice"
    ) as client:
        admin = tokens.headers(uuid4(), "admin")
        for name in ("from", "to"):
            answer = await client.get("/audit/logs", params={name: at}, headers=admin)
            assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")


async def test_only_admins_read_it(app: FastAPI, tokens: Tokens) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://backoffice"
    ) as client:
        assert (await client.get("/audit/logs")).status_code == 401
        for role in ("passenger", "driver"):
            answer = await client.get("/audit/logs", headers=tokens.headers(uuid4(), role))
            assert answer.status_code == 403


@pytest.mark.parametrize("role", ["app_url", "owner_url", "admin_url"])
@pytest.mark.parametrize(
    "statement", ["UPDATE audit_logs SET action = 'x'", "DELETE FROM audit_logs", "TRUNCATE audit_logs"]
)
async def test_nobody_changes_or_deletes_a_record(urls: DatabaseUrls, role: str, statement: str) -> None:
    owner = await asyncpg.connect(urls.owner_url)
    await owner.execute(
        "INSERT INTO audit_logs (record_id, action, entity_type, entity_id, user_type, changes, occurred_at)"
        " VALUES (gen_random_uuid(), 'a', 'b', 'c', 'admin', '{}', now())"
    )
    await owner.close()
    connection = await asyncpg.connect(getattr(urls, role))
    try:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.RestrictViolationError)):
            await connection.execute(statement)
    finally:
        await connection.close()
