from collections.abc import Sequence
from datetime import datetime, timedelta

from identity.domain.session import Revocation, SessionPolicy
from identity.ports import Tx


async def list_revocations(
    tx: Tx, *, since: datetime | None, policy: SessionPolicy, now: datetime
) -> Sequence[Revocation]:
    """Sessions revoked at or after `since` whose access tokens may still be alive; all such when None."""
    oldest_alive = now - timedelta(seconds=policy.access_ttl_s)
    return await tx.sessions.revoked_since(max(since, oldest_alive) if since else oldest_alive)
