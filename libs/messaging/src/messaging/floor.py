"""The relay's floor: the id below which no row can appear any more, so that old index entries are skipped.

It follows the xid of the relay's own deletes, never `pg_snapshot_xmax` (messaging reference §2, trap 7).
"""

from collections import deque


class Floor:
    """`id` is where the next fetch starts; 0 reads all."""

    def __init__(self) -> None:
        self.id = 0
        self._candidates: deque[tuple[int, int]] = deque()

    def handled(self, last_id: int, *, by_xid: int) -> None:
        """Every row fetched up to `last_id` is gone, by the transaction `by_xid`."""
        self._candidates.append((by_xid, last_id))

    def rise(self, xmin: int, *, seen_to: int | None) -> None:
        """Every transaction below `xmin` has ended, and the rows of that snapshot were handled.

        `seen_to` is the last id of a fetch that reached its limit: rows behind it may still be pending.
        """
        while self._candidates and self._candidates[0][0] < xmin:
            if seen_to is not None and self._candidates[0][1] > seen_to:
                return
            self.id = max(self.id, self._candidates.popleft()[1])

    def reset(self) -> None:
        """Start again from the first row: something below may be pending."""
        self.id = 0
        self._candidates.clear()
