"""One delivery of one event: what a handler is told besides the fact."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from contracts.base import Fact
from storage import Transaction

T = TypeVar("T", bound=Transaction)


class Delivery(NamedTuple):
    """`id` and `source` identify the event, `key` its aggregate, `version` the aggregate's version (0: none).

    `time` is when it happened, `now` when it is handled; `headers` are the record's, as text.
    """

    id: UUID
    source: str
    type: str
    key: str
    time: datetime
    version: int
    now: datetime
    topic: str
    partition: int
    offset: int
    headers: Mapping[str, str]
    correlation_id: UUID | None = None
    causation_id: UUID | None = None


# A service's handler names the facts it takes (`async def(tx, fact: RidePaid, delivery)`), which no
# Callable type can say for a mapping of all of them; the mapping's keys are the facts.
Handler = Callable[..., Awaitable[None]]
"""`await handler(tx, fact, delivery)`, in the consumer's transaction, once per event."""

BatchHandler = Callable[[Sequence[tuple[Fact, Delivery]]], Awaitable[None]]
"""`await handler(pairs)` for a lossy topic: no inbox, no transaction of ours."""
