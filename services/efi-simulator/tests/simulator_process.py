"""The simulator as a process of its own, with our client and its control door."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulator_fakes import KEY, settings_in

from devstack.ports import free_port
from efi import EfiClient, EfiSettings
from testkit import eventually
from testkit.certificates import Certificates


def environment(folder: Path, certificates: Certificates) -> dict[str, str]:
    settings = settings_in(folder, certificates, service_port=free_port(), control_port=free_port())
    told = {name.upper(): str(value) for name, value in settings.model_dump().items() if value is not None}
    return os.environ | told


@asynccontextmanager
async def process(told: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    made = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "efi_simulator.main",
        "all",
        env=told,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield made
    finally:
        if made.returncode is None:
            made.kill()
        await made.communicate()


@dataclass
class Simulated:
    """`client` speaks to it over mTLS, `control` through the plain door."""

    client: EfiClient
    control: httpx.AsyncClient

    async def order(self, door: str, **body: Any) -> dict[str, Any]:
        response = await self.control.post(f"/_control/{door}", json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    async def state(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.control.get("/_control/state")).json()
        return answer


@asynccontextmanager
async def ready(
    running: asyncio.subprocess.Process, told: dict[str, str], folder: Path, certificates: Certificates
) -> AsyncIterator[Simulated]:
    """Once it is."""
    bundle = folder / "bundle.pem"
    bundle.write_bytes(certificates.client.cert.read_bytes() + certificates.client.key.read_bytes())
    settings = EfiSettings(
        efi_base_url=f"https://localhost:{told['SERVICE_PORT']}",
        efi_credentials_file=folder / "credentials.json",
        efi_certificate_file=bundle,
        efi_ca_file=certificates.ca,
        efi_pix_key=KEY,
        efi_retry_base_s=0.01,
    )
    control_url = f"http://127.0.0.1:{told['CONTROL_PORT']}"
    async with (
        httpx.AsyncClient(base_url=control_url, trust_env=False) as control,
        EfiClient(settings) as client,
    ):

        async def answers() -> bool:
            if running.returncode is not None:
                pytest.fail(f"it ended with {running.returncode}")
            try:
                return (await control.get("/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(answers, timeout_s=120)
        yield Simulated(client, control)
