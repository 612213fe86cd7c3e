"""The Efí Pix client. Every method raises `EfiError`s only; `efi.errors` says what each means.

Amounts are `Decimal` reais, ids are ours and never changed here. Source: the reference on Efí's Pix API, §1.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Self

from efi.channel import Channels, Connect, connect_with_mtls
from efi.charges import Charges
from efi.received import Received
from efi.sends import Sends
from efi.settings import EfiSettings
from efi.statements import Statements
from efi.transport import Transport
from efi.webhooks import Webhooks
from kernel.clock import Clock, SystemClock

_CLOCK: Final = SystemClock()


class EfiClient(Charges, Received, Sends, Webhooks, Statements):
    """Async client of one Efí account. Safe to share; close it with `aclose()` or `async with`."""

    def __init__(
        self,
        settings: EfiSettings,
        *,
        clock: Clock = _CLOCK,
        connect: Connect = connect_with_mtls,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = settings.efi_pix_key
        self._send_timeout_s = settings.efi_send_timeout_s
        self._channels = Channels(settings, clock=clock, connect=connect)
        self._transport = Transport(
            settings, channels=self._channels, clock=clock, sleep=sleep, monotonic=monotonic
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._channels.close()
