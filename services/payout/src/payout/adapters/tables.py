"""Payout's tables; the migrations make them, the repositories read and write them."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from storage.tables import NAMING, timestamps

metadata = MetaData(naming_convention=NAMING)


def _time(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True))


payouts = Table(
    "payouts",
    metadata,
    Column("id", PG_UUID, primary_key=True),
    Column("driver_id", PG_UUID, nullable=False),
    Column("amount", Numeric(10, 2), nullable=False),
    Column("status", Text, nullable=False),
    Column("payout_method", Text, nullable=False),
    Column("bank_details", JSONB),
    Column("provider", Text, nullable=False),
    Column("provider_transaction_id", Text),
    Column("provider_response", JSONB, nullable=False),
    *timestamps(),
    _time("completed_at"),
    _time("failed_at"),
    Column("failure_reason", Text),
    Column("step", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("held_version", BigInteger),
    Column("id_envio", Text),
    Column("fee", Numeric(10, 2), nullable=False),
    Column("returned", Numeric(10, 2), nullable=False),
    _time("asked_at"),
    _time("due_at"),
    _time("hinted_at"),
)

payout_attempts = Table(
    "payout_attempts",
    metadata,
    Column("id", PG_UUID, primary_key=True),
    Column("payout_id", PG_UUID, nullable=False),
    Column("id_envio", Text, nullable=False),
    _time("started_at"),
    _time("finished_at"),
    Column("outcome", Text),
    Column("code", Text),
)

payout_returns = Table(
    "payout_returns",
    metadata,
    Column("return_id", Text, primary_key=True),
    Column("payout_id", PG_UUID, nullable=False),
    Column("amount", Numeric(10, 2), nullable=False),
    _time("noted_at"),
)

payout_contradictions = Table(
    "payout_contradictions",
    metadata,
    Column("payout_id", PG_UUID, primary_key=True),
    Column("reported", Text, primary_key=True),
    Column("known", Text, nullable=False),
    Column("detail", Text, nullable=False),
    _time("found_at"),
)

driver_standings = Table(
    "driver_standings",
    metadata,
    Column("driver_id", PG_UUID, primary_key=True),
    Column("status", Text, nullable=False),
    _time("pix_key_changed_at"),
    Column("version", BigInteger, nullable=False),
    _time("heard_at"),
)

driver_balances = Table(
    "driver_balances",
    metadata,
    Column("driver_id", PG_UUID, primary_key=True),
    Column("available", Numeric(19, 2), nullable=False),
    Column("on_hold", Numeric(19, 2), nullable=False),
    Column("version", BigInteger, nullable=False),
    _time("heard_at"),
)
