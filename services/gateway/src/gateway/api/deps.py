"""What the doors are given."""

from dataclasses import dataclass
from pathlib import Path

from gateway.domain.limits import Limits
from gateway.domain.routes import Table
from gateway.ports import Limiter, Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """`browser_origins` may open sockets besides the gateway's own."""

    services: Services
    limiter: Limiter
    limits: Limits
    table: Table
    openapi_file: Path | None
    browser_origins: tuple[str, ...]
