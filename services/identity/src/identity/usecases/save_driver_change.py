from collections.abc import Mapping
from datetime import datetime
from typing import Any

from contracts.audit import audited
from contracts.identity import UserFact
from identity.domain.account import Account
from identity.ports import Tx
from kernel.actor import Actor


async def save_driver_change(
    tx: Tx,
    *,
    account: Account,
    fact: UserFact,
    action: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    actor: Actor,
    reason: str | None = None,
    now: datetime,
) -> Account:
    """Save a driver's changed profile, and tell of it: the fact, the profile and the audit record.

    `action` is the verb; `before` and `after` hold masked values.
    """
    await tx.accounts.save(account)
    await tx.publish(fact, version=account.user.version)
    await tx.publish(account.profile(now=now), version=account.user.version)
    await tx.publish(
        audited(
            action,
            entity_type="driver",
            entity_id=account.id,
            actor=actor,
            now=now,
            before=before,
            after=after,
            reason=reason,
        )
    )
    return account
