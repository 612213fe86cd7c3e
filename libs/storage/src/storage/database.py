"""The database of one service: opens transactions, commits them, runs them again when Postgres asks to."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import perf_counter
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from kernel.clock import Clock, SystemClock
from storage.engines import primary_engine, replica_engine
from storage.nudge import committed
from storage.pool_metrics import CHECKOUT, RETRIES
from storage.scope import Scope
from storage.settings import DatabaseSettings
from storage.transaction import Transaction
from telemetry import get_logger

log = get_logger(__name__)

T = TypeVar("T", bound=Transaction)
R = TypeVar("R")

RETRIED_SQLSTATES: Final = frozenset({"40001", "40P01", "55P03"})
ATTEMPTS: Final = 6
FIRST_WAIT_S: Final = 0.01
LONGEST_WAIT_S: Final = 0.5


class NestedTransaction(RuntimeError):
    """A second transaction was opened inside an open one: a bug, and a deadlock when the pool is full."""


class Database(Generic[T]):
    """Primary and optional replica. `make` builds the service's own Transaction from a session and scope."""

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        service: str,
        make: Callable[[AsyncSession, Scope], T],
        clock: Clock = SystemClock(),  # noqa: B008  # stateless, so one default is as good as many
    ) -> None:
        self.engine: AsyncEngine = primary_engine(settings, service=service)
        self.settings = settings
        self.service = service
        self._replica = replica_engine(settings, service=service)
        self._make = make
        self._clock = clock
        self._open: WeakSet[asyncio.Task[Any]] = WeakSet()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[T]:
        """READ COMMITTED on the primary: commits on exit, rolls back on any exception."""
        scope = Scope(clock=self._clock, service=self.service)
        with self._alone():
            async with self._session(self.engine, pool="primary") as session:
                tx = self._make(session, scope)
                yield tx
                await tx.flush()
                await session.commit()
        await _committed(scope)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[T]:
        """A read-only transaction, on the replica when there is one; may lag."""
        engine, pool = (self.engine, "primary") if self._replica is None else (self._replica, "replica")
        scope = Scope(clock=self._clock, service=self.service, read_only=True)
        with self._alone():
            async with self._session(engine, pool=pool, postgresql_readonly=True) as session:
                yield self._make(session, scope)

    async def retrying(self, work: Callable[[T], Awaitable[R]]) -> R:
        """Run `work` in a transaction, and the whole again on 40001, 40P01 and 55P03; bounded, jittered."""
        for attempt in range(ATTEMPTS):
            try:
                async with self.transaction() as tx:
                    return await work(tx)
            except (DBAPIError, asyncpg.PostgresError) as error:
                state = sqlstate(error)
                if state not in RETRIED_SQLSTATES or attempt == ATTEMPTS - 1:
                    raise
                RETRIES.labels(sqlstate=state).inc()
            await asyncio.sleep(random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 4**attempt)))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def ready(self) -> None:
        """Raise when the primary does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        if self._replica is not None:
            await self._replica.dispose()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None, "a transaction needs a task"
        if task in self._open:
            raise NestedTransaction("this task already holds a transaction of this database")
        self._open.add(task)
        try:
            yield
        finally:
            self._open.discard(task)

    @asynccontextmanager
    async def _session(
        self, engine: AsyncEngine, *, pool: str, **options: Any
    ) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine, expire_on_commit=False, autoflush=False) as session:
            started = perf_counter()
            await session.connection(execution_options=options)
            CHECKOUT.labels(pool=pool).observe(perf_counter() - started)
            yield session


def sqlstate(error: DBAPIError | asyncpg.PostgresError) -> str | None:
    """The five-letter SQLSTATE of a database error, or None when the driver gave none."""
    state = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    return state if isinstance(state, str) else None


async def _committed(scope: Scope) -> None:
    committed(outbox=scope.wrote_outbox)
    # A transaction and its repositories hold each other until the collector comes by; this work need not wait so long.
    hooks, scope.after_commit = scope.after_commit, []
    for work in hooks:
        try:
            await work()
        except Exception:  # the commit stands whatever happens here
            log.exception("after_commit_failed", service=scope.service)
