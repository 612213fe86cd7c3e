"""Engines: a pool of connections that never wait for ever and never keep a stale password."""

from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from storage.pool_metrics import watch_pool
from storage.settings import DatabaseSettings

CONNECT_TIMEOUT_S = 5


def primary_engine(settings: DatabaseSettings, *, service: str) -> AsyncEngine:
    """The engine of the primary, as the service's own role."""
    return _engine(settings, url=settings.database_url, service=service, name="primary")


def replica_engine(settings: DatabaseSettings, *, service: str) -> AsyncEngine | None:
    """The engine of the read replica, or None when the settings name none."""
    if settings.database_replica_url is None:
        return None
    return _engine(settings, url=settings.database_replica_url, service=service, name="replica")


def asyncpg_url(url: str) -> URL:
    """`postgresql://…` as SQLAlchemy's asyncpg dialect wants it."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def follow_password_file(engine: AsyncEngine, *, path: Path | None) -> None:
    """Read the password again whenever a connection is opened."""
    if path is None:
        return

    @event.listens_for(engine.sync_engine, "do_connect")
    def with_password(_dialect: object, _record: object, _args: object, params: dict[str, Any]) -> None:
        params["password"] = path.read_text(encoding="utf-8").strip()


def _engine(settings: DatabaseSettings, *, url: str, service: str, name: str) -> AsyncEngine:
    engine = create_async_engine(
        asyncpg_url(url),
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_max_overflow,
        pool_timeout=settings.database_pool_timeout_s,
        # An error ends up in a log, and what was bound to the statement is somebody's e-mail or position.
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "server_settings": _server_settings(settings, service=service, name=name),
        },
    )
    follow_password_file(engine, path=settings.database_password_file)
    _ask_the_idle(engine, after_s=settings.database_ask_after_idle_s)
    watch_pool(engine, service=service, name=name)
    return engine


def _ask_the_idle(engine: AsyncEngine, *, after_s: float) -> None:
    """A connection that lay idle is asked whether it still lives before it is used, and replaced if not.

    The driver's question takes three round trips, as many as a small transaction itself: where that counts, one
    that was used a moment ago is only looked at, and a closed one is seen. (SQLAlchemy: Dealing with Disconnects,
    custom pings.)
    """
    pool = engine.sync_engine.pool

    @event.listens_for(pool, "checkin")
    def note(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = monotonic()
        # Whatever left it so: what the next one writes would be lost with a transaction that nobody ends.
        if connection is not None and connection.driver_connection.is_in_transaction():
            record.invalidate()

    @event.listens_for(pool, "checkout")
    def ask(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        since = record.info.get("idle_since")
        if since is None:
            return
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the connection was closed while it was idle")
        if monotonic() - since < after_s:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the connection died while it was idle") from error


def _server_settings(settings: DatabaseSettings, *, service: str, name: str) -> dict[str, str]:
    values = {
        "application_name": f"ibora-{service}",
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": str(settings.database_statement_timeout_ms),
        "lock_timeout": str(settings.database_lock_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.database_idle_timeout_ms),
    }
    if name == "replica":
        values["default_transaction_read_only"] = "on"
    return values
