"""Each service speaks for itself, in a process of its own."""

from pathlib import Path

import pytest

from devstack.schemas.command import main
from devstack.schemas.services import UndescribedService, describe_services

MAIN = """
import os
from fastapi import FastAPI

def describe():
    app = FastAPI(title=os.environ.get("PUBLIC_URL", "not told"))
    app.get("/tolls", operation_id="list_tolls")(lambda: [])
    return app
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One service that can be described, one that consumes nothing yet has no main."""
    toll = tmp_path / "services/toll-gate/src/toll_gate"
    toll.mkdir(parents=True)
    (toll / "__init__.py").touch()
    (toll / "main.py").write_text(MAIN)
    (toll / "consumers.py").write_text(
        "from contracts.ride_dispatch import RidePaid\nHANDLERS = {RidePaid: print}\n"
    )
    (tmp_path / "services/unborn/src/unborn").mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", str(toll.parent))
    monkeypatch.setenv("PUBLIC_URL", "https://somewhere.invalid")
    return tmp_path


def test_a_service_with_a_main_is_described_without_the_settings_of_the_shell(repository: Path) -> None:
    described = describe_services(repository)
    assert list(described) == ["toll-gate"]
    assert described["toll-gate"].listens == ("br.ibora.ride.paid.v1",)
    assert described["toll-gate"].openapi["info"]["title"] == "not told"
    assert "/tolls" in described["toll-gate"].openapi["paths"]


def test_a_service_that_cannot_be_described_is_named_with_its_error(repository: Path) -> None:
    broken = repository / "services/toll-gate/src/toll_gate/main.py"
    broken.write_text("def describe():\n    raise RuntimeError('no tolls today')\n")
    with pytest.raises(UndescribedService, match=r"(?s)toll-gate: .*no tolls today"):
        describe_services(repository)


def test_the_command_fails_until_it_has_written_what_is_missing(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check"], repository=repository) == 1
    assert "out of date (run `make schemas`): schemas/openapi/toll-gate.json" in capsys.readouterr().err
    assert main([], repository=repository) == 0
    assert "wrote schemas/events/ride.paid/1/1.json" in capsys.readouterr().out
    assert main(["--check"], repository=repository) == 0
    assert (repository / "schemas/openapi/public.json").read_text().count('"/v1/tolls"') == 1


def test_the_command_names_a_service_that_fails(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "services/toll-gate/src/toll_gate/main.py").write_text("import nowhere_at_all\n")
    assert main(["--check"], repository=repository) == 1
    assert "refused: toll-gate: describe() failed" in capsys.readouterr().err
