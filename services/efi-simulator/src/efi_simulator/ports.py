"""What the effects need of the outside."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

ABORT: Final = "efi_simulator.abort"
"""The key in an ASGI scope of a function that cuts the connection."""


class Undeliverable(Exception):
    """The other side could not be reached, or the handshake failed. The message says how."""


class Post(Protocol):
    """Posts JSON to a webhook and tells the HTTP status; Undeliverable when there was none."""

    async def __call__(self, url: str, body: Mapping[str, Any], *, with_certificate: bool) -> int: ...
