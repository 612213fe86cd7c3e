"""The tables, as queries need them; the migration decides everything else."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables import NAMING, timestamps

METADATA = MetaData(naming_convention=NAMING)
INSTANT = DateTime(timezone=True)

users = Table(
    "users",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("email", String),
    Column("phone", String),
    Column("password_hash", String),
    Column("user_type", String),
    Column("status", String),
    Column("status_reason", String),
    Column("version", BigInteger),
    *timestamps(),
)


def _person_columns() -> tuple[Column[Any], ...]:
    return (
        Column("id", Uuid, primary_key=True),
        Column("user_id", Uuid),
        Column("full_name", String),
        Column("cpf", LargeBinary),
        Column("cpf_index", LargeBinary),
        Column("average_rating", Numeric(3, 2)),
        Column("ratings_sum", BigInteger),
        Column("ratings_count", Integer),
        Column("total_rides", Integer),
        *timestamps(),
    )


passengers = Table("passengers", METADATA, *_person_columns())

drivers = Table(
    "drivers",
    METADATA,
    *_person_columns(),
    Column("cnh_number", LargeBinary),
    Column("cnh_index", LargeBinary),
    Column("pix_key", LargeBinary),
    Column("pix_key_index", LargeBinary),
    Column("pix_key_type", String),
    Column("pix_key_changed_at", INSTANT),
    Column("approval_status", String),
    Column("rejection_reason", String),
)

vehicles = Table(
    "vehicles",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("driver_id", Uuid),
    Column("license_plate", String),
    Column("mercosul_plate", String),
    Column("brand", String),
    Column("model", String),
    Column("year", Integer),
    Column("category", String),
    Column("status", String),
    *timestamps(),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid),
    Column("user_type", String),
    Column("generation", Integer),
    Column("address_index", LargeBinary),
    Column("created_at", INSTANT),
    Column("expires_at", INSTANT),
    Column("revoked_at", INSTANT),
    Column("revoke_reason", String),
)

refresh_tokens = Table(
    "refresh_tokens",
    METADATA,
    Column("session_id", Uuid, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("token_hash", LargeBinary),
    Column("nonce", LargeBinary),
    Column("expires_at", INSTANT),
    Column("used_at", INSTANT),
)

signing_keys = Table(
    "signing_keys",
    METADATA,
    Column("kid", String, primary_key=True),
    Column("public_jwk", JSONB),
    Column("private_key", LargeBinary),
    Column("active_at", INSTANT),
    Column("created_at", INSTANT),
)
