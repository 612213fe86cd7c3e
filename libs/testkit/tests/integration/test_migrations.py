"""Every service's migrations run forward, back and forward again."""

from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from devstack import folders
from storage import DatabaseSettings, migrations
from testkit import DatabaseUrls

SERVICES = sorted(path.parent for path in (folders.ROOT / "services").glob("*/migrations"))

TABLES = """
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
UNION ALL SELECT viewname FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'
"""


async def left_over(urls: DatabaseUrls) -> set[str]:
    """Tables, views and functions of the database."""
    connection = await asyncpg.connect(urls.admin_url)
    try:
        return {row[0] for row in await connection.fetch(TABLES)}
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "folder", [f for f in SERVICES if list(f.glob("migrations/versions/*.py"))], ids=lambda f: f.name
)
async def test_migrations_run_back_to_nothing_and_forward_again(
    folder: Path, make_database: Callable[..., DatabaseUrls]
) -> None:
    urls = make_database(folder.name)
    settings = DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url)
    made = await left_over(urls)
    assert {"outbox", "inbox"} <= made
    migrations.downgrade(folder, settings)
    assert await left_over(urls) == set()
    migrations.run(folder, settings)
    assert await left_over(urls) == made
