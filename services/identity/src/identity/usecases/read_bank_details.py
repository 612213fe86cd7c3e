from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from identity.domain.driver import Driver
from identity.domain.masked import masked_bank_details
from identity.ports import Tx
from kernel.actor import Actor


async def read_bank_details(tx: Tx, *, driver_id: UUID, actor: Actor, now: datetime) -> Driver:
    """A driver with documents and Pix key in clear, for the payout's bank snapshot; NotFound. Audited."""
    driver = (await tx.accounts.get(driver_id)).the_driver()
    await tx.publish(
        audited(
            "read_bank_details",
            entity_type="driver",
            entity_id=driver_id,
            actor=actor,
            now=now,
            after=masked_bank_details(driver),
        )
    )
    return driver
