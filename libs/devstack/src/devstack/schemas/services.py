"""The services of the repository and what each says of itself."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TIMEOUT_S: Final = 120
PROCESSES: Final = 2
PASSED_ON: Final = ("PATH", "HOME", "LANG", "PYTHONPATH", "LD_LIBRARY_PATH")


class UndescribedService(Exception):
    """A service's `main.describe()` failed; the message ends with the end of its error output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A service's OpenAPI document, the CloudEvents types that it consumes, and its settings as JSON."""

    openapi: dict[str, Any]
    listens: tuple[str, ...]
    settings: tuple[dict[str, Any], ...] = ()


def describe_services(repository: Path) -> Mapping[str, Description]:
    """Every service that has a `main.py`, by its folder's name; UndescribedService when one fails."""
    names = [
        folder.name for folder in sorted((repository / "services").iterdir()) if main_of(folder).exists()
    ]
    with ThreadPoolExecutor(PROCESSES) as pool:
        return dict(zip(names, pool.map(_describe, names), strict=True))


def main_of(folder: Path) -> Path:
    return folder / "src" / module_of(folder.name) / "main.py"


def module_of(service: str) -> str:
    return service.replace("-", "_")


def _describe(service: str) -> Description:
    command = [sys.executable, "-m", "devstack.schemas.describe", module_of(service)]
    # A setting of this shell (PUBLIC_URL, SERVICE_PORT, …) must not end up in a committed document.
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        raise UndescribedService(f"{service}: describe() failed\n{done.stderr.strip()[-2000:]}")
    said = json.loads(done.stdout)
    return Description(
        openapi=said["openapi"], listens=tuple(said["listens"]), settings=tuple(said["settings"])
    )
