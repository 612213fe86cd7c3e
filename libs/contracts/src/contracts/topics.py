"""The topics, created in advance. Partitions never change in place: that would break the order per key."""

from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. `retention_ms` is None for a compacted topic, which keeps the last value of each key.

    `lossy` marks a topic whose records are produced directly, never through the outbox, and consumed
    without an inbox: losing one is allowed.
    """

    name: str
    partitions: int
    retention_ms: int | None
    lossy: bool = False

    @property
    def compacted(self) -> bool:
        return self.retention_ms is None


def _topic(name: str, *, partitions: int = 12, days: int | None = 30, lossy: bool = False) -> Topic:
    retention_ms = None if days is None else days * DAY_MS
    return Topic(name=name, partitions=partitions, retention_ms=retention_ms, lossy=lossy)


USERS: Final = _topic("ibora.identity.users.v1")
PROFILES: Final = _topic("ibora.identity.profiles.v1", days=None)
RIDES: Final = _topic("ibora.ride-dispatch.rides.v1")
LOCATIONS: Final = _topic("ibora.ride-dispatch.locations.v1", days=1, lossy=True)
CHARGES: Final = _topic("ibora.payment.charges.v1")
SENDS: Final = _topic("ibora.payment.sends.v1")
STATEMENTS: Final = _topic("ibora.payment.statements.v1", partitions=3)
JOURNALS: Final = _topic("ibora.ledger.journals.v1")
SEALS: Final = _topic("ibora.ledger.seals.v1", partitions=1, days=3650)
PAYOUTS: Final = _topic("ibora.payout.payouts.v1")
AUDIT: Final = _topic("ibora.audit.records.v1", days=90)
RISK: Final = _topic("ibora.backoffice.risk.v1", partitions=3)

TOPICS: Final = (
    USERS,
    PROFILES,
    RIDES,
    LOCATIONS,
    CHARGES,
    SENDS,
    STATEMENTS,
    JOURNALS,
    SEALS,
    PAYOUTS,
    AUDIT,
    RISK,
)
