from datetime import datetime
from uuid import UUID

from identity.domain.account import Account
from identity.ports import Tx
from identity.usecases.save_user_move import save_user_move
from kernel.actor import Actor


async def reinstate_user(tx: Tx, *, user_id: UUID, reason: str, actor: Actor, now: datetime) -> Account:
    """Let a suspended or banned user log in again; IllegalTransition, NotFound. Old sessions stay dead."""
    account = await tx.accounts.lock(user_id)
    user, fact = account.user.reinstate(reason=reason, now=now)
    return await save_user_move(
        tx, before=account, user=user, fact=fact, action="reinstate_user", actor=actor, now=now
    )
