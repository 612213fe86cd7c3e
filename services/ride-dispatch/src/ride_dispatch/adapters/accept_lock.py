"""The short lock that sheds the stampede of accepts: SET NX PX with an owner's token, compare and delete."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any, Final, cast
from uuid import UUID

from valkey.asyncio import Valkey

from ride_dispatch.adapters.valkey_link import ValkeyLink

LEASE_MS: Final = 10_000
PATIENCE_S: Final = 0.2
PAUSE_S: Final = 0.02

# Only the owner may release: after the lease ran out, the lock may be another's.
RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0"""


class ValkeyAcceptLock:
    def __init__(self, link: ValkeyLink, *, patience_s: float = PATIENCE_S) -> None:
        self._link = link
        self._patience_s = patience_s

    @asynccontextmanager
    async def hold(self, ride_id: UUID) -> AsyncIterator[bool]:
        key, token = f"dispatch:accept:{ride_id}", token_hex(16)
        held = await self._acquire(key, token)
        try:
            yield held
        finally:
            if held:
                await self._release(key, token)

    async def _acquire(self, key: str, token: str) -> bool:
        async def claim(client: Valkey) -> bool:
            return bool(await client.set(key, token, nx=True, px=LEASE_MS))

        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience_s
        while True:
            claimed = await self._link.ask(claim)
            if claimed is None or claimed:
                return bool(claimed)
            if loop.time() + PAUSE_S > deadline:
                return False
            await asyncio.sleep(PAUSE_S)

    async def _release(self, key: str, token: str) -> None:
        async def release(client: Valkey) -> Any:
            return await cast(Any, client.eval(RELEASE, 1, key, token))

        await self._link.ask(release)
