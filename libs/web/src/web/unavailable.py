"""Which errors mean that a part we need is away: 503, try again; not 500, a bug."""

from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from valkey.exceptions import ConnectionError as ValkeyConnectionError
from valkey.exceptions import TimeoutError as ValkeyTimeout

from storage import sqlstate

_AWAY: Final = (
    PoolTimeout,
    OperationalError,
    InterfaceError,
    ValkeyConnectionError,
    ValkeyTimeout,
    ConnectionError,
    TimeoutError,
)
# Connection, resources, operator (also the statement timeout), serialization, deadlock and lock timeout.
_SQLSTATES: Final = ("08", "53", "57", "40001", "40P01", "55P03")


def is_unavailable(error: BaseException) -> bool:
    """Whether trying again later may work although nothing is wrong with the request."""
    if isinstance(error, _AWAY):
        return True
    if isinstance(error, asyncpg.InterfaceError):
        # The driver's own word for a closed connection, and for a value that it cannot send.
        return not isinstance(error, ValueError)
    if isinstance(error, asyncpg.PostgresError):
        return (sqlstate(error) or "").startswith(_SQLSTATES)
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or (sqlstate(error) or "").startswith(_SQLSTATES)
