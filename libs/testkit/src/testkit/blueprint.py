"""Every column and index that the blueprint lists ("Modelo de Dados", "Índices Críticos"), as data.

Tables are the plural names that the blueprint's own indexes use. A column is written as `name: type` in the
blueprint's words; an index as its table, key columns, uniqueness and predicate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_TABLES: Final = {
    "users": """id: UUID, email: String, phone: String, password_hash: String, user_type: Enum,
        status: Enum""",
    "passengers": """id: UUID, user_id: UUID, full_name: String, cpf: String, average_rating:
        Decimal(3.2), total_rides: Integer""",
    "drivers": """id: UUID, user_id: UUID, full_name: String, cpf: String, cnh_number: String,
        pix_key: String, current_lat: Decimal(10.8), current_lon: Decimal(11.8),
        current_ride_id: UUID, status: Enum, online: Boolean, average_rating: Decimal(3.2)""",
    "vehicles": """id: UUID, driver_id: UUID, license_plate: String, brand: String, model: String,
        year: Integer, category: Enum, status: Enum""",
    "rides": """id: UUID, passenger_id: UUID, driver_id: UUID, status: Enum, pickup_lat: Decimal,
        pickup_lon: Decimal, dropoff_lat: Decimal, dropoff_lon: Decimal, estimated_fare:
        Decimal(10.2), final_fare: Decimal(10.2), created_at: Timestamp, accepted_at:
        Timestamp, started_at: Timestamp, completed_at: Timestamp, version: Integer""",
    "ride_offers": """id: UUID, ride_id: UUID, driver_id: UUID, offered_at: Timestamp, expires_at:
        Timestamp, response: Enum, responded_at: Timestamp""",
    "ride_accept_attempts": """id: UUID, ride_id: UUID, driver_id: UUID, idempotency_key: String,
        status: Enum, failure_reason: Text, attempt_at: Timestamp""",
    "payment_intents": """id: UUID, ride_id: UUID, amount: Decimal(10.2), status: Enum, payment_method:
        String, created_at: Timestamp, confirmed_at: Timestamp, expires_at: Timestamp""",
    "pix_charges": """id: UUID, payment_intent_id: UUID, txid: String, e2e_id: String, qr_code: Text,
        pix_copy_paste: Text, amount: Decimal(10.2), status: Enum, expires_at: Timestamp,
        paid_at: Timestamp""",
    "webhook_events": """id: UUID, provider: String, event_type: String, txid: String, e2e_id: String,
        payload: JSONB, payload_hash: String, processed: Boolean, processed_at: Timestamp,
        received_at: Timestamp""",
    "ledger_accounts": """id: UUID, code: String, name: String, account_type: Enum, classification: Enum,
        active: Boolean""",
    "ledger_entries": """id: BigInt, transaction_id: String, account_id: UUID, entry_type: Enum, amount:
        Decimal(19.6), driver_id: UUID, entity_type: String, entity_id: String,
        reference_number: String, description: Text, reversed: Boolean, reversal_entry_id:
        BigInt, transaction_date: Date, created_at: Timestamp""",
    "financial_events": """id: UUID, event_type: String, ride_id: UUID, payment_intent_id: UUID, amount:
        Decimal(10.2), external_id: String, occurred_at: Timestamp, metadata: JSONB""",
    "payouts": """id: UUID, driver_id: UUID, amount: Decimal(10.2), status: Enum, payout_method:
        String, bank_details: JSONB, provider: String, provider_transaction_id: String,
        provider_response: JSONB, created_at: Timestamp, completed_at: Timestamp, failed_at:
        Timestamp, failure_reason: Text""",
    "audit_logs": """id: BigInt, action: String, entity_type: String, entity_id: String, user_id: UUID,
        user_type: String, changes: JSONB, ip_address: Inet, user_agent: Text, request_id:
        String, occurred_at: Timestamp""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One index. `only_when` is the predicate of a partial one, in Postgres' own spelling."""

    table: str
    columns: tuple[str, ...]
    unique: bool = False
    only_when: str | None = None


COLUMNS: Final[Mapping[tuple[str, str], str]] = {
    (table, name.strip()): kind.strip()
    for table, text in _TABLES.items()
    for name, _, kind in (column.partition(":") for column in text.split(","))
}
"""(table, column) to the blueprint's type; a numeric's precision and scale are parted by a dot."""


def _index(table: str, *columns: str, unique: bool = False, only_when: str | None = None) -> Index:
    return Index(table=table, columns=columns, unique=unique, only_when=only_when)


INDEXES: Final[Mapping[str, Index]] = {
    "idx_rides_status_created": _index("rides", "status", "created_at"),
    "idx_rides_driver": _index("rides", "driver_id", only_when="driver_id IS NOT NULL"),
    "idx_rides_pickup_location": _index("rides", "pickup_lat", "pickup_lon"),
    "idx_offers_ride_driver": _index("ride_offers", "ride_id", "driver_id", unique=True),
    "idx_offers_expires": _index("ride_offers", "expires_at", only_when="response IS NULL"),
    "idx_accept_idempotency": _index("ride_accept_attempts", "idempotency_key", unique=True),
    "idx_pix_txid": _index("pix_charges", "txid", unique=True),
    "idx_pix_e2e_id": _index("pix_charges", "e2e_id", unique=True, only_when="e2e_id IS NOT NULL"),
    "idx_ledger_transaction": _index("ledger_entries", "transaction_id"),
    "idx_ledger_driver": _index("ledger_entries", "driver_id", only_when="driver_id IS NOT NULL"),
    "idx_ledger_date": _index("ledger_entries", "transaction_date"),
    "idx_financial_external_id": _index("financial_events", "external_id", unique=True),
    "idx_webhook_hash": _index("webhook_events", "payload_hash"),
    "idx_webhook_processed": _index("webhook_events", "processed", "received_at"),
}

UNIQUE_COLUMNS: Final = frozenset(
    {
        ("users", "email"),
        ("users", "phone"),
        ("passengers", "user_id"),
        ("passengers", "cpf"),
        ("drivers", "user_id"),
        ("drivers", "cpf"),
        ("drivers", "cnh_number"),
        ("vehicles", "license_plate"),
        ("ledger_accounts", "code"),
    }
)
"""Marked UNIQUE among the entities, with no index of their own in the blueprint's list."""
