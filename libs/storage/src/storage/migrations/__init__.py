"""Alembic for services: `run`, `downgrade`, and what their migrations call."""

from storage.migrations.idempotency_table import create_idempotency_table, drop_idempotency_table
from storage.migrations.messaging_tables import create_messaging_tables, drop_messaging_tables
from storage.migrations.roles import app_role
from storage.migrations.runner import downgrade, run

__all__ = [
    "app_role",
    "create_idempotency_table",
    "create_messaging_tables",
    "downgrade",
    "drop_idempotency_table",
    "drop_messaging_tables",
    "run",
]
