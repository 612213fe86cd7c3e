"""Payment on a real database, with a bank that the test scripts."""

import json
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from payment_fakes import FakeBank
from payment_harness import Payment

from payment.main import build, build_webhook
from payment.settings import Settings
from testkit import DatabaseUrls, Tokens


@pytest.fixture
def payment_settings(
    make_database: Callable[..., DatabaseUrls], tmp_path: Path, certificates: Any
) -> tuple[Settings, DatabaseUrls]:
    urls = make_database("payment")
    credentials = tmp_path / "efi.json"
    credentials.write_text(json.dumps({"client_id": "id", "client_secret": "secret"}))
    certificate = tmp_path / "efi.pem"
    certificate.write_bytes(certificates.client.cert.read_bytes() + certificates.client.key.read_bytes())
    key = tmp_path / "key"
    key.write_text(b64encode(secrets.token_bytes(32)).decode())
    settings = Settings(
        encryption_key_file=key,
        database_url=urls.app_url,
        kafka_bootstrap="127.0.0.1:1",
        efi_base_url="https://127.0.0.1:1",
        efi_credentials_file=credentials,
        efi_certificate_file=certificate,
        efi_pix_key="11111111-2222-4333-8444-555555555555",
        database_pool_size=10,
        webhook_client_subject="webhook.efi.test",
    )
    return settings, urls


@pytest.fixture
async def payment(payment_settings: tuple[Settings, DatabaseUrls], tokens: Tokens) -> AsyncIterator[Payment]:
    settings, urls = payment_settings
    bank = FakeBank()
    app = build(settings, mode="api", verifier=tokens.verifier(), provider=bank)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://payment", timeout=30
        )
        await stack.enter_async_context(client)
        yield Payment(app=app, bank=bank, tokens=tokens, client=client, urls=urls, settings=settings)


@pytest.fixture
def webhook_app(payment: Payment) -> FastAPI:
    return build_webhook(payment.settings, payment.app)
