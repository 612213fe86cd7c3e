"""Sorting what a consumer reads: what a handler wants, what cannot be read, and what is nobody's."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from contracts.base import Fact
from contracts.topics import TOPICS
from kernel.ids import id_time
from messaging.delivery import Delivery, Handler
from messaging.envelope import Malformed, delivery_of, event_type, fact_of, in_binary_mode, stand_in
from messaging.ports import Record

TOO_EARLY: Final = timedelta(hours=24)
_COMPACTED: Final = frozenset(topic.name for topic in TOPICS if topic.compacted)


class OutOfTime(ValueError):
    """The event's id is older than the inbox remembers, or a day in the future: never processed unchecked."""


class Item(NamedTuple):
    """One record that concerns us. `fact` and `handler` are set unless `error` says why it is unfit."""

    record: Record
    delivery: Delivery
    event_day: date
    sha256: bytes
    fact: Fact | None = None
    handler: Handler | None = None
    error: Exception | None = None


class Sorter:
    """Knows the handlers, by CloudEvents type, and how far back the inbox remembers."""

    def __init__(self, handlers: Mapping[type[Fact], Handler], *, retention_days: int) -> None:
        self._handlers = {fact.type_name(): handler for fact, handler in handlers.items()}
        self._retention = timedelta(days=retention_days)

    def sort(self, records: Sequence[Record], *, now: datetime) -> list[Item]:
        """The items among `records`, in order. Tombstones and types without a handler are left out."""
        items = (self.item(record, now=now) for record in records)
        return [item for item in items if item is not None]

    def item(self, record: Record, *, now: datetime) -> Item | None:
        """One record; None when it is not for us."""
        if record.value is None:
            return None
        try:
            record = in_binary_mode(record)
            type_name = event_type(record)
            if type_name is not None and type_name not in self._handlers:
                return None
            delivery = delivery_of(record, now=now)
        except Malformed as error:
            return _unfit(record, stand_in(record, now=now), error=error, day=now.date())
        return self._known(record, delivery)

    def _known(self, record: Record, delivery: Delivery) -> Item:
        try:
            made_at = id_time(delivery.id)
        except ValueError as error:
            return _unfit(record, delivery, error=error, day=delivery.now.date())
        day = made_at.date()
        try:
            self._check_time(made_at, delivery)
            fact = fact_of(record, type_name=delivery.type)
        except ValueError as error:
            return _unfit(record, delivery, error=error, day=day)
        return Item(record, delivery, day, _digest(record), fact, self._handlers[delivery.type])

    def _check_time(self, made_at: datetime, delivery: Delivery) -> None:
        if made_at > delivery.now + TOO_EARLY:
            raise OutOfTime("the event's id lies more than a day in the future")
        # A compacted topic keeps a key's last event for ever, so its old ids are met by every new consumer.
        too_old = made_at < delivery.now - self._retention
        if too_old and delivery.topic not in _COMPACTED:
            raise OutOfTime("the event's id is older than the inbox remembers")


def retention_days(facts: Sequence[type[Fact]]) -> int:
    """How long the inbox must remember for these facts: their topics' retention and five days of replay."""
    longest_ms = max((fact.topic.retention_ms or 0 for fact in facts), default=0)
    return max(30, longest_ms // 86_400_000) + 5


def wanted_topics(facts: Sequence[type[Fact]]) -> list[str]:
    """The topics of these facts, each once."""
    return sorted({fact.topic.name for fact in facts})


def _unfit(record: Record, delivery: Delivery, *, error: Exception, day: date) -> Item:
    return Item(record=record, delivery=delivery, event_day=day, sha256=_digest(record), error=error)


def _digest(record: Record) -> bytes:
    return sha256(record.value or b"").digest()
