from datetime import datetime
from uuid import UUID

from identity.domain.account import Account
from identity.domain.masked import masked_approval
from identity.ports import Tx
from identity.usecases.save_driver_change import save_driver_change
from kernel.actor import Actor


async def approve_driver(tx: Tx, *, driver_id: UUID, actor: Actor, now: datetime) -> Account:
    """Let a pending or rejected driver drive; IllegalTransition, NotFound."""
    account = await tx.accounts.lock(driver_id)
    driver, fact = account.the_driver().approve(now=now)
    approved = account.with_driver(driver)
    return await save_driver_change(
        tx,
        account=approved,
        fact=fact,
        action="approve_driver",
        before=masked_approval(account),
        after=masked_approval(approved),
        actor=actor,
        now=now,
    )
