"""Backoffice's tables."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from storage.tables import NAMING

metadata = MetaData(naming_convention=NAMING)

audit_logs = Table(
    "audit_logs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("record_id", PG_UUID, nullable=False, unique=True),
    Column("action", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Text, nullable=False),
    Column("user_id", PG_UUID),
    Column("user_type", Text, nullable=False),
    Column("changes", JSONB, nullable=False),
    Column("reason", Text),
    Column("ip_address", INET),
    Column("user_agent", Text),
    Column("request_id", Text),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
)
