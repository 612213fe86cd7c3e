"""A migrated database and the library on it, for each test."""

from collections.abc import AsyncIterator

import pytest
from storage_samples import SAMPLE_SERVICE, MakeDatabase, opened

from storage import Database, Transaction
from testkit import DatabaseUrls


@pytest.fixture
def urls(make_database: MakeDatabase) -> DatabaseUrls:
    return make_database(SAMPLE_SERVICE)


@pytest.fixture
async def database(urls: DatabaseUrls) -> AsyncIterator[Database[Transaction]]:
    async with opened(urls) as made:
        yield made
