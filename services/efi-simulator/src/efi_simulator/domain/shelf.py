"""A dictionary that remembers which of its entries changed, so that only those are written down."""

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Shelf(dict[K, V]):
    """Its values are never changed in place: a change is another value under the same key."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[K] = set()

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.changed.add(key)

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self.changed.add(key)

    def take_changed(self) -> dict[K, V | None]:
        """What changed since the last time; None for what is gone."""
        taken = {key: self.get(key) for key in self.changed}
        self.changed.clear()
        return taken
