"""One database a service: engines, the transaction, its outbox, idempotency, migrations, encryption."""

from storage.database import Database, NestedTransaction, sqlstate
from storage.driver import driver_of
from storage.idempotency import IdempotencyKeyReused, RequestInProgress
from storage.outbox_row import NotPublishable
from storage.prepared import Prepared
from storage.row_ids import id_text, new_row_id, read_id
from storage.scope import Cause, Scope
from storage.settings import DatabaseSettings
from storage.tables import Base, timestamps
from storage.transaction import Transaction

__all__ = [
    "Base",
    "Cause",
    "Database",
    "DatabaseSettings",
    "IdempotencyKeyReused",
    "NestedTransaction",
    "NotPublishable",
    "Prepared",
    "RequestInProgress",
    "Scope",
    "Transaction",
    "driver_of",
    "id_text",
    "new_row_id",
    "read_id",
    "sqlstate",
    "timestamps",
]
