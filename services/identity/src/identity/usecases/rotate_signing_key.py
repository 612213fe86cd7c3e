from datetime import datetime

from contracts.audit import audited
from identity.domain.signing_key import KeyPolicy, SigningKey, next_active_at, outlived, rotation_due
from identity.ports import Tx
from kernel.actor import SYSTEM


async def rotate_signing_key(
    tx: Tx, *, spare: SigningKey, policy: KeyPolicy, forced: bool = False, now: datetime
) -> bool:
    """Publish `spare` if a new key is due or forced, and drop the outlived ones; whether it was taken."""
    keys = await tx.signing_keys.lock()
    for key in outlived(keys, policy=policy, now=now):
        await tx.signing_keys.remove(key.kid)
    if not forced and not rotation_due(keys, policy=policy, now=now):
        return False
    await tx.signing_keys.add(spare.activated(next_active_at(keys, policy=policy, now=now)))
    await tx.publish(
        audited("rotate_signing_key", entity_type="signing_key", entity_id=spare.kid, actor=SYSTEM, now=now)
    )
    return True
