"""One direct connection to Postgres, for what a pool cannot hold: session advisory locks."""

import asyncpg
from sqlalchemy import make_url

from storage import DatabaseSettings

COMMAND_TIMEOUT_S = 15.0
CLOSE_TIMEOUT_S = 2.0


async def connect_directly(settings: DatabaseSettings, *, application: str) -> asyncpg.Connection:
    """A connection of its own as the service's role; never through a transaction pooler."""
    url = make_url(settings.database_url)
    path = settings.database_password_file
    password = path.read_text(encoding="utf-8").strip() if path else url.password
    return await asyncpg.connect(
        host=url.host,
        port=url.port or 5432,
        user=url.username,
        password=password,
        database=url.database,
        timeout=5,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={
            "application_name": application,
            "timezone": "UTC",
            "jit": "off",
            # A lost delete only repeats a publication: no need to wait for the disk, or to make others wait.
            "synchronous_commit": "off",
            "statement_timeout": "10000",
            "lock_timeout": "3000",
            "idle_in_transaction_session_timeout": "10000",
            "tcp_keepalives_idle": "10",
            "tcp_user_timeout": "15000",
        },
    )


async def close_directly(connection: asyncpg.Connection | None) -> None:
    """Close, whatever state the connection is in; never raises."""
    if connection is None or connection.is_closed():
        return
    try:
        await connection.close(timeout=CLOSE_TIMEOUT_S)
    except Exception:  # it was lost already, or is stuck  # noqa: BLE001
        connection.terminate()
