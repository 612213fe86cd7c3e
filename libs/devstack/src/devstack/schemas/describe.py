"""What one service says of itself, as JSON: `python -m devstack.schemas.describe ride_dispatch`.

A process of its own for each service: two of them may register the same metric, and one that cannot be
imported must not hide the others.
"""

import json
import sys
from importlib import import_module
from typing import Any

from devstack.schemas.settings_page import settings_of


def describe(module: str) -> dict[str, Any]:
    """`openapi`, the service's own document, `listens`, the types of the facts that it consumes, `settings`."""
    application = import_module(f"{module}.main").describe()
    return {
        "openapi": application.openapi(),
        "listens": listens(f"{module}.consumers"),
        "settings": settings(f"{module}.settings"),
    }


def settings(module: str) -> list[dict[str, Any]]:
    """What a settings module's `Settings` read from the environment; nothing when there is no such module."""
    try:
        return settings_of(import_module(module).Settings)
    except ModuleNotFoundError as error:
        if error.name == module:
            return []
        raise


def listens(module: str) -> list[str]:
    """The types in `HANDLERS` and `STREAMS` of a consumers module; none when there is no such module."""
    try:
        consumers = import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            return []
        raise
    facts = [*getattr(consumers, "HANDLERS", {}), *getattr(consumers, "STREAMS", {})]
    return sorted(fact.type_name() for fact in facts)


if __name__ == "__main__":
    json.dump(describe(sys.argv[1]), sys.stdout)
