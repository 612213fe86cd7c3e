"""Write a fact into the logs of those who may hear of it."""

from datetime import datetime
from uuid import UUID

from contracts.base import Fact
from notification.domain.audience import messages_of
from notification.ports import Tx


async def log_messages(tx: Tx, *, fact: Fact, event_id: UUID, occurred_at: datetime) -> int:
    """How many users hear of it."""
    messages = messages_of(fact, event_id=event_id, occurred_at=occurred_at)
    tx.log.add(messages)
    return len(messages)
