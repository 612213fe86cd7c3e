"""Failed logins counted in Valkey's moving windows; in this process, more strictly, while Valkey is away."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self, cast

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from valkey.exceptions import ValkeyError

from identity import metrics
from identity.domain.attempts import TooManyAttempts
from telemetry import get_logger

log = get_logger(__name__)

SOCKET_TIMEOUT_S: Final = 0.5

Window = tuple[RateLimitItem, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLimits:
    """Failures allowed in a minute. `per_pair`: of one login from one address. `per_login`: of one login from
    addresses that it was never logged into from. `per_address`: of any login from one address."""

    per_pair: int = 5
    per_login: int = 20
    per_address: int = 30

    def halved(self) -> Self:
        """What one process allows when it cannot see what the others count."""
        return type(self)(
            per_pair=max(1, self.per_pair // 2),
            per_login=max(1, self.per_login // 2),
            per_address=max(1, self.per_address // 2),
        )


class CountedAttempts:
    """The Attempts port. Logins are hashed before they become keys: Valkey holds no e-mail or phone."""

    def __init__(self, valkey_url: str | None, *, limits: FailureLimits, window_s: int = 60) -> None:
        self._local = _Counter(MemoryStorage(), limits=limits.halved(), window_s=window_s)
        self._shared = (
            _Counter(_storage(valkey_url), limits=limits, window_s=window_s) if valkey_url else None
        )

    async def refuse_if_many(self, login: str, *, address: str | None, known: bool) -> None:
        wait_s = await self._wait_s(login, address=address, known=known)
        if wait_s > 0:
            raise TooManyAttempts(retry_after_s=max(1, math.ceil(wait_s)))

    async def failed(self, login: str, *, address: str | None) -> None:
        # The local count goes on while Valkey is there, so that losing it is no fresh start.
        await self._local.failed(login, address=address)
        if self._shared:
            try:
                await self._shared.failed(login, address=address)
            except (ValkeyError, OSError) as error:
                _lost(error)

    async def succeeded(self, login: str, *, address: str | None) -> None:
        await self._local.succeeded(login, address=address)
        if self._shared:
            try:
                await self._shared.succeeded(login, address=address)
            except (ValkeyError, OSError) as error:
                _lost(error)

    async def _wait_s(self, login: str, *, address: str | None, known: bool) -> float:
        if self._shared:
            try:
                return await self._shared.wait_s(login, address=address, known=known)
            except (ValkeyError, OSError) as error:
                _lost(error)
        return await self._local.wait_s(login, address=address, known=known)

    async def aclose(self) -> None:
        if self._shared:
            await self._shared.aclose()


class UncountedAttempts:
    """The Attempts port with the limits lifted (RATE_LIMITS=relaxed): load tests and demonstrations."""

    async def refuse_if_many(self, login: str, *, address: str | None, known: bool) -> None: ...

    async def failed(self, login: str, *, address: str | None) -> None: ...

    async def succeeded(self, login: str, *, address: str | None) -> None: ...

    async def aclose(self) -> None: ...


class _Counter:
    """Windows in one storage."""

    def __init__(self, storage: Storage, *, limits: FailureLimits, window_s: int) -> None:
        self._storage = storage
        self._limiter = MovingWindowRateLimiter(storage)
        self._pair = RateLimitItemPerSecond(limits.per_pair, window_s, namespace="login-pair")
        self._login = RateLimitItemPerSecond(limits.per_login, window_s, namespace="login-account")
        self._address = RateLimitItemPerSecond(limits.per_address, window_s, namespace="login-address")

    async def wait_s(self, login: str, *, address: str | None, known: bool) -> float:
        """Seconds until every window has room; 0 when they have."""
        waits = [0.0]
        for item, key in self._windows(login, address=address, known=known):
            if not await self._limiter.test(item, key):
                reset_at = (await self._limiter.get_window_stats(item, key)).reset_time
                waits.append(max(1.0, reset_at - time.time()))
        return max(waits)

    async def failed(self, login: str, *, address: str | None) -> None:
        for item, key in self._windows(login, address=address, known=False):
            await self._limiter.hit(item, key)

    async def succeeded(self, login: str, *, address: str | None) -> None:
        await self._limiter.clear(self._pair, _pair_key(login, address))

    async def aclose(self) -> None:
        if isinstance(self._storage, RedisStorage):
            # The library closes nothing itself, and names its client in no interface.
            await cast("Any", self._storage.bridge).storage.aclose()

    def _windows(self, login: str, *, address: str | None, known: bool) -> Sequence[Window]:
        windows: list[Window] = [(self._pair, _pair_key(login, address))]
        if address is not None:
            windows.append((self._address, _hashed(address)))
        if not known:
            windows.append((self._login, _hashed(login)))
        return windows


def _storage(valkey_url: str) -> RedisStorage:
    return RedisStorage(
        f"async+{valkey_url}",
        implementation="valkey",
        key_prefix="identity:attempts",
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=SOCKET_TIMEOUT_S,
    )


def _pair_key(login: str, address: str | None) -> str:
    return _hashed(f"{login}|{address or ''}")


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]


def _lost(error: Exception) -> None:
    metrics.ATTEMPTS_UNCOUNTED.inc()
    log.warning("attempts_counted_locally", error=type(error).__name__)
