"""What a deployment of the ledger decides. Read once, by main."""

from pathlib import Path

from pydantic import Field

from messaging import KafkaSettings
from storage import DatabaseSettings
from telemetry import TelemetrySettings
from web import WebSettings


class UnsignedAnchors(ValueError):
    """The deployment would tell its anchors unsigned."""


class Settings(WebSettings, DatabaseSettings, KafkaSettings, TelemetrySettings):
    """Intervals are in seconds; partitions are made `partition_days_ahead` days before they are needed."""

    # A backlog is worked off by whole transactions: the more a transaction holds, the less each event pays for it.
    consumer_max_records: int = Field(default=1000, ge=1)
    """Events in one batch."""
    # Two, so that one works while the other waits for the disk; with more their batches crowd each other out of the
    # processor's cache.
    consumer_concurrency: int = Field(default=2, ge=1)
    """Partitions of a process that are processed at the same time."""
    fold_every_s: float = Field(default=10.0, gt=0)
    """How often new entries are folded into the platform's balances."""
    anchor_every_s: float = Field(default=60.0, gt=0)
    """How often at most the newest hash of the chain is told outside the database."""
    anchor_key_file: Path | None = None
    """Ed25519 private key (PEM) that signs the log line of each anchor; to verify, the public key is enough."""
    operator_token_file: Path | None = None
    """Access token of the admin who gives orders at a terminal (`ledger journal`, `ledger reverse`)."""
    partition_every_s: float = Field(default=3600.0, gt=0)
    """How often partitions are looked after."""
    partition_days_ahead: int = Field(default=95, ge=1, le=1000)
    """How long before they are needed partitions are made."""
    snapshot_every_s: float = Field(default=60.0, gt=0)
    """How often it is asked whether a day is over whose end balances are to be kept."""
    verify_books_every_s: float = Field(default=3600.0, gt=0)
    """How often chain, entries and balances are checked against each other; once a day the whole chain."""
    recheck_every_s: float = Field(default=30.0, gt=0)
    """How often statement lines and bank entries that did not match are compared again."""
    recheck_grace_s: float = Field(default=900.0, ge=0)
    """How long a statement waits for events that are on their way before a case is opened."""
    recheck_balance_s: float = Field(default=3600.0, ge=0)
    """How old a statement is when its balance is judged: what was under way at its moment has been booked by then."""
    recheck_flight_s: float = Field(default=300.0, ge=0)
    """How far from the moment of a bank balance a movement may have been counted on the moment's other side."""
    idempotency_keep_s: float = Field(default=7 * 86_400.0, gt=0)
    """How long the answers of idempotent requests are kept."""

    def check_anchors_are_signed(self) -> None:
        """UnsignedAnchors in production without a key: a line that anybody can write proves nothing."""
        if self.environment == "production" and self.anchor_key_file is None:
            raise UnsignedAnchors("ANCHOR_KEY_FILE: the worker signs anchors in production")
