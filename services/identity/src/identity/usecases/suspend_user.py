from datetime import datetime
from uuid import UUID

from identity.domain.account import Account
from identity.domain.user import OwnAccount
from identity.ports import Tx
from identity.usecases.end_sessions import end_sessions
from identity.usecases.save_user_move import save_user_move
from kernel.actor import Actor


async def suspend_user(tx: Tx, *, user_id: UUID, reason: str, actor: Actor, now: datetime) -> Account:
    """Suspend a user and end every session; IllegalTransition, OwnAccount, NotFound."""
    if actor.user_id == user_id:
        raise OwnAccount
    account = await tx.accounts.lock(user_id)
    user, fact = account.user.suspend(reason=reason, now=now)
    moved = await save_user_move(
        tx, before=account, user=user, fact=fact, action="suspend_user", actor=actor, now=now
    )
    await end_sessions(tx, user_id=user_id, reason="user_suspended", now=now)
    return moved
