"""The import contracts of pyproject.toml bite: each is broken on purpose in a small copy of the tree."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SERVICES = [
    "gateway",
    "identity",
    "ride_dispatch",
    "payment",
    "ledger",
    "payout",
    "notification",
    "backoffice",
    "efi_simulator",
]
LIBS = ["testkit", "devstack", "web", "messaging", "efi", "storage", "telemetry", "contracts", "kernel"]
LAYERS = [
    "main",
    "api",
    "consumers",
    "jobs",
    "effects",
    "usecases",
    "adapters",
    "ports",
    "metrics",
    "domain",
    "settings",
]

# What a service may do: every module imports all that it is allowed to.
HONEST = {
    "main": "from payment import adapters, api, consumers, effects, jobs, settings\nimport storage, efi",
    "api": "from payment import effects, metrics, ports, usecases\nimport fastapi, web",
    "consumers": "from payment import domain, usecases\nimport contracts, messaging",
    "jobs": "from payment import effects, metrics\nimport messaging",
    "effects": "from payment import domain, metrics, ports, usecases\nimport efi, telemetry",
    "usecases": "from payment import domain, ports\nimport contracts, kernel",
    "adapters": "from payment import domain, metrics, ports\nimport sqlalchemy, storage, efi",
    "ports": "from payment import domain\nimport contracts, kernel",
    "metrics": "import prometheus_client",
    "domain": "import contracts, kernel, decimal",
    "settings": "import pydantic_settings, web, kernel",
}

# Where, what, and the contract that must notice.
FAULTS = [
    ("payment/api.py", "import ledger", "stack"),
    ("storage/settings.py", "import payment", "stack"),
    ("storage/settings.py", "import messaging", "stack"),
    ("web/settings.py", "import messaging", "stack"),
    ("efi/settings.py", "import web", "stack"),
    ("kernel/__init__.py", "import contracts", "stack"),
    ("devstack/settings.py", "import testkit", "stack"),
    ("payment/domain.py", "from payment import usecases", "layers"),
    ("payment/domain.py", "from payment import settings", "layers"),
    ("payment/ports.py", "from payment import adapters", "layers"),
    ("payment/metrics.py", "from payment import ports", "layers"),
    ("payment/usecases.py", "from payment import adapters", "layers"),
    ("payment/adapters.py", "from payment import usecases", "layers"),
    ("payment/usecases.py", "from payment import effects", "layers"),
    ("payment/effects.py", "from payment import api", "layers"),
    ("payment/consumers.py", "from payment import api", "layers"),
    ("payment/jobs.py", "from payment import consumers", "layers"),
    ("payment/api.py", "from payment import main", "layers"),
    ("payment/helpers.py", "", "layers"),
    ("payment/api.py", "from payment import adapters", "wiring"),
    ("payment/api.py", "from payment import settings", "wiring"),
    ("payment/effects.py", "from payment import adapters", "wiring"),
    ("payment/domain.py", "import sqlalchemy", "purity"),
    ("payment/domain.py", "import time", "purity"),
    ("payment/domain.py", "import asyncio", "purity"),
    ("payment/domain.py", "import efi", "purity"),
    ("payment/domain.py", "import telemetry", "purity"),
    ("kernel/__init__.py", "import os", "purity"),
    ("contracts/__init__.py", "import httpx", "purity"),
    ("payment/domain.py", "import pydantic", "plain-nouns"),
    ("payment/usecases.py", "import pydantic", "plain-nouns"),
    ("payment/ports.py", "from pydantic import BaseModel", "plain-nouns"),
    ("kernel/__init__.py", "import pydantic", "plain-nouns"),
    ("payment/usecases.py", "import storage", "ports"),
    ("payment/usecases.py", "import sqlalchemy", "ports"),
    ("payment/usecases.py", "from payment import metrics", "ports"),
    ("payment/ports.py", "import efi", "ports"),
    ("ledger/adapters.py", "import efi", "bank"),
    ("efi_simulator/adapters.py", "from efi import settings", "bank"),
    ("payment/main.py", "import testkit", "shipping"),
    ("payment/main.py", "import devstack", "shipping"),
    ("web/settings.py", "import pytest", "shipping"),
    ("storage/other.py", "from storage import another", "cycles"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every service and lib of the contracts, with nothing but honest imports."""
    root = tmp_path_factory.mktemp("repository")
    for package in SERVICES + LIBS:
        (root / package).mkdir()
        (root / package / "__init__.py").touch()
    for service in SERVICES:
        for layer in LAYERS:
            honest = HONEST[layer] if service == "payment" else ""
            (root / service / f"{layer}.py").write_text(honest + "\n")
    for lib in ("testkit", "devstack", "web", "messaging", "efi", "storage", "telemetry"):
        (root / lib / "settings.py").write_text("import pydantic_settings\n")
    (root / "contracts/__init__.py").write_text("import kernel, pydantic\n")
    (root / "efi/brcode.py").touch()
    (root / "efi_simulator/api.py").write_text("from efi.brcode import __name__\n")
    (root / "storage/another.py").write_text("from storage import other\n")
    (root / "storage/other.py").touch()
    return root


def test_honest_imports_keep_every_contract(tree: Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout


def test_a_service_may_do_without_any_layer_but_its_own(tree: Path) -> None:
    for layer in LAYERS:
        path = tree / "gateway" / f"{layer}.py"
        path.unlink()
    try:
        assert lint(tree).returncode == 0
    finally:
        for layer in LAYERS:
            (tree / "gateway" / f"{layer}.py").touch()


@pytest.mark.parametrize(
    ("file", "line", "contract"), FAULTS, ids=[f"{file}: {line}" for file, line, _ in FAULTS]
)
def test_a_planted_fault_breaks_its_contract(file: str, line: str, contract: str, tree: Path) -> None:
    path = tree / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}{line}\n")
    try:
        done = lint(tree, contract=contract)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    assert done.returncode == 1, done.stdout
    assert "0 kept, 1 broken" in done.stdout


def test_every_contract_is_broken_by_some_fault() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    assert {contract["id"] for contract in contracts} == {contract for *_, contract in FAULTS}


def test_every_service_and_lib_of_the_repository_is_under_the_law() -> None:
    law = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]
    packages = {
        path.name for path in REPOSITORY.glob("*/*/src/*") if path.is_dir() and not path.name.startswith("__")
    }
    assert set(law["root_packages"]) == packages == set(SERVICES + LIBS)
    by_id = {contract["id"]: contract for contract in law["contracts"]}
    assert set(by_id["layers"]["containers"]) == set(SERVICES)
    assert set(by_id["cycles"]["ancestors"]) == packages
    assert set(by_id["shipping"]["source_modules"]) == packages - {"testkit", "devstack"}


def lint(tree: Path, *, contract: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs import-linter on `tree` with the repository's own contracts."""
    linter = str(Path(sys.executable).parent / "lint-imports")
    command = [linter, "--no-cache", "--no-logo", "--config", str(REPOSITORY / "pyproject.toml")]
    only = ["--contract", contract] if contract else []
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    return subprocess.run(
        [*command, *only], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
