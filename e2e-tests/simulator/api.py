"""The public API through the gateway, one call at a time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Self
from uuid import uuid4

import aiohttp

PATIENCE = 40
TIMEOUT_S = 30.0


class Unexpected(AssertionError):
    """The API answered something else than the actor counted on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body (None without one), headers, and how long it took in seconds."""

    status: int
    body: Any
    headers: Mapping[str, str]
    seconds: float
    call: str

    @property
    def code(self) -> str | None:
        """The problem's code."""
        return self.body.get("code") if isinstance(self.body, dict) else None

    def expect(self, *statuses: int) -> Self:
        if self.status not in statuses:
            raise Unexpected(f"{self.call} answered {self.status} {self.body}, not {statuses}")
        return self


class Api:
    """A connection pool to one gateway; `token` is whose behalf a call is made on."""

    def __init__(self, gateway: str, *, connections: int = 200) -> None:
        self.gateway = gateway.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
        )

    async def close(self) -> None:
        await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; `key` is its Idempotency-Key."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if key is not None:
            sent["Idempotency-Key"] = key
        started = perf_counter()
        async with self._session.request(
            method, f"{self.gateway}/v1{path}", json=body, headers=sent
        ) as response:
            raw = await response.read()
            is_json = "json" in response.content_type
            return Answer(
                status=response.status,
                body=await response.json(content_type=None) if raw and is_json else None,
                headers=response.headers,
                seconds=perf_counter() - started,
                call=f"{method} {path}",
            )

    async def settled(self, method: str, path: str, **options: Any) -> Answer:
        """`call`, again for as long as a fact of another service has not arrived (`not_yet_known`)."""
        for _ in range(PATIENCE):
            answer = await self.call(method, path, **options)
            if answer.code not in {"not_yet_known", "request_in_progress"}:
                return answer
            await asyncio.sleep(0.1)
        return answer


def new_key() -> str:
    """A fresh Idempotency-Key."""
    return str(uuid4())
