from datetime import datetime
from uuid import UUID

from identity.domain.session import hash_token
from identity.ports import Tx


async def revoke_session(
    tx: Tx, *, user_id: UUID, session_id: UUID, refresh_token: str | None, now: datetime
) -> None:
    """Log out: end the access token's session, and the one of `refresh_token` if it is the same user's.

    Logging out twice, or with an unknown token, is no error: the session is dead either way.
    """
    session_ids = {session_id}
    if refresh_token is not None:
        token = await tx.sessions.find_token(hash_token(refresh_token))
        session_ids |= {token.session_id} if token else set()
    for each in sorted(session_ids):
        await _revoke(tx, session_id=each, user_id=user_id, now=now)


async def _revoke(tx: Tx, *, session_id: UUID, user_id: UUID, now: datetime) -> None:
    session = await tx.sessions.lock(session_id)
    if session is None or session.user_id != user_id or session.revoked_at:
        return
    revoked, fact = session.revoke(reason="logout", now=now)
    await tx.sessions.revoke(revoked)
    await tx.publish(fact)
