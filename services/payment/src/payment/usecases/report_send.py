"""Pass on what a webhook said of a Pix that we sent."""

from datetime import datetime

from contracts.payment import SendReported
from payment.domain.webhook import WebhookEvent
from payment.ports import Tx


async def report_send(tx: Tx, *, event: WebhookEvent, now: datetime) -> None:
    """A hint for payout, which asks Efí itself before it acts."""
    assert event.reference is not None, "a send is named by its idEnvio"
    await tx.publish(
        SendReported(
            id_envio=event.reference,
            e2e_id=event.e2e_id,
            status=event.status or "unknown",
            reported_at=now,
        )
    )
