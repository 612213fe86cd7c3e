from datetime import datetime

from contracts.audit import audited
from contracts.identity import UserFact
from identity.domain.account import Account
from identity.domain.masked import masked_user
from identity.domain.user import User
from identity.ports import Tx
from kernel.actor import Actor


async def save_user_move(
    tx: Tx, *, before: Account, user: User, fact: UserFact, action: str, actor: Actor, now: datetime
) -> Account:
    """Save a user's new status, and tell of it: the fact, the profile and the audit record."""
    account = before.with_user(user)
    await tx.accounts.save(account)
    await tx.publish(fact, version=user.version)
    await tx.publish(account.profile(now=now), version=user.version)
    await tx.publish(
        audited(
            action,
            entity_type="user",
            entity_id=user.id,
            actor=actor,
            now=now,
            before=masked_user(before.user),
            after=masked_user(user),
            reason=user.status_reason,
        )
    )
    return account
