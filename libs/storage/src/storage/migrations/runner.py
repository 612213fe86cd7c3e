"""Runs Alembic with the environment that this library supplies; a service only has `migrations/versions`."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from storage.engines import asyncpg_url, follow_password_file
from storage.migrations.roles import ATTRIBUTE, grant_defaults, protect_version_table
from storage.settings import DatabaseSettings

ENVIRONMENT: Final = Path(__file__).parent / "alembic_environment"
ONE_AT_A_TIME: Final = 0x1B0_12A  # an arbitrary, fixed advisory lock: two replicas may start at once
LOCK_TIMEOUT_MS: Final = 10_000


def run(service_folder: Path, settings: DatabaseSettings, *, revision: str = "head") -> None:
    """Migrate up to `revision`, as the owner role; the service's role is the user of DATABASE_URL.

    May be called inside a running event loop too: it blocks until done.
    """
    _run_command(service_folder, settings, lambda config: command.upgrade(config, revision))


def downgrade(service_folder: Path, settings: DatabaseSettings, *, revision: str = "base") -> None:
    """Migrate down to `revision`."""
    _run_command(service_folder, settings, lambda config: command.downgrade(config, revision))


def _run_command(folder: Path, settings: DatabaseSettings, work: Callable[[Config], None]) -> None:
    role = make_url(settings.database_url).username
    assert role, "DATABASE_URL names the service's role"
    config = _config(folder, role=role)
    _in_own_loop(_migrate(settings, config=config, role=role, work=work))


def _config(folder: Path, *, role: str) -> Config:
    config = Config()
    config.set_main_option("script_location", _escaped(ENVIRONMENT))
    config.set_main_option("version_locations", _escaped(folder / "migrations" / "versions"))
    config.set_main_option("path_separator", "newline")
    config.attributes[ATTRIBUTE] = role
    return config


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


async def _migrate(
    settings: DatabaseSettings, *, config: Config, role: str, work: Callable[[Config], None]
) -> None:
    engine = create_async_engine(
        asyncpg_url(settings.database_owner_url or settings.database_url),
        poolclass=NullPool,
        connect_args={"server_settings": {"lock_timeout": str(LOCK_TIMEOUT_MS)}},
    )
    by_owner = settings.database_owner_url is not None
    path = settings.database_owner_password_file if by_owner else settings.database_password_file
    follow_password_file(engine, path=path)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_locked, config, role, work)
    finally:
        await engine.dispose()


def _locked(connection: Connection, config: Config, role: str, work: Callable[[Config], None]) -> None:
    connection.execute(text("SET lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_lock(:id)"), {"id": ONE_AT_A_TIME})
    connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
    grant_defaults(connection, role=role)
    connection.commit()
    config.attributes["connection"] = connection
    work(config)
    protect_version_table(connection, role=role)
    connection.commit()


def _in_own_loop(work: Coroutine[Any, Any, None]) -> None:
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work).result()
