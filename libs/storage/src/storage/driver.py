"""The driver's own connection, for the few statements that every transaction pays for."""

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
        await adapted._start_transaction()  # type: ignore[union-attr]
    return driver
