from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from identity.domain.account import Account
from identity.domain.masked import masked_bank_details
from identity.ports import Tx
from kernel.actor import Actor


async def read_bank_details(tx: Tx, *, driver_id: UUID, actor: Actor, now: datetime) -> Account:
    """A driver's account, Pix key and CPF in clear, for the payout's bank snapshot; NotFound. Audited."""
    account = await tx.accounts.get(driver_id)
    await tx.publish(
        audited(
            "read_bank_details",
            entity_type="driver",
            entity_id=driver_id,
            actor=actor,
            now=now,
            after=masked_bank_details(account.the_driver()),
        )
    )
    return account
