"""End a charge that Efí will not take money for any more."""

from datetime import datetime
from uuid import UUID

from payment.domain.charge import ChargeStatus
from payment.ports import Tx


async def expire_charge(tx: Tx, *, intent_id: UUID, now: datetime) -> bool:
    """Expire the intent and its charge, after Efí accepted the removal. False when it had ended already."""
    found = await tx.intents.lock(intent_id)
    assert found is not None, f"intent {intent_id} vanished"
    intent, charge = found
    if charge.status is not ChargeStatus.ACTIVE:
        return False
    expired, fact = intent.expire(now=now)
    await tx.intents.save(expired)
    await tx.intents.save_charge(charge.expire())
    await tx.publish(fact, version=expired.version)
    return True
