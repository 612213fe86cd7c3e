from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from identity.domain.account import Account
from identity.domain.application import Application
from identity.domain.registration import new_account, registration_facts
from identity.ports import Tx
from kernel.actor import Actor


async def register_user(
    tx: Tx,
    *,
    application: Application,
    password_hash: str,
    user_id: UUID,
    vehicle_id: UUID,
    actor: Actor,
    now: datetime,
) -> Account:
    """Open the account of a checked application; AlreadyRegistered when any of it belongs to somebody."""
    account = new_account(application, user_id=user_id, vehicle_id=vehicle_id, now=now)
    await tx.accounts.add(account, password_hash=password_hash)
    for fact in registration_facts(account, now=now):
        await tx.publish(fact, version=account.user.version)
    await tx.publish(account.profile(now=now), version=account.user.version)
    await tx.publish(
        audited(
            "register_user",
            entity_type="user",
            entity_id=user_id,
            actor=actor,
            now=now,
            after={"user_type": account.user.user_type.value, "status": account.user.status.value},
        )
    )
    return account
