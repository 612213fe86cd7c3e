from datetime import datetime
from uuid import UUID

from identity.domain.account import Account
from identity.domain.masked import masked_approval
from identity.ports import Tx
from identity.usecases.save_driver_change import save_driver_change
from kernel.actor import Actor


async def reject_driver(tx: Tx, *, driver_id: UUID, reason: str, actor: Actor, now: datetime) -> Account:
    """Refuse a pending driver's application; IllegalTransition, NotFound."""
    account = await tx.accounts.lock(driver_id)
    driver, fact = account.the_driver().reject(reason=reason, now=now)
    rejected = account.with_driver(driver)
    return await save_driver_change(
        tx,
        account=rejected,
        fact=fact,
        action="reject_driver",
        before=masked_approval(account),
        after=masked_approval(rejected),
        actor=actor,
        reason=reason,
        now=now,
    )
