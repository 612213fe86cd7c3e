"""The running stack, as it describes itself in stack.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The fields of docs/api.md, "The running stack describes itself", and the folder of that description."""

    folder: Path
    gateway: str
    services: dict[str, str]
    payment_webhook: str
    efi: dict[str, str]
    kafka: str
    valkey: str
    postgres: dict[str, str]
    postgres_admin: str
    admin: dict[str, str]
    certificates: dict[str, str]
    pids: dict[str, int]

    @classmethod
    def load(cls, path: Path) -> Self:
        said: dict[str, Any] = json.loads(path.read_text())
        fields = {name: said[name] for name in cls.__dataclass_fields__ if name != "folder"}
        return cls(folder=path.parent, **fields)

    def database(self, service: str) -> str:
        """A superuser's address of a service's database: for checks, never for services."""
        server, _, _ = self.postgres_admin.rpartition("/")
        name = self.postgres[service].rpartition("/")[2]
        return f"{server}/{name}"
