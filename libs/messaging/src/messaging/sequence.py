"""Watches the versions of aggregates go by: a jump says that somebody published without the row's lock."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from messaging.metrics import SEQUENCE_GAPS
from messaging.ports import Record

REMEMBERED: Final = 20_000
# What a bigint holds, and int() reads.
DIGITS: Final = 18


class SequenceWatch:
    """Remembers the last version of the keys seen lately; memory is bounded, so it is a hint and no proof."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str], int] = OrderedDict()

    def watch(self, records: Sequence[Record]) -> None:
        """Count the jumps by more than one. A repeat or a fact without version is none."""
        for record in records:
            version = record.headers.get("ce_sequence", "0")
            if version.isdecimal() and len(version) <= DIGITS and version != "0":
                self._note((record.topic, record.key), int(version), topic=record.topic)

    def _note(self, name: tuple[str, str], version: int, *, topic: str) -> None:
        last = self._last.pop(name, None)
        if last is not None and version > last + 1:
            SEQUENCE_GAPS.labels(topic=topic).inc()
        self._last[name] = max(version, last or 0)
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
