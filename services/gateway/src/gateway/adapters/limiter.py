"""Windows in Valkey, shared by every gateway; in this process while Valkey is away."""

import time
from typing import Any, Final, cast

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter
from valkey.exceptions import ValkeyError

from gateway import metrics
from gateway.domain.limits import Standing, Window
from telemetry import get_logger

log = get_logger(__name__)

TIMEOUT_S: Final = 0.5
# While Valkey does not answer, one request in this many seconds finds out; the others do not wait.
RETRY_S: Final = 1.0


class SharedLimiter:
    """The Limiter port, and a Background that closes its connections. Fails open to a limiter of this process."""

    def __init__(self, valkey_url: str | None) -> None:
        self._own = _Counter(MemoryStorage())
        self._storage = _storage(valkey_url) if valkey_url else None
        self._shared = _Counter(self._storage) if self._storage else None
        self._away_until = 0.0

    async def start(self) -> None: ...

    async def stop(self) -> None:
        if self._storage is not None:
            # The library closes nothing itself, and names its client in no interface.
            await cast("Any", self._storage.bridge).storage.aclose()

    def unhealthy(self) -> str | None:
        return None

    async def hit(self, window: Window, *, key: str) -> Standing | None:
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return await self._shared.hit(window, key)
            except (ValkeyError, OSError, TimeoutError) as error:
                self._away_until = time.monotonic() + RETRY_S
                log.warning("limiter_alone", reason=type(error).__name__)
        metrics.LIMITER_ALONE.inc()
        return await self._own.hit(window, key)


class LiftedLimiter:
    """The Limiter port with the limits lifted (RATE_LIMITS=relaxed): load tests and demonstrations."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def unhealthy(self) -> str | None:
        return None

    async def hit(self, window: Window, *, key: str) -> Standing | None:
        return None


class _Counter:
    def __init__(self, storage: Storage) -> None:
        self._exact = MovingWindowRateLimiter(storage)
        self._cheap = SlidingWindowCounterRateLimiter(storage)

    async def hit(self, window: Window, key: str) -> Standing:
        strategy = self._exact if window.exact else self._cheap
        item = RateLimitItemPerSecond(window.limit, window.window_s, namespace=window.name)
        allowed = await strategy.hit(item, key)
        stats = await strategy.get_window_stats(item, key)
        reset_s = min(max(0.0, stats.reset_time - time.time()), window.window_s)
        return Standing(window=window, allowed=allowed, remaining=stats.remaining, reset_s=reset_s)


def _storage(valkey_url: str) -> RedisStorage:
    return RedisStorage(
        f"async+{valkey_url}",
        implementation="valkey",
        key_prefix="gateway:limits",
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
    )
