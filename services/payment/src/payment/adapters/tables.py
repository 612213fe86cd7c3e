"""Payment's tables; the migrations make them, the repositories read and write them."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from storage.tables import NAMING, timestamps

metadata = MetaData(naming_convention=NAMING)


def _time(name: str) -> Column:  # type: ignore[type-arg]
    return Column(name, DateTime(timezone=True))


rides = Table(
    "rides",
    metadata,
    Column("id", PG_UUID, primary_key=True),
    Column("passenger_id", PG_UUID, nullable=False),
    Column("driver_id", PG_UUID),
    Column("state", Text, nullable=False),
    Column("fare", Numeric(10, 2)),
    Column("commission", Numeric(10, 2), nullable=False),
    *timestamps(),
)

payment_intents = Table(
    "payment_intents",
    metadata,
    Column("id", PG_UUID, primary_key=True),
    Column("ride_id", PG_UUID, nullable=False),
    Column("passenger_id", PG_UUID, nullable=False),
    Column("driver_id", PG_UUID, nullable=False),
    Column("amount", Numeric(10, 2), nullable=False),
    Column("commission", Numeric(10, 2), nullable=False),
    Column("status", Text, nullable=False),
    Column("payment_method", Text, nullable=False),
    Column("refunded", Numeric(10, 2), nullable=False),
    Column("version", Integer, nullable=False),
    _time("confirmed_at"),
    _time("expires_at"),
    *timestamps(),
)

pix_charges = Table(
    "pix_charges",
    metadata,
    Column("id", PG_UUID, primary_key=True),
    Column("payment_intent_id", PG_UUID, nullable=False),
    Column("txid", Text, nullable=False),
    Column("e2e_id", Text),
    Column("qr_code", Text),
    Column("pix_copy_paste", Text),
    Column("amount", Numeric(10, 2), nullable=False),
    Column("status", Text, nullable=False),
    _time("expires_at"),
    _time("paid_at"),
    _time("next_attempt_at"),
    Column("attempts", Integer, nullable=False),
    *timestamps(),
)

received_pix = Table(
    "received_pix",
    metadata,
    Column("e2e_id", Text, primary_key=True),
    Column("txid", Text),
    Column("payment_intent_id", PG_UUID),
    Column("ride_id", PG_UUID),
    Column("passenger_id", PG_UUID),
    Column("amount", Numeric(10, 2), nullable=False),
    Column("fee", Numeric(10, 2), nullable=False),
    Column("held", Numeric(10, 2), nullable=False),
    Column("mismatch", Text),
    Column("source", Text, nullable=False),
    _time("paid_at"),
    *timestamps(),
)

sweeps = Table("sweeps", metadata, Column("name", Text, primary_key=True), _time("swept_until"))

statements = Table(
    "statements",
    metadata,
    Column("day", Date, primary_key=True),
    Column("lines", Integer, nullable=False),
    _time("published_at"),
)

statement_reports = Table(
    "statement_reports",
    metadata,
    Column("day", Date, primary_key=True),
    Column("report_id", Text, nullable=False),
    _time("requested_at"),
)

rejected_claims = Table(
    "rejected_claims",
    metadata,
    Column("e2e_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("reference", Text, primary_key=True),
    Column("claimed", Numeric(15, 2)),
    Column("confirmed", Numeric(15, 2)),
    _time("found_at"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", PG_UUID, primary_key=True),
    Column("sealed_body", LargeBinary),
    Column("body_sha256", Text, nullable=False),
    Column("redacted", JSONB, nullable=False),
    _time("received_at"),
    _time("shred_at"),
    _time("shredded_at"),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", PG_UUID, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("txid", Text),
    Column("e2e_id", Text),
    Column("reference", Text),
    Column("status", Text),
    Column("amount", Numeric(15, 2)),
    Column("delivery_id", PG_UUID),
    Column("payload", JSONB, nullable=False),
    Column("payload_hash", Text, nullable=False),
    Column("processed", Boolean, nullable=False),
    Column("outcome", Text),
    Column("attempts", Integer, nullable=False),
    _time("next_attempt_at"),
    _time("processed_at"),
    _time("received_at"),
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", PG_UUID, primary_key=True),
    Column("payment_intent_id", PG_UUID),
    Column("e2e_id", Text, nullable=False),
    Column("efi_id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("amount", Numeric(10, 2), nullable=False),
    Column("reason", Text, nullable=False),
    Column("requested_by", PG_UUID),
    Column("status", Text, nullable=False),
    Column("return_id", Text),
    Column("failure_reason", Text),
    Column("attempts", Integer, nullable=False, default=0),
    _time("next_attempt_at"),
    _time("finished_at"),
    *timestamps(),
)
