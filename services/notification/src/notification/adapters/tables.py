"""Notification's tables."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from storage.tables import NAMING

metadata = MetaData(naming_convention=NAMING)

streams = Table(
    "streams",
    metadata,
    Column("user_id", PG_UUID, primary_key=True),
    Column("last_offset", BigInteger, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("user_id", PG_UUID, primary_key=True),
    Column("log_offset", BigInteger, primary_key=True),
    Column("event_id", PG_UUID, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("traceparent", Text),
)

tickets = Table(
    "tickets",
    metadata,
    Column("ticket_hash", Text, primary_key=True),
    Column("holder", JSONB, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

log_identity = Table("log_identity", metadata, Column("epoch", Text, primary_key=True))
