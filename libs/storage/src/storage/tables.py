"""The base of every service's tables: one naming convention, and the two times that each row has."""

from datetime import datetime

from sqlalchemy import Column, DateTime, MetaData, func
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Subclass it once a service, with a `MetaData` of its own, or put Core tables on its metadata."""

    metadata = MetaData(naming_convention=NAMING)


def timestamps() -> tuple[Column[datetime], Column[datetime]]:
    """`created_at` and `updated_at`, aware, set by the database; `updated_at` moves with every update."""
    return (
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column(
            "updated_at",
            DateTime(timezone=True),
            nullable=False,
            server_default=func.now(),
            onupdate=func.now(),
        ),
    )
