"""Files that a reader sees whole or not at all, and secrets that only their owner reads."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_json(path: Path, content: Any) -> None:
    """Replace a file at once."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(path)


def read_json(path: Path) -> Any:
    """What a file holds, or None when there is none or it is not JSON."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def kept_secret(path: Path, *, make: str | None = None) -> str:
    """The secret in a file, generated the first time (43 characters of base64url, 256 bits)."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(make or secrets.token_urlsafe(32))
    return path.read_text()
