"""One database and one running identity a test."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from identity_door import Door, make_settings, running

from identity.main import Identity
from identity.settings import Settings
from kernel.clock import SystemClock
from testkit import DatabaseUrls

MakeSettings = Callable[..., Settings]


@pytest.fixture
def urls(make_database: Callable[[str], DatabaseUrls]) -> DatabaseUrls:
    return make_database("identity")


@pytest.fixture
def settings(urls: DatabaseUrls, tmp_path: Path) -> MakeSettings:
    """Make settings on the test's database; named values replace the defaults."""

    def make(**changes: Any) -> Settings:
        return make_settings(urls, tmp_path, **changes)

    return make


@pytest.fixture
async def door(settings: MakeSettings) -> AsyncIterator[Door]:
    """An `api` process, with its first administrator."""
    given = settings()
    identity = Identity(given, clock=SystemClock())
    await identity.ensure_first_admin()
    await identity.close()
    async with running(given) as opened:
        yield opened
