"""The public API as a good app uses it: what fails for a while is tried again, with the same idempotency key."""

import asyncio
from typing import Any

import aiohttp

from simulator.api import Answer, Api, Unexpected

PATIENCE_S = 90.0
PAUSE_S = 0.25
TRY_AGAIN_STATUSES = frozenset({429, 502, 503, 504})
TRY_AGAIN_CODES = frozenset({"not_yet_known", "request_in_progress"})
LOST = (aiohttp.ClientError, ConnectionError, TimeoutError)


class PatientApi(Api):
    """A 500 is never forgiven: it is a bug, whatever was killed meanwhile. `retried` counts the patience."""

    def __init__(self, gateway: str) -> None:
        super().__init__(gateway)
        self.retried = 0

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            answer, why = await self._once(method, path, **options)
            if answer is not None:
                return answer
            if asyncio.get_running_loop().time() > deadline:
                raise Unexpected(f"{method} {path} did not recover within {PATIENCE_S:.0f} s: {why}")
            self.retried += 1
            await asyncio.sleep(PAUSE_S)

    async def settled(self, method: str, path: str, **options: Any) -> Answer:
        return await self.call(method, path, **options)

    async def _once(self, method: str, path: str, **options: Any) -> tuple[Answer | None, str]:
        """The answer, or None and why it is worth another try."""
        try:
            answer = await super().call(method, path, **options)
        except LOST as error:
            return None, type(error).__name__
        if answer.status in TRY_AGAIN_STATUSES or answer.code in TRY_AGAIN_CODES:
            return None, f"{answer.status} {answer.code}"
        if answer.status >= 500:
            raise Unexpected(f"{answer.call} answered {answer.status} {answer.body}")
        return answer, ""
