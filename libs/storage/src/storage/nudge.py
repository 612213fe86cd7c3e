"""Tells whoever relays the outbox that a transaction has just committed rows to it.

A hook and not an import: the relay lives in a library above this one. Hooks must return at once.
"""

from collections.abc import Callable

_hooks: list[Callable[[], None]] = []


def on_outbox_commit(hook: Callable[[], None]) -> None:
    """Call `hook` after every commit that wrote outbox rows."""
    if hook not in _hooks:
        _hooks.append(hook)


def forget_hook(hook: Callable[[], None]) -> None:
    """Stop calling `hook`."""
    if hook in _hooks:
        _hooks.remove(hook)


def outbox_committed() -> None:
    """Call every hook; called by `Database` once rows are visible to others."""
    for hook in _hooks.copy():
        hook()
