"""Store what Efí notified, before the 2xx."""

from collections.abc import Sequence

from payment.domain.webhook import WebhookEvent
from payment.ports import Tx


async def store_webhook(tx: Tx, *, events: Sequence[WebhookEvent]) -> None:
    """One row an event and delivery; equal events are told apart later, by what they speak of."""
    await tx.webhooks.add(events)
