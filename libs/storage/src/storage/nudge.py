"""Tells whoever waits for work in the database that a transaction of this process has just committed.

Hooks and not imports: the relay and the jobs live in a library above this one. Hooks must return at once.
"""

from collections.abc import Callable

_commit_hooks: list[Callable[[], None]] = []
_outbox_hooks: list[Callable[[], None]] = []


def on_commit(hook: Callable[[], None]) -> None:
    """Call `hook` after every commit, also of one that wrote nothing."""
    if hook not in _commit_hooks:
        _commit_hooks.append(hook)


def on_outbox_commit(hook: Callable[[], None]) -> None:
    """Call `hook` after every commit that wrote outbox rows."""
    if hook not in _outbox_hooks:
        _outbox_hooks.append(hook)


def forget_hook(hook: Callable[[], None]) -> None:
    """Stop calling `hook`."""
    for hooks in (_commit_hooks, _outbox_hooks):
        if hook in hooks:
            hooks.remove(hook)


def committed(*, outbox: bool) -> None:
    """Call the hooks; called by `Database` once the rows are visible to others."""
    for hook in [*_commit_hooks, *(_outbox_hooks if outbox else ())]:
        hook()
