"""A migrated ledger database for each test."""

from collections.abc import AsyncIterator, Callable

import pytest
from ledger_books import Books, open_books

from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock


@pytest.fixture
def urls(make_database: Callable[[str], DatabaseUrls]) -> DatabaseUrls:
    return make_database("ledger")


@pytest.fixture
async def books(urls: DatabaseUrls, clock: FakeClock) -> AsyncIterator[Books]:
    async with open_books(urls, clock) as opened:
        yield opened
