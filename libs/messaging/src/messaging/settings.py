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
    kafka_topic_prefix: str = ""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    kafka_username_file: Path | None = None
    kafka_password_file: Path | None = None
    kafka_ca_file: Path | None = None
    relay_batch: int = Field(default=1000, ge=1, le=10_000)
    relay_idle_ms: tuple[int, int] = (5, 100)
    relay_gather_ms: int = Field(default=8, ge=0)
    relay_slow_s: float = Field(default=60, gt=0)
    relay_give_up_s: float = Field(default=120, gt=0)
    consumer_max_records: int = Field(default=500, ge=1)
    consumer_concurrency: int = Field(default=4, ge=1)
    consumer_retry_budget_s: float = Field(default=300, ge=0)
    consumer_retry_first_s: float = Field(default=0.1, gt=0)
    consumer_retry_longest_s: float = Field(default=30, gt=0)
    consumer_session_s: float = Field(default=15, ge=6)
    consumer_stuck_s: float = Field(default=60, gt=0)
    consumer_drain_s: float = Field(default=5, ge=0)
    sweep_every_s: float = Field(default=2, gt=0)
    sweep_first_retry_s: float = Field(default=30, ge=0)
    sweep_longest_retry_s: float = Field(default=3600, ge=0)
