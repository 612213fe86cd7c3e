"""What tests lean on: infrastructure, fakes, faults, and checks of the repository itself.

`testkit.plugin` is the pytest plugin. Imports are lazy, so that a unit test does not pay for a broker.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testkit.databases import DatabaseUrls
    from testkit.fake_clock import FakeClock
    from testkit.outbox import published
    from testkit.proxy import FaultProxy
    from testkit.tokens import Tokens
    from testkit.waiting import eventually

__all__ = ["DatabaseUrls", "FakeClock", "FaultProxy", "Tokens", "eventually", "published"]

_HOMES = {
    "DatabaseUrls": "databases",
    "FakeClock": "fake_clock",
    "FaultProxy": "proxy",
    "Tokens": "tokens",
    "eventually": "waiting",
    "published": "outbox",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'testkit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"testkit.{_HOMES[name]}"), name)
