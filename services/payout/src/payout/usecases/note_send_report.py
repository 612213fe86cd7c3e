"""Take a webhook's hint."""

from datetime import datetime

from payout.ports import Tx


async def note_send_report(tx: Tx, *, id_envio: str, now: datetime) -> bool:
    """Have the bank asked now; False when no send of ours that reached it has this idEnvio."""
    return await tx.payouts.hasten(id_envio, now=now)
