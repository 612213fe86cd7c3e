from datetime import datetime

from ride_dispatch.ports import Tx


async def purge_records(tx: Tx, *, before: datetime) -> None:
    """Forget idempotency records and quotes from before a time: nobody will ask for them again."""
    await tx.forget_requests(before=before)
    await tx.quotes.forget(before=before)
