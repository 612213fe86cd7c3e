"""The driver's own connection, for the few statements that every transaction pays for."""

from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession


async def driver_of(session: AsyncSession) -> asyncpg.Connection:
    """asyncpg's connection inside the session's transaction; a statement on it costs a third.

    Its errors are asyncpg's own (`sqlstate` reads both), and its rows know nothing of tables.
    """
    if not session.in_transaction() or session.in_nested_transaction():
        await session.connection()  # a savepoint is set by what is done first in it
    adapted = session.sync_session.connection().connection.dbapi_connection
    driver = adapted.driver_connection  # type: ignore[union-attr]
    assert isinstance(driver, asyncpg.Connection), "services run on asyncpg"
    if not driver.is_in_transaction():
        # SQLAlchemy begins with its own first statement; one that only did that would cost as much as ours.
        await _begin(session, adapted)
    return driver


async def _begin(session: AsyncSession, adapted: Any) -> None:
    """BEGIN; a connection that does not come through it is never used again.

    Whoever is cancelled meanwhile cannot know whether the server has begun. Kept, such a connection would take
    the next transaction for begun and lose it: its COMMIT would do nothing.
    """
    try:
        await adapted._start_transaction()
    except BaseException as error:
        session.sync_session.connection().invalidate()
        if isinstance(error.__cause__, asyncpg.PostgresError | asyncpg.InterfaceError):
            raise error.__cause__ from None  # the adapter's own class is nobody's: SQLAlchemy would wrap it
        raise
