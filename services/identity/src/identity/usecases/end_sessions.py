from datetime import datetime
from uuid import UUID

from contracts.identity import SessionRevoked
from identity.ports import Tx


async def end_sessions(tx: Tx, *, user_id: UUID, reason: str, now: datetime) -> None:
    """End every session of a user whose row this transaction holds, so that none opens meanwhile."""
    for session in await tx.sessions.lock_live(user_id):
        revoked, fact = session.revoke(reason=reason, now=now)
        await tx.sessions.revoke(revoked)
        await tx.publish(fact)
    # Sockets are closed by user: this one says "all of them".
    await tx.publish(SessionRevoked(user_id=user_id, session_id=None, reason=reason, revoked_at=now))
