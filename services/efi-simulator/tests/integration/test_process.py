"""The process as it is started by others: from its environment, on two ports, stopped by a signal."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from simulator_fakes import KEY, settings_in

from devstack.ports import free_port
from efi import EfiClient, EfiSettings
from efi_simulator.main import cli, describe
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


async def test_it_serves_both_doors_and_stops_on_a_signal(tmp_path: Path, certificates: Certificates) -> None:
    told = environment(tmp_path, certificates)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(certificates.client.cert.read_bytes() + certificates.client.key.read_bytes())
    control = f"http://127.0.0.1:{told['CONTROL_PORT']}"

    async with process(told) as running, httpx.AsyncClient(trust_env=False) as browser:

        async def is_ready() -> bool:
            if running.returncode is not None:
                pytest.fail(f"it ended with {running.returncode}")
            try:
                return (await browser.get(f"{control}/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(is_ready, timeout_s=120)
        settings = EfiSettings(
            efi_base_url=f"https://localhost:{told['SERVICE_PORT']}",
            efi_credentials_file=tmp_path / "credentials.json",
            efi_certificate_file=bundle,
            efi_ca_file=certificates.ca,
            efi_pix_key=KEY,
        )
        async with EfiClient(settings) as client:
            assert f"{await client.balance()}" == "1000.00"
        assert (await browser.get(f"{control}/_control/state")).json()["balance"] == "1000.00"

        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), timeout=20) == 0


def test_the_control_door_is_not_on_the_api() -> None:
    paths = describe().openapi()["paths"]
    assert "/v3/gn/pix/{id_envio}" in paths
    assert not [path for path in paths if path.startswith("/_control")]


def test_an_unknown_command_is_a_misuse(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["efi-simulator", "fly"])
    assert cli() == 2
    assert "efi-simulator all" in capsys.readouterr().err
