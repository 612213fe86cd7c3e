"""Outbox, inbox and their dead letters: one set in every service's database.

The shapes and their reasons: docs/architecture.md, "Messages". Every `payload` may be NULL: a tombstone.
"""

from typing import Final

from storage.migrations.idempotency_table import Operations
from storage.migrations.inbox_functions import CREATE_FUNCTIONS, DROP_FUNCTIONS

# txid comes before id: the transaction's xid exists before the row's sequence number is drawn, which the
# relay's floor rests on. The sequence keeps CACHE 1: id order is the order of the row locks.
_OUTBOX: Final = """
CREATE TABLE outbox (
  txid              xid8        NOT NULL DEFAULT pg_current_xact_id(),
  id                bigint      GENERATED ALWAYS AS IDENTITY,
  shard             smallint    NOT NULL CHECK (shard BETWEEN 0 AND 15),
  event_id          uuid        NOT NULL,
  topic             text        NOT NULL,
  key               text        NOT NULL CHECK (key <> ''),
  aggregate_version bigint      NOT NULL,
  event_type        text        NOT NULL,
  headers           jsonb       NOT NULL,
  payload           bytea       CHECK (octet_length(payload) <= 786432),
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 50000)"""

_LEASE: Final = """
CREATE TABLE outbox_lease (
  shard smallint    PRIMARY KEY,
  epoch bigint      NOT NULL DEFAULT 0,
  owner text,
  since timestamptz
)"""

_QUARANTINE: Final = """
CREATE TABLE outbox_quarantine (
  id                bigint      PRIMARY KEY,
  shard             smallint    NOT NULL,
  event_id          uuid        NOT NULL,
  topic             text        NOT NULL,
  key               text        NOT NULL,
  event_type        text        NOT NULL,
  aggregate_version bigint      NOT NULL,
  headers           jsonb       NOT NULL,
  payload           bytea,
  created_at        timestamptz NOT NULL,
  error_class       text,
  error             text,
  quarantined_at    timestamptz NOT NULL DEFAULT now(),
  settled_at        timestamptz,
  state             text        NOT NULL CHECK (state IN ('head', 'held', 'released', 'discarded'))
)"""

_INBOX: Final = """
CREATE TABLE inbox (
  consumer       text        NOT NULL,
  source         text        NOT NULL,
  event_id       uuid        NOT NULL,
  event_day      date        NOT NULL,
  payload_sha256 bytea       NOT NULL,
  topic          text        NOT NULL,
  partition      integer     NOT NULL,
  "offset"       bigint      NOT NULL,
  processed_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, source, event_id, event_day)
) PARTITION BY RANGE (event_day)"""

_PARKED: Final = """
CREATE TABLE parked_event (
  seq             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  consumer        text        NOT NULL,
  key             text        NOT NULL,
  source          text        NOT NULL,
  event_id        uuid        NOT NULL,
  event_type      text        NOT NULL,
  payload_sha256  bytea       NOT NULL,
  topic           text        NOT NULL,
  partition       integer     NOT NULL,
  "offset"        bigint      NOT NULL,
  headers         jsonb       NOT NULL,
  payload         bytea,
  error_class     text,
  error           text,
  fingerprint     text,
  attempts        integer     NOT NULL DEFAULT 0,
  next_attempt_at timestamptz,
  parked_at       timestamptz NOT NULL DEFAULT now(),
  settled_at      timestamptz,
  state           text        NOT NULL CHECK (state IN ('head', 'held', 'released', 'discarded')),
  UNIQUE (consumer, source, event_id, payload_sha256)
)"""

_ATTEMPT: Final = """
CREATE TABLE consume_attempt (
  consumer  text    NOT NULL,
  topic     text    NOT NULL,
  partition integer NOT NULL,
  "offset"  bigint  NOT NULL,
  started   integer NOT NULL DEFAULT 0,
  finished  integer NOT NULL DEFAULT 0,
  PRIMARY KEY (consumer, topic, partition, "offset")
)"""

_INDEXES: Final = (
    """
CREATE INDEX ix_outbox_quarantine_open ON outbox_quarantine (topic, key, id)
WHERE state IN ('head', 'held')""",
    """
CREATE INDEX ix_parked_event_open ON parked_event (consumer, topic, key, seq)
WHERE state IN ('head', 'held')""",
    "CREATE TABLE inbox_default PARTITION OF inbox DEFAULT",
    "INSERT INTO outbox_lease (shard) SELECT generate_series(0, 15)",
)

_TABLES: Final = (_OUTBOX, _LEASE, _QUARANTINE, _INBOX, _PARKED, _ATTEMPT)


def create_messaging_tables(op: Operations) -> None:
    """Call it in a service's first migration."""
    for statement in (*_TABLES, *_INDEXES, *CREATE_FUNCTIONS):
        op.execute(statement)


def drop_messaging_tables(op: Operations) -> None:
    """The way back."""
    for function in DROP_FUNCTIONS:
        op.execute(function)
    for table in (
        "consume_attempt",
        "parked_event",
        "inbox",
        "outbox_quarantine",
        "outbox_lease",
        "outbox",
    ):
        op.execute(f"DROP TABLE {table}")
