"""A migrated ledger database for each test."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from ledger_books import Books, open_books

from ledger.main import build
from ledger.settings import Settings
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.tokens import Tokens


@pytest.fixture
def urls(make_database: Callable[[str], DatabaseUrls]) -> DatabaseUrls:
    return make_database("ledger")


@pytest.fixture
async def books(urls: DatabaseUrls, clock: FakeClock) -> AsyncIterator[Books]:
    async with open_books(urls, clock) as opened:
        yield opened


@pytest.fixture
async def client(urls: DatabaseUrls, clock: FakeClock, tokens: Tokens) -> AsyncIterator[httpx.AsyncClient]:
    """The service's HTTP, without its worker."""
    settings = Settings(database_url=urls.app_url, kafka_bootstrap="127.0.0.1:1")
    app = build(settings, mode="api", clock=clock, verifier=tokens.verifier())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ledger") as opened,
    ):
        yield opened
