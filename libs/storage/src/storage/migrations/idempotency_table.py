"""The table of idempotent requests."""

from typing import Final, Protocol


class Operations(Protocol):
    """The part of `alembic.op` that is used here."""

    def execute(self, sqltext: str) -> None: ...


_CREATE: Final = (
    """
CREATE TABLE idempotency (
  principal   text        NOT NULL,
  operation   text        NOT NULL,
  key         text        NOT NULL,
  fingerprint bytea       NOT NULL,
  status      smallint    NOT NULL CHECK (status BETWEEN 200 AND 499),
  media_type  text        NOT NULL,
  body        bytea       NOT NULL,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (principal, operation, key)
)""",
    "CREATE INDEX ix_idempotency_created_at ON idempotency (created_at)",
)


def create_idempotency_table(op: Operations) -> None:
    """Call it in the first migration of a service that answers idempotent requests."""
    for statement in _CREATE:
        op.execute(statement)


def drop_idempotency_table(op: Operations) -> None:
    """The way back."""
    op.execute("DROP TABLE idempotency")
