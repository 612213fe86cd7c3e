"""Where the repository's own code is, for the checks that read it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from devstack.folders import ROOT

SERVICES = ROOT / "services"
LIBS = ROOT / "libs"


def services() -> list[str]:
    """The services that have landed: those with a `main.py`."""
    return sorted(folder.name for folder in SERVICES.iterdir() if (package(folder.name) / "main.py").exists())


def package(service: str) -> Path:
    """A service's package."""
    return SERVICES / service / "src" / service.replace("-", "_")


def modules(folder: Path) -> list[Path]:
    """Every Python file below a folder."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def shipped() -> list[Path]:
    """Every module of the libraries and the services, without their tests."""
    return [
        module
        for pattern in ("libs/*/src", "services/*/src")
        for src in ROOT.glob(pattern)
        for module in modules(src)
    ]


def verbs(service: str) -> list[Path]:
    """The files of `usecases/` and `effects/`."""
    folders = (package(service) / name for name in ("usecases", "effects"))
    return [
        file for folder in folders for file in sorted(folder.glob("*.py")) if not file.stem.startswith("_")
    ]


@cache
def tree(module: Path) -> ast.Module:
    """The module, parsed."""
    return ast.parse(module.read_text(), filename=str(module))


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones too."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def where(path: Path, line: int | None = None) -> str:
    """`services/payment/…/x.py:12`, for a message."""
    place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return f"{place}:{line}" if line else str(place)
