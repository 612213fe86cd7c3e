from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from dispatch_stack import OpenStack, Stack, running

from messaging import KafkaSettings
from testkit import DatabaseUrls, Tokens

NO_KAFKA = KafkaSettings(kafka_bootstrap="127.0.0.1:1")


@pytest.fixture
async def open_stack(
    make_database: Callable[[str], DatabaseUrls], tokens: Tokens, valkey_url: str
) -> AsyncIterator[OpenStack]:
    """`await open_stack(**settings)`: the service's API on a fresh database, with Valkey unless told
    otherwise; no worker, so that facts stay in the outbox where tests read them."""
    async with AsyncExitStack() as stack:

        async def open_(**options: Any) -> Stack:
            urls = options.pop("urls", None) or make_database("ride-dispatch")
            known: dict[str, Any] = {
                "valkey_url": valkey_url,
                "kafka": NO_KAFKA,
                "mode": "api",
            }
            return await stack.enter_async_context(running(urls=urls, tokens=tokens, **(known | options)))

        yield open_


@pytest.fixture
async def service(open_stack: OpenStack) -> Stack:
    opened: Stack = await open_stack()
    return opened
