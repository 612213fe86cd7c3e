from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from identity.domain.login import Login
from identity.domain.registration import new_admin, registration_facts
from identity.ports import Tx
from kernel.actor import SYSTEM


async def create_first_admin(
    tx: Tx, *, login: Login, password_hash: str, user_id: UUID, now: datetime
) -> None:
    """Open the administrator's account; AlreadyRegistered when the login is somebody's."""
    account = new_admin(user_id=user_id, email=login.email, phone=login.phone, now=now)
    await tx.accounts.add(account, password_hash=password_hash)
    for fact in registration_facts(account, now=now):
        await tx.publish(fact, version=account.user.version)
    await tx.publish(account.profile(now=now), version=account.user.version)
    after = {"user_type": account.user.user_type.value}
    await tx.publish(
        audited(
            "create_first_admin", entity_type="user", entity_id=user_id, actor=SYSTEM, now=now, after=after
        )
    )
