"""Identity's real app on a real database, spoken to as the gateway speaks to it."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from identity_fakes import cnh_number, cpf_number, plate

import web
from identity.main import build
from identity.settings import Settings
from kernel.clock import Clock, SystemClock
from testkit import DatabaseUrls

PASSWORD = "segredo-forte-1"
ADMIN_LOGIN = "admin@example.com"
NO_KAFKA = "127.0.0.1:1"


class Door:
    """One running process of identity, and a client that the gateway's headers go through."""

    def __init__(
        self, app: FastAPI, client: httpx.AsyncClient, *, gateway_token: str, service_token: str
    ) -> None:
        self.app = app
        self.client = client
        self._gateway_token = gateway_token
        self.service = {"Authorization": f"Bearer {service_token}"}

    def from_address(self, address: str) -> dict[str, str]:
        return {"X-Ibora-Gateway": self._gateway_token, "X-Ibora-Client-Address": address}

    async def register(self, number: int, user_type: str = "passenger", **changes: Any) -> dict[str, Any]:
        response = await self.client.post("/auth/register", json=registration(number, user_type, **changes))
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def log_in(self, login: str, password: str = PASSWORD) -> dict[str, Any]:
        response = await self.client.post("/auth/login", json={"login": login, "password": password})
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def refresh(self, token: str) -> httpx.Response:
        return await self.client.post("/auth/refresh", json={"refresh_token": token})

    async def session(self, number: int, user_type: str = "passenger") -> tuple[str, dict[str, Any]]:
        """A fresh account's id and its tokens."""
        registered = await self.register(number, user_type)
        return registered["user_id"], await self.log_in(email(number, user_type))

    async def admin(self) -> dict[str, str]:
        return bearer(await self.log_in(ADMIN_LOGIN))


def bearer(tokens: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def email(number: int, user_type: str = "passenger") -> str:
    return f"{user_type}{number}@exemplo.com.br"


def registration(number: int, user_type: str = "passenger", **changes: Any) -> dict[str, Any]:
    """A valid registration made from a number."""
    offset = 0 if user_type == "passenger" else 5_000_000
    body: dict[str, Any] = {
        "user_type": user_type,
        "email": email(number, user_type),
        "phone": f"+55119{80000000 + offset + number}",
        "password": PASSWORD,
        "full_name": f"Pessoa Sobrenome {number}",
        "cpf": cpf_number(100_000_000 + offset + number),
    }
    if user_type == "driver":
        body |= {
            "cnh_number": cnh_number(300_000_000 + number),
            "pix_key": email(number, "pix"),
            "pix_key_type": "email",
            "vehicle": {
                "license_plate": plate(number),
                "brand": "Fiat",
                "model": "Argo",
                "year": 2024,
                "category": "standard",
            },
        }
    return body | changes


def make_settings(urls: DatabaseUrls, folder: Path, **changes: Any) -> Settings:
    """Settings with secrets of the test's own; cheap passwords, limits only where a test asks for them."""
    files = {
        "encryption_key_file": b64encode(b"e" * 32).decode(),
        "blind_index_key_file": b64encode(b"i" * 32).decode(),
        "service_token_file": "service-" + "s" * 30,
        "gateway_token_file": "gateway-" + "g" * 30,
        "first_admin_password_file": PASSWORD,
    }
    for name, content in files.items():
        (folder / name).write_text(content + "\n")
    values: dict[str, Any] = {
        "database_url": urls.app_url,
        "database_owner_url": urls.owner_url,
        "kafka_bootstrap": NO_KAFKA,
        "rate_limits": "relaxed",
        "password_memory_kib": 64,
        "password_passes": 1,
        "first_admin_login": ADMIN_LOGIN,
        **{name: folder / name for name in files},
    }
    return Settings(**(values | changes))


@asynccontextmanager
async def running(
    settings: Settings, *, mode: web.Mode = "api", clock: Clock | None = None
) -> AsyncIterator[Door]:
    """The app of one process, started; everything is closed at the end."""
    app = build(settings, mode=mode, clock=clock or SystemClock())
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://identity") as client:
            assert settings.gateway_token_file
            yield Door(
                app,
                client,
                gateway_token=settings.gateway_token_file.read_text().strip(),
                service_token=settings.service_token_file.read_text().strip(),
            )
