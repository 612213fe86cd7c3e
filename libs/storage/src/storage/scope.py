"""What surrounds one transaction: the clock, who is writing, and what caused it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from kernel.clock import Clock
from storage.outbox_row import OutboxRow


class Cause(NamedTuple):
    """The event that is being handled: facts published meanwhile name it as their causation."""

    event_id: UUID
    correlation_id: UUID


@dataclass(slots=True, kw_only=True)
class Scope:
    """Made by `Database`, one a transaction. `pending` are outbox rows not yet inserted.

    `trace` are the headers of the trace that facts belong to; None: the current span's.
    """

    clock: Clock
    service: str
    read_only: bool = False
    cause: Cause | None = None
    trace: Mapping[str, str] | None = None
    pending: list[OutboxRow] = field(default_factory=list)
    wrote_outbox: bool = False
    after_commit: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
