"""Idempotent requests (ARCHITECTURE §4): the record commits with the effect, and answers the repeat."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import text

from kernel.refusals import Refusal
from storage.transaction import Transaction


class IdempotencyKeyReused(Refusal):
    """The key was used for another request of the same operation."""

    code = "idempotency_key_reused"
    status = 422
    pt = "Essa chave de idempotência já foi usada em outro pedido."
    en = "This idempotency key was already used for another request."


class RequestInProgress(Refusal):
    """A request with the same key is running right now."""

    code = "request_in_progress"
    status = 409
    final = False
    pt = "Esse pedido já está em andamento. Aguarde um instante."
    en = "This request is already in progress. Wait a moment."

    def __init__(self, detail: str = "", *, retry_after_s: int = 1) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """The key is unused and held by this transaction: do the work, then `remember` its answer."""

    principal: str
    operation: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The stored answer of the first request: status, media type and body, byte for byte."""

    status: int
    media_type: str
    body: bytes


async def claim(
    tx: Transaction, *, principal: str, operation: str, key: str, fingerprint: bytes
) -> Fresh | Replay:
    """Take the key for this transaction, or get the stored answer.

    `fingerprint` is a hash of the request. Raises RequestInProgress while another transaction holds the
    key, IdempotencyKeyReused when the stored request was another one.
    """
    names = {"principal": principal, "operation": operation, "key": key}
    lock = await tx.session.execute(_LOCK, {"lock": _lock_id(principal, operation, key)})
    if not lock.scalar_one():
        raise RequestInProgress
    # A second statement on purpose: its snapshot is taken after the lock, so it sees the last holder's row.
    stored = (await tx.session.execute(_FIND, names)).one_or_none()
    if stored is None:
        return Fresh(**names, fingerprint=fingerprint)
    if bytes(stored.fingerprint) != fingerprint:
        raise IdempotencyKeyReused
    return Replay(status=stored.status, media_type=stored.media_type, body=bytes(stored.body))


async def remember(
    tx: Transaction, fresh: Fresh, *, status: int, body: bytes, media_type: str = "application/json"
) -> None:
    """Store the answer of a fresh request; it commits with the transaction."""
    await tx.session.execute(
        _REMEMBER,
        {
            "principal": fresh.principal,
            "operation": fresh.operation,
            "key": fresh.key,
            "fingerprint": fresh.fingerprint,
            "status": status,
            "media_type": media_type,
            "body": body,
            "now": tx.now(),
        },
    )


async def forget_before(tx: Transaction, *, before: datetime, limit: int = 5000) -> int:
    """Delete up to `limit` records older than `before`; returns how many. For a service's clean-up job."""
    deleted = await tx.session.execute(_FORGET, {"before": before, "limit": limit})
    return int(deleted.scalar_one())


def _lock_id(*names: str) -> int:
    """A signed 64-bit number; a collision only makes two requests take turns."""
    digest = blake2b("\x1f".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_FIND = text(
    "SELECT fingerprint, status, media_type, body FROM idempotency"
    " WHERE principal = :principal AND operation = :operation AND key = :key"
)
_REMEMBER = text(
    "INSERT INTO idempotency (principal, operation, key, fingerprint, status, media_type, body, created_at)"
    " VALUES (:principal, :operation, :key, :fingerprint, :status, :media_type, :body, :now)"
)
_FORGET = text(
    "WITH old AS (DELETE FROM idempotency WHERE (principal, operation, key) IN"
    " (SELECT principal, operation, key FROM idempotency WHERE created_at < :before"
    "  ORDER BY created_at LIMIT :limit) RETURNING 1) SELECT count(*) FROM old"
)
