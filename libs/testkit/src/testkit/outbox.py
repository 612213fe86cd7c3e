"""Reads what a service has published but no relay has taken yet."""

from typing import Any

import asyncpg

from contracts.base import Fact
from contracts.registry import BY_TYPE
from testkit.databases import DatabaseUrls


async def published(urls: DatabaseUrls | str, *, of: type[Fact] | None = None) -> list[tuple[Fact, str, int]]:
    """`(fact, key, version)` of each row in the outbox, oldest first; tombstones are left out."""
    facts = [
        (BY_TYPE[row["event_type"]].model_validate_json(row["payload"]), row["key"], row["aggregate_version"])
        for row in await rows(urls)
        if row["payload"] is not None
    ]
    return [entry for entry in facts if of is None or isinstance(entry[0], of)]


async def rows(urls: DatabaseUrls | str) -> list[Any]:
    """The outbox's raw rows, oldest first: `topic`, `key`, `headers` (JSON text), `payload` (bytes or None),
    …
    """
    url = urls if isinstance(urls, str) else urls.admin_url
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch("SELECT * FROM outbox ORDER BY id"))
    finally:
        await connection.close()
