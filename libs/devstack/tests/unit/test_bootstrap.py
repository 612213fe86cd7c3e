"""The bootstrap, as far as it goes without a network."""

import importlib.util
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from devstack.folders import ROOT


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, working in a folder with a space in its name."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "libs" / "devstack" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path / "a checkout"
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (root / ".venv" / "lib" / "python3.99" / "site-packages").mkdir(parents=True)
    project = root / "services" / "a-service"
    (project / "src" / "a_service").mkdir(parents=True)
    (project / "src" / "a_service" / "__init__.py").write_text("")
    (project / "src" / "a_service" / "main.py").write_text(
        "import sys\ndef cli():\n    print(*sys.argv[1:])\n    return 7\n"
    )
    (project / "pyproject.toml").write_text(
        '[project]\nname = "x"\n\n[project.scripts]\na-service = "a_service.main:cli"\n'
    )
    monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(module, "VENV", root / ".venv")
    return module


def test_a_command_runs_from_a_path_with_spaces(bootstrap: ModuleType) -> None:
    bootstrap.link()
    source = bootstrap.ROOT / "services" / "a-service" / "src"

    command = [str(bootstrap.VENV / "bin" / "a-service"), "migrate", "now"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(source)}, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.returncode) == ("migrate now\n", 7)


def test_every_source_folder_is_on_the_path(bootstrap: ModuleType) -> None:
    bootstrap.link()

    (path_file,) = bootstrap.VENV.rglob("ibora.pth")
    assert path_file.read_text().splitlines() == [
        str(bootstrap.ROOT / "services" / "a-service" / "src"),
        str(bootstrap.ROOT / "e2e-tests"),
    ]


def test_an_environment_whose_python_is_gone_is_not_usable(bootstrap: ModuleType) -> None:
    assert bootstrap.usable()

    (bootstrap.VENV / "bin" / "python").unlink()
    (bootstrap.VENV / "bin" / "python").symlink_to("/nowhere/python")

    assert not bootstrap.usable()


def test_two_at_once_take_turns(bootstrap: ModuleType) -> None:
    entered, order = threading.Event(), list[str]()

    def second() -> None:
        entered.wait()
        with bootstrap.only_one():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with bootstrap.only_one():
        entered.set()
        thread.join(0.2)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]
