from datetime import datetime
from uuid import UUID

from identity.domain.session import Grant, Session, SessionPolicy, encode
from identity.ports import Tx


async def open_session(
    tx: Tx,
    *,
    user_id: UUID,
    session_id: UUID,
    random: bytes,
    nonce: bytes,
    address: str | None,
    newer_hash: str | None,
    policy: SessionPolicy,
    now: datetime,
) -> Grant:
    """A new session of a user who has just proved the password; UserIsSuspended, UserIsBanned, NotFound.

    `random` is 32 fresh random bytes, the family's first token; `newer_hash` replaces an outdated hash of
    the password. The user's row is locked: a suspension comes wholly before or wholly after.
    """
    user = (await tx.accounts.lock(user_id)).user
    user.refuse_unless_active()
    if newer_hash is not None:
        await tx.accounts.change_password_hash(user_id, password_hash=newer_hash)
    refresh_token = encode(random)
    session = Session.open(
        session_id=session_id, user_id=user.id, user_type=user.user_type, policy=policy, now=now
    )
    token = session.token(refresh_token, nonce=nonce, policy=policy, now=now)
    await tx.sessions.add(session, token=token, address=address)
    return Grant(session=session, refresh_token=refresh_token)
