"""Store what Efí notified, before the 2xx."""

from collections.abc import Sequence

from payment.domain.webhook import Delivery, WebhookEvent
from payment.ports import Tx


async def store_webhook(tx: Tx, *, delivery: Delivery, events: Sequence[WebhookEvent]) -> None:
    """The body as it came, sealed, and one row an event; equal events are told apart later."""
    await tx.webhooks.keep(delivery)
    await tx.webhooks.add(events)
