"""A migrated payout database for each test."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from payout.adapters.transaction import PayoutTransaction
from payout.main import build
from payout.settings import Settings
from storage import Database, DatabaseSettings
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.tokens import Tokens

Payouts = Database[PayoutTransaction]


@pytest.fixture
def urls(make_database: Callable[[str], DatabaseUrls]) -> DatabaseUrls:
    return make_database("payout")


@pytest.fixture
async def database(urls: DatabaseUrls, clock: FakeClock) -> AsyncIterator[Payouts]:
    opened: Payouts = Database(
        DatabaseSettings(database_url=urls.app_url), service="payout", make=PayoutTransaction, clock=clock
    )
    yield opened
    await opened.dispose()


@pytest.fixture
def settings(urls: DatabaseUrls, tmp_path: Path) -> Settings:
    """Of an api process: nothing outside is called."""
    return Settings(
        database_url=urls.app_url,
        kafka_bootstrap="127.0.0.1:1",
        encryption_key_file=tmp_path / "key",
        service_token_file=tmp_path / "token",
        efi_base_url="https://127.0.0.1:1",
        efi_credentials_file=tmp_path / "efi.json",
        efi_certificate_file=tmp_path / "efi.pem",
        efi_pix_key="key",
    )


@pytest.fixture
async def client(settings: Settings, clock: FakeClock, tokens: Tokens) -> AsyncIterator[httpx.AsyncClient]:
    app = build(settings, mode="api", clock=clock, verifier=tokens.verifier())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://payout") as opened,
    ):
        yield opened
