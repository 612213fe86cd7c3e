"""The transaction: state, outbox, inbox and idempotency records commit together or not at all."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.base import Fact
from contracts.topics import Topic
from storage.outbox import insert_rows
from storage.outbox_row import Envelope, NotPublishable, fact_row, json_writer, tombstone_row
from storage.row_ids import new_row_id
from storage.scope import Cause, Scope

JsonPublisher = Callable[[str, bytes, int, Cause | None, Mapping[str, str]], None]


class Transaction:
    """One database transaction. Services subclass it and add their repositories in `__init__`."""

    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        self.session = session
        self.scope = scope

    def now(self) -> datetime:
        """The injected clock's time, aware UTC. Read once at the edge and pass it down."""
        return self.scope.clock.now()

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID:
        """Append `fact` to the outbox; returns its event id (UUIDv7).

        The row is written just before COMMIT, together with all others of this transaction. Lock or
        version-check the aggregate's row first, in this transaction: the order per key rests on it.
        `version` is the aggregate's version (0: none). Raises NotPublishable for a fact that breaks
        the outbox's rules.
        """
        envelope = self._envelope(new_row_id(), cause=self.scope.cause, trace=self.scope.trace)
        self.scope.pending.append(fact_row(fact, version=version, envelope=envelope))
        return envelope.event_id

    def json_publisher(self, kind: type[Fact]) -> JsonPublisher:
        """`publish` for facts of one kind that the caller has serialized: for those who write thousands at once.

        It takes key, payload, version, cause and trace headers. A payload is what the fact's model would give, and
        the caller's tests hold it to that. All bear the moment at which the publisher was made.
        """
        self._check_writing()
        write = json_writer(kind, service=self.scope.service, time=self.now())
        append = self.scope.pending.append

        def publish(
            key: str, payload: bytes, version: int, cause: Cause | None, trace: Mapping[str, str]
        ) -> None:
            event_id = new_row_id()
            # Without a cause each fact is the first of a story of its own.
            correlation_id = event_id if cause is None else cause.correlation_id
            causation_id = None if cause is None else cause.event_id
            append(write(event_id, key, payload, version, correlation_id, causation_id, trace))

        return publish

    async def forget(self, topic: Topic, *, key: str) -> UUID:
        """Append a tombstone, so that a compacted topic forgets `key`; returns its event id."""
        envelope = self._envelope(new_row_id(), cause=self.scope.cause, trace=self.scope.trace)
        self.scope.pending.append(tombstone_row(topic, key=key, envelope=envelope))
        return envelope.event_id

    def after_commit(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` after a successful commit, once the connection is free; failures are logged only."""
        self.scope.after_commit.append(work)

    async def before_commit(self) -> None:
        """Override to flush what was collected, in set-based statements; called once before COMMIT."""

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo the block's writes, publications and after-commit work if it raises; the rest stays."""
        published, hooks = len(self.scope.pending), len(self.scope.after_commit)
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            del self.scope.pending[published:]
            del self.scope.after_commit[hooks:]
            raise

    @contextmanager
    def caused_by(self, cause: Cause) -> Iterator[None]:
        """Facts published in the block name `cause` as what caused them."""
        outer, self.scope.cause = self.scope.cause, cause
        try:
            yield
        finally:
            self.scope.cause = outer

    async def flush(self) -> None:
        """Call `before_commit` and write what was published. `Database` calls it before COMMIT."""
        await self.before_commit()
        if not self.scope.pending:
            return
        await insert_rows(self.session, rows=self.scope.pending)
        self.scope.pending.clear()
        self.scope.wrote_outbox = True

    def _envelope(self, event_id: UUID, *, cause: Cause | None, trace: Mapping[str, str] | None) -> Envelope:
        self._check_writing()
        return Envelope(
            event_id=event_id,
            service=self.scope.service,
            time=self.now(),
            correlation_id=cause.correlation_id if cause else event_id,
            causation_id=cause.event_id if cause else None,
            trace=trace,
        )

    def _check_writing(self) -> None:
        if self.scope.read_only:
            raise NotPublishable("a reading transaction publishes nothing")
