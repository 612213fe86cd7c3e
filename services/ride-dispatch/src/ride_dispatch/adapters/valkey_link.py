"""Valkey, which may be away: every call is bounded in time, and a dead one is not asked again at once."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, TypeVar

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from telemetry import get_logger

log = get_logger(__name__)

X = TypeVar("X")
TIMEOUT_S: Final = 0.25
REST_S: Final = 1.0


class ValkeyLink:
    """`url` None: there is no Valkey, and every call gives None."""

    def __init__(self, url: str | None, *, timeout_s: float = TIMEOUT_S, rest_s: float = REST_S) -> None:
        self._client: Valkey | None = None
        self._rest_s = rest_s
        self._rest_until = 0.0
        if url is not None:
            self._client = Valkey.from_url(
                url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, decode_responses=True
            )

    async def ask(self, work: Callable[[Valkey], Awaitable[X]]) -> X | None:
        """The result of `work`, or None when Valkey is away: then it is left alone for a moment."""
        if self._client is None or monotonic() < self._rest_until:
            return None
        try:
            return await work(self._client)
        except (ValkeyError, OSError) as error:
            self._rest_until = monotonic() + self._rest_s
            log.warning("valkey_away", error=type(error).__name__)
            return None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
