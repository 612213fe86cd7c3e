from datetime import datetime

from contracts.audit import audited
from identity.domain.session import (
    Grant,
    RefreshRefused,
    RefreshToken,
    Session,
    SessionPolicy,
    Verdict,
    hash_token,
    successor,
)
from identity.ports import Tx
from kernel.actor import Actor


async def refresh_session(
    tx: Tx,
    *,
    refresh_token: str,
    nonce: bytes,
    key: bytes,
    policy: SessionPolicy,
    actor: Actor,
    now: datetime,
) -> Grant | RefreshRefused:
    """Exchange a refresh token for its successor.

    A refusal is returned and not raised: what a reuse writes, the end of the whole family, must commit.
    `nonce` are fresh random bytes for the successor's own successor; `key` derives successors.
    """
    found = await tx.sessions.find_token(hash_token(refresh_token))
    session = await tx.sessions.lock(found.session_id) if found else None
    if found is None or session is None:
        return RefreshRefused()
    # Read again under the lock: another call may have used it meanwhile.
    token = await tx.sessions.token(session.id, generation=found.generation)
    match session.verdict(token, policy=policy, now=now):
        case Verdict.ROTATE:
            next_token = successor(refresh_token, nonce=token.nonce, key=key)
            return await _rotate(
                tx, session=session, used=token, next_token=next_token, nonce=nonce, policy=policy, now=now
            )
        case Verdict.REPEAT:
            return Grant(session=session, refresh_token=successor(refresh_token, nonce=token.nonce, key=key))
        case Verdict.REUSE:
            await _end_family(tx, session=session, actor=actor, now=now)
    return RefreshRefused()


async def _rotate(
    tx: Tx,
    *,
    session: Session,
    used: RefreshToken,
    next_token: str,
    nonce: bytes,
    policy: SessionPolicy,
    now: datetime,
) -> Grant:
    rotated = session.next()
    token = rotated.token(next_token, nonce=nonce, policy=policy, now=now)
    await tx.sessions.rotate(rotated, used=used.use(now=now), token=token)
    return Grant(session=rotated, refresh_token=next_token)


async def _end_family(tx: Tx, *, session: Session, actor: Actor, now: datetime) -> None:
    revoked, fact = session.revoke(reason="refresh_token_reused", now=now)
    await tx.sessions.revoke(revoked)
    await tx.publish(fact)
    await tx.publish(
        audited(
            "refuse_reused_refresh_token",
            entity_type="session",
            entity_id=session.id,
            actor=actor,
            now=now,
            after={"user_id": str(session.user_id), "revoked": True},
        )
    )
