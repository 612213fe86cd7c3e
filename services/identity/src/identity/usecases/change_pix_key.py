from datetime import datetime
from uuid import UUID

from identity.domain.account import Account
from identity.domain.masked import masked_bank_details
from identity.ports import Tx
from identity.usecases.save_driver_change import save_driver_change
from kernel.actor import Actor
from kernel.documents import PixKeyType


async def change_pix_key(
    tx: Tx, *, driver_id: UUID, pix_key: str, pix_key_type: PixKeyType, actor: Actor, now: datetime
) -> Account:
    """Send the driver's payouts to a checked key from now on; NotFound, AlreadyRegistered if another's."""
    account = await tx.accounts.lock(driver_id)
    driver, fact = account.the_driver().change_pix_key(pix_key=pix_key, pix_key_type=pix_key_type, now=now)
    return await save_driver_change(
        tx,
        account=account.with_driver(driver),
        fact=fact,
        action="change_pix_key",
        before=masked_bank_details(account.the_driver()),
        after=masked_bank_details(driver),
        actor=actor,
        now=now,
    )
