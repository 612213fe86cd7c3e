"""One request to Efí: token, retries where they are safe, and an exact verdict when it fails."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

import httpx
from opentelemetry.trace import SpanKind

from efi.answers import raise_for
from efi.channel import Channel, Channels
from efi.circuit import Circuit
from efi.errors import (
    EfiCircuitOpen,
    EfiError,
    EfiRefused,
    EfiThrottled,
    EfiUnauthorized,
    EfiUnknown,
    EfiUnreachable,
)
from efi.metrics import REQUEST_DURATION_S
from efi.requests import Request
from efi.settings import EfiSettings
from kernel.clock import Clock
from telemetry import get_logger, tracing

log = get_logger(__name__)

NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
OUTCOMES: Final[tuple[tuple[type[EfiError], str], ...]] = (
    (EfiThrottled, "throttled"),
    (EfiCircuitOpen, "circuit_open"),
    (EfiUnauthorized, "unauthorized"),
    (EfiUnreachable, "unreachable"),
    (EfiUnknown, "unknown"),
    (EfiRefused, "refused"),
)


class Transport:
    """Sends requests over the current channel. `sleep` waits between attempts, `monotonic` times the circuit
    (seconds)."""

    def __init__(
        self,
        settings: EfiSettings,
        *,
        channels: Channels,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._channels = channels
        self._clock = clock
        self._sleep = sleep
        self._circuit = Circuit(
            httpx.URL(settings.efi_base_url).host,
            failures=settings.efi_circuit_failures,
            open_s=settings.efi_circuit_open_s,
            monotonic=monotonic,
        )

    async def call(self, request: Request) -> httpx.Response:
        """The 2xx answer, or an EfiError, under one span."""
        with tracing.span(f"efi.{request.operation}", kind=SpanKind.CLIENT):
            return await self._call(request)

    async def _call(self, request: Request) -> httpx.Response:
        """Attempts until one is final.

        Once one attempt's result is unknown, a later attempt that fails in any way stays EfiUnknown: the
        first one may have done it. (A duplicate's 409 is the caller's to read: it is raised as refused.)
        """
        doubt: EfiUnknown | None = None
        for attempt in range(1, self._settings.efi_attempts + 1):
            try:
                return await self._attempt(request)
            except EfiError as error:
                if isinstance(error, EfiUnknown):
                    doubt = error
                wait_s = self._wait_s(request, error, attempt)
                if wait_s is None:
                    raise self._verdict(request, error, doubt) from error
                await self._sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _wait_s(self, request: Request, error: EfiError, attempt: int) -> float | None:
        """How long to wait before another attempt; None when there must not be one."""
        if attempt == self._settings.efi_attempts or not _again(request, error):
            return None
        asked_s = error.retry_after_s if isinstance(error, EfiUnreachable) else None
        if asked_s is None:
            return float(self._settings.efi_retry_base_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        return asked_s if asked_s <= self._settings.efi_retry_after_max_s else None

    @staticmethod
    def _verdict(request: Request, error: EfiError, doubt: EfiUnknown | None) -> EfiError:
        duplicate = isinstance(error, EfiRefused) and error.status == 409
        if doubt is None or doubt is error or duplicate or not request.changes_something:
            return error
        return EfiUnknown(
            f"an earlier attempt may have happened ({doubt}); then: {error}",
            name=doubt.name,
            status=doubt.status,
            raw=doubt.raw,
        )

    async def _attempt(self, request: Request) -> httpx.Response:
        started = time.perf_counter()
        outcome = "canceled"
        try:
            async with (await self._channels.current()).in_use() as channel:
                with self._circuit.guard():
                    response = await self._authorized(channel, request)
            outcome = "ok"
            return response
        except EfiError as error:
            outcome = next(name for kind, name in OUTCOMES if isinstance(error, kind))
            log.warning("efi_request_failed", operation=request.operation, outcome=outcome, reason=str(error))
            raise
        finally:
            REQUEST_DURATION_S.labels(request.operation, outcome).observe(time.perf_counter() - started)

    async def _authorized(self, channel: Channel, request: Request) -> httpx.Response:
        token = await channel.tokens.token()
        response = await self._send(channel, request, token)
        if response.status_code == 401:
            token = await channel.tokens.token(refused=token)
            response = await self._send(channel, request, token)
        raise_for(response, now=self._clock.now())
        return response

    async def _send(self, channel: Channel, request: Request, token: str) -> httpx.Response:
        read_s = request.read_timeout_s or self._settings.efi_read_timeout_s
        try:
            return await channel.client.request(
                request.method,
                request.path,
                json=request.json,
                params=request.params,
                headers={**(request.headers or {}), "Authorization": f"Bearer {token}"},
                timeout=httpx.Timeout(read_s, connect=self._settings.efi_connect_timeout_s),
            )
        except NEVER_SENT as error:
            raise EfiUnreachable(type(error).__name__) from error
        except httpx.HTTPError as error:
            # Anything later may have reached Efí, whole or in part: also a lost keep-alive connection.
            raise EfiUnknown(type(error).__name__) from error


def _again(request: Request, error: EfiError) -> bool:
    """Whether another attempt may go out after this failure."""
    if not request.may_be_repeated or isinstance(error, EfiUnauthorized | EfiCircuitOpen):
        return False
    return isinstance(error, EfiUnreachable) or (isinstance(error, EfiUnknown) and request.repeatable)
