"""Open what a passenger owes for a completed ride, once."""

from datetime import datetime
from uuid import UUID

from kernel.ids import new_id
from kernel.refusals import NotFound
from payment.domain.charge import Charge
from payment.domain.intent import Intent, IntentStatus
from payment.ports import Tx


async def open_intent(tx: Tx, *, ride_id: UUID, now: datetime, ttl_s: float) -> tuple[Intent, Charge, bool]:
    """The ride's intent and charge, and whether they are new.

    An expired intent is followed by a new one; any other is answered as it is. The charge goes to Efí
    after the commit (`submit_charges`). Raises NotFound, RideNotPayableYet.
    """
    ride = await tx.rides.lock(ride_id)
    if ride is None:
        raise NotFound(f"ride {ride_id}")
    latest = await tx.intents.latest_of(ride_id)
    if latest is not None and latest[0].status is not IntentStatus.EXPIRED:
        return (*latest, False)
    intent = Intent.open(ride, intent_id=new_id(), now=now, ttl_s=ttl_s)
    charge = Charge.of(intent, charge_id=new_id())
    await tx.intents.add(intent, charge)
    return intent, charge, True
