"""What the effects need of the outside."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from efi_simulator.domain.nouns import Notice

ABORT: Final = "efi_simulator.abort"
"""The key in an ASGI scope of a function that cuts the connection."""


class Undeliverable(Exception):
    """The other side could not be reached, or the handshake failed. The message says how."""


class Post(Protocol):
    """Posts JSON to a webhook and tells the HTTP status; Undeliverable when there was none."""

    async def __call__(self, url: str, body: Mapping[str, Any] | bytes, *, with_certificate: bool) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to deliver a notice: `outcome` is the HTTP status as text, or why there was none."""

    notice: Notice
    outcome: str
    took_ms: int
    number: int


Watch = Callable[[Attempt], None]
Keep = Callable[[], Awaitable[None]]
"""Returns once everything that the bank knows by now is on disk."""
