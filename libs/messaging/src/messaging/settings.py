"""Where Kafka is, and the pace of relay and consumer."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class KafkaSettings(BaseSettings):
    """Read from the environment (`KAFKA_BOOTSTRAP`, …); services inherit it.

    `kafka_topic_prefix` goes before every topic and group: several stacks may share one broker.
    `relay_idle_ms` is the shortest and the longest wait between two looks at an empty outbox, for rows that
    another process committed: this process's own commits wake the relay at once. Under traffic
    `relay_gather_ms` lets rows gather, so that a batch costs the database less.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    kafka_bootstrap: str
    """Brokers, host:port, separated by commas."""
    kafka_topic_prefix: str = ""
    """Goes before every topic and group."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to talk to the brokers."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    """How to log in to them, with SASL."""
    kafka_username_file: Path | None = None
    """The user's name, with SASL."""
    kafka_password_file: Path | None = None
    """The user's password, with SASL."""
    kafka_ca_file: Path | None = None
    """The authority of the brokers' certificates; unset: the system's."""
    relay_batch: int = Field(default=1000, ge=1, le=10_000)
    """Outbox rows read at once."""
    relay_idle_ms: tuple[int, int] = (5, 100)
    """Shortest and longest wait between two looks at an empty outbox."""
    relay_gather_ms: int = Field(default=8, ge=0)
    """How long rows may gather under traffic."""
    relay_slow_s: float = Field(default=60, gt=0)
    """After so long without the broker's answer /health is red."""
    relay_give_up_s: float = Field(default=120, gt=0)
    """After so long the producer is thrown away and made anew."""
    consumer_max_records: int = Field(default=500, ge=1)
    """Events in one batch."""
    consumer_concurrency: int = Field(default=4, ge=1)
    """Partitions of a process that are processed at the same time."""
    consumer_retry_budget_s: float = Field(default=300, ge=0)
    """How long a passing error is retried in place before the key is parked."""
    consumer_retry_first_s: float = Field(default=0.1, gt=0)
    """First wait before a retry; it doubles."""
    consumer_retry_longest_s: float = Field(default=30, gt=0)
    """Longest wait before a retry."""
    consumer_session_s: float = Field(default=15, ge=6)
    """After so long of silence Kafka gives a consumer's partitions to others."""
    consumer_stuck_s: float = Field(default=60, gt=0)
    """After so long without progress /health is red."""
    consumer_drain_s: float = Field(default=5, ge=0)
    """How long a stopping consumer may take for the batch at hand."""
    sweep_every_s: float = Field(default=2, gt=0)
    """How often parked keys and quarantined rows are looked at."""
    sweep_first_retry_s: float = Field(default=30, ge=0)
    """First wait before a parked head is tried again by itself; it doubles."""
    sweep_longest_retry_s: float = Field(default=3600, ge=0)
    """Longest wait before that."""
