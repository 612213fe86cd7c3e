"""The fast copy of revocations: a stream in Valkey that every process reads, and this process' own list."""

from collections.abc import Sequence
from typing import Final

from valkey.asyncio import Valkey

import web.revocations
from identity.domain.session import Revocation
from kernel.clock import Clock

SPREAD: Final = "identity:revocations:spread"
"""A sorted set of the sessions that the stream holds, by when each stops to matter. A flush loses both."""


class StreamedRevocations:
    """The RevocationCopy port. Writes only what the stream lacks, so that writing all again is cheap.

    Two who write a fresh revocation at the same moment may both append it: readers do not mind.
    """

    def __init__(self, valkey: Valkey | None, *, own: web.revocations.Revocations, clock: Clock) -> None:
        self._valkey = valkey
        self._own = own
        self._clock = clock

    async def write(self, revocations: Sequence[Revocation]) -> None:
        self._own.add(_told(revocation) for revocation in revocations)
        if self._valkey is None or not revocations:
            return
        await self._valkey.zremrangebyscore(SPREAD, "-inf", self._clock.now().timestamp())
        held = await self._valkey.zmscore(SPREAD, [str(revocation.session_id) for revocation in revocations])
        for revocation, score in zip(revocations, held, strict=True):
            if score is None:
                await self._spread(self._valkey, revocation)

    async def _spread(self, valkey: Valkey, revocation: Revocation) -> None:
        # First the stream: a process that dies in between is repeated, not forgotten.
        await web.revocations.write(
            valkey,
            session_id=revocation.session_id,
            not_before=revocation.revoked_at,
            ttl_s=(revocation.until - revocation.revoked_at).total_seconds(),
        )
        await valkey.zadd(SPREAD, {str(revocation.session_id): revocation.until.timestamp()})


def _told(revocation: Revocation) -> web.revocations.Revocation:
    return web.revocations.Revocation(
        session_id=revocation.session_id, not_before=revocation.revoked_at, expires_at=revocation.until
    )
