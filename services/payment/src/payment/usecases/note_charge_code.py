"""Store the code that Efí gave for a charge and tell the passenger."""

from uuid import UUID

from payment.domain.charge import ChargeStatus
from payment.ports import Tx


async def note_charge_code(tx: Tx, *, intent_id: UUID, pix_copy_paste: str, qr_code: str) -> bool:
    """False when the code is of no use any more: the charge ended, or the code is stored already."""
    found = await tx.intents.lock(intent_id)
    assert found is not None, f"intent {intent_id} vanished"
    intent, charge = found
    if charge.status is not ChargeStatus.ACTIVE or charge.submitted:
        return False
    submitted, fact = charge.submit(intent, pix_copy_paste=pix_copy_paste, qr_code=qr_code)
    await tx.intents.save_charge(submitted)
    await tx.publish(fact, version=intent.version)
    return True
