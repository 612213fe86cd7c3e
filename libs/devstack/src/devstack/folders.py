"""Where things are: the repository, the user's cache, and folders that another user may enter."""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
"""The repository."""

NOBODY = 65534
"""The user that Postgres runs as when we are root, which it refuses to be."""


def cache() -> Path:
    """Our folder in the user's cache, made when missing."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "ibora"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_root() -> bool:
    return os.geteuid() == 0


def open_to_all(folder: Path) -> bool:
    """Whether every user may enter this folder: each folder above it lets others pass."""
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))


def public_folder(name: str) -> Path:
    """A folder of root's that others may enter, on disk rather than in memory; it survives restarts."""
    folder = Path("/var/tmp") / "ibora-root" / name  # noqa: S108
    folder.parent.mkdir(mode=0o755, exist_ok=True)
    owner = folder.parent.lstat().st_uid
    if owner != os.geteuid() or folder.parent.is_symlink():
        # Somebody else made it first: we run nothing from there.
        return Path(tempfile.mkdtemp(prefix="ibora-", dir="/var/tmp")) / name
    return folder
