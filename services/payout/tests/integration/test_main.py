"""The command, and the whole service in one process."""

import base64
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx
import pytest
from dispatch_kafka import produce
from payout_fakes import NOW

from contracts.identity import Profile, UserStatus, UserType
from kernel.ids import new_id
from messaging import KafkaSettings
from payout.main import build, cli, describe, policy_of, rebuild
from payout.settings import Settings
from testkit import eventually
from testkit.databases import DatabaseUrls


def test_the_routes_are_described_without_opening_anything() -> None:
    paths = describe().openapi()["paths"]
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert {"request_payout", "list_payouts", "get_payout"} <= set(names)


def test_the_settings_make_the_policy(settings: Settings) -> None:
    policy = policy_of(settings.model_copy(update={"janitor_s": 7.0}))
    assert (policy.janitor_s, str(policy.limits.minimum)) == (7.0, "1.00")


def test_the_command_migrates(
    make_database: Callable[[str], DatabaseUrls], monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = make_database("payout")
    monkeypatch.setenv("DATABASE_URL", urls.app_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", urls.owner_url)
    for command, code in (("migrate", 0), ("nonsense", 2)):
        monkeypatch.setattr(sys, "argv", ["payout", command])
        assert cli() == code


async def test_standings_are_rebuilt_from_the_profiles(
    settings: Settings, kafka_settings: KafkaSettings, urls: DatabaseUrls
) -> None:
    driver = Profile(
        user_id=new_id(),
        version=2,
        user_type=UserType.DRIVER,
        status=UserStatus.SUSPENDED,
        full_name="Ana",
        pix_key_changed_at=NOW,
        updated_at=NOW,
    )
    older = driver.model_copy(update={"version": 1, "status": UserStatus.ACTIVE})
    passenger = driver.model_copy(update={"user_id": new_id(), "user_type": UserType.PASSENGER})
    await produce(kafka_settings, [driver, older, passenger], service="identity")
    whole = settings.model_copy(update=kafka_settings.model_dump(exclude_unset=True))

    assert await rebuild(whole) == 3

    [row] = await query(urls, "SELECT * FROM driver_standings")
    assert (row["driver_id"], row["status"], row["pix_key_changed_at"]) == (driver.user_id, "suspended", NOW)


async def query(urls: DatabaseUrls, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(urls.app_url)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def test_one_process_is_api_and_worker(
    settings: Settings, kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(base64.b64encode(bytes(32)).decode())
    (tmp_path / "token").write_text("secret")
    whole = settings.model_copy(
        update={"identity_url": "http://127.0.0.1:1", **kafka_settings.model_dump(exclude_unset=True)}
    )
    app = build(whole, mode="all")
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://payout") as client,
    ):

        async def ready() -> bool:
            return (await client.get("/ready")).status_code == 200

        await eventually(ready, 30)
        assert (await client.get("/health")).status_code == 200
        metrics = (await client.get("/metrics")).text
    for name in ("payouts_created_total", "payouts_completed_total", "payouts_failed_total"):
        assert f"# TYPE {name.removesuffix('_total')}" in metrics
