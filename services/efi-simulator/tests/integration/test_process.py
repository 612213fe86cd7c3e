"""The process as it is started by others: from its environment, on two ports, stopped by a signal."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from simulator_process import environment, process, ready

from efi_simulator.main import cli, describe
from testkit.certificates import Certificates


async def test_it_serves_both_doors_and_stops_on_a_signal(tmp_path: Path, certificates: Certificates) -> None:
    told = environment(tmp_path, certificates)
    async with process(told) as running, ready(running, told, tmp_path, certificates) as simulated:
        assert f"{await simulated.client.balance()}" == "1000.00"
        assert (await simulated.state())["balance"] == "1000.00"

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
