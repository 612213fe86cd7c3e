"""One gateway in front of one fake that plays every service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gateway_stack import FakeService, Gateway, fake_service, gateway

from testkit import Tokens


@pytest.fixture
async def service() -> AsyncIterator[FakeService]:
    async with fake_service() as running:
        yield running


@pytest.fixture
async def front(service: FakeService, tokens: Tokens, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Without Valkey: its limits are the process' own, and wide."""
    async with gateway(service, tokens, tmp_path) as running:
        yield running
