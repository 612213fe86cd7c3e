"""The blueprint's columns and indexes, looked for in the services' migrated databases."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from testkit.blueprint import COLUMNS, INDEXES, UNIQUE_COLUMNS, Index

Column = tuple[str, str]

MOVED: Final[Mapping[Column, Column]] = {
    # What changes every second lives with the dispatcher; identity keeps who a driver is.
    ("drivers", column): ("driver_states", column)
    for column in ("current_lat", "current_lon", "current_ride_id", "status", "online")
}
"""Columns that are found in another table than the blueprint's."""

SEALED: Final[Mapping[Column, Column]] = {
    # Encrypted (AES-GCM), so bytes; a keyed hash beside each keeps it unique without revealing it.
    ("passengers", "cpf"): ("passengers", "cpf_index"),
    ("drivers", "cpf"): ("drivers", "cpf_index"),
    ("drivers", "cnh_number"): ("drivers", "cnh_index"),
    ("drivers", "pix_key"): ("drivers", "pix_key_index"),
}
"""Personal data that is stored encrypted, with the column that carries its uniqueness."""

EXCEPTIONS: Final[Mapping[Column | str, str]] = {}
"""What is deliberately not there, with the reason. Nothing so far."""

_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "UUID": frozenset({"uuid"}),
    "String": frozenset({"text", "varchar", "bpchar"}),
    "Text": frozenset({"text"}),
    "Enum": frozenset({"text", "varchar"}),
    "Integer": frozenset({"int2", "int4", "int8"}),
    "BigInt": frozenset({"int8"}),
    "Boolean": frozenset({"bool"}),
    "Timestamp": frozenset({"timestamptz"}),
    "Date": frozenset({"date"}),
    "JSONB": frozenset({"jsonb"}),
    "Inet": frozenset({"inet"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundIndex:
    """One index of a database, as Postgres reports it."""

    table: str
    columns: tuple[str, ...]
    unique: bool
    only_when: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What one database has. Column types are Postgres' own, a numeric's with precision and scale."""

    service: str
    columns: Mapping[Column, str]
    indexes: Sequence[FoundIndex]


async def read_schema(url: str, *, service: str) -> Schema:
    """Every column and index of the public schema."""
    connection = await asyncpg.connect(url)
    try:
        columns = await connection.fetch(_COLUMNS)
        indexes = await connection.fetch(_INDEXES)
    finally:
        await connection.close()
    return Schema(
        service=service,
        columns={(row["table_name"], row["column_name"]): row["type"] for row in columns},
        indexes=[FoundIndex(**dict(row) | {"columns": tuple(row["columns"])}) for row in indexes],
    )


def missing(schemas: Sequence[Schema]) -> list[str]:
    """What the blueprint lists and no service has, one message each."""
    return [*_missing_columns(schemas), *_missing_uniqueness(schemas), *_missing_indexes(schemas)]


def _missing_columns(schemas: Sequence[Schema]) -> Iterator[str]:
    for column, kind in COLUMNS.items():
        if column in EXCEPTIONS:
            continue
        place = MOVED.get(column, column)
        types = [schema.columns[place] for schema in schemas if place in schema.columns]
        wanted = frozenset({"bytea"}) if column in SEALED else _wanted(kind)
        if not types:
            yield f"column {'.'.join(column)} is in no database (looked for {'.'.join(place)})"
        elif not any(_is(type_, wanted) for type_ in types):
            yield f"column {'.'.join(place)} is {', '.join(types)}, not {kind}"


def _wanted(kind: str) -> frozenset[str]:
    if kind.startswith("Decimal"):
        return frozenset({kind.replace("Decimal", "numeric").replace(".", ",")})
    return _TYPES[kind]


def _is(found: str, wanted: frozenset[str]) -> bool:
    """A bare `numeric` in the blueprint leaves the precision open."""
    return found in wanted or (wanted == {"numeric"} and found.startswith("numeric"))


def _missing_uniqueness(schemas: Sequence[Schema]) -> Iterator[str]:
    for column in UNIQUE_COLUMNS:
        table, name = SEALED.get(column) or MOVED.get(column, column)
        index = Index(table=table, columns=(name,), unique=True)
        if not any(_serves(found, index) for schema in schemas for found in schema.indexes):
            yield f"{'.'.join(column)} is unique nowhere (looked for {table}.{name})"


def _missing_indexes(schemas: Sequence[Schema]) -> Iterator[str]:
    for name, index in INDEXES.items():
        if name in EXCEPTIONS:
            continue
        if not any(_serves(found, index) for schema in schemas for found in schema.indexes):
            yield f"index {name} on {index.table} {index.columns} is in no database"


def _serves(found: FoundIndex, wanted: Index) -> bool:
    """The same key columns in the same order, as unique, and partial at most where the blueprint's is."""
    return (
        found.table == wanted.table
        and found.columns == wanted.columns
        and (found.unique or not wanted.unique)
        and found.only_when in (None, wanted.only_when)
    )


_COLUMNS: Final = """
SELECT table_name, column_name,
       CASE WHEN udt_name = 'numeric' AND numeric_precision IS NOT NULL
            THEN format('numeric(%s,%s)', numeric_precision, numeric_scale) ELSE udt_name END AS type
FROM information_schema.columns WHERE table_schema = 'public'"""

_INDEXES: Final = """
SELECT t.relname AS table, i.indisunique AS unique,
       array_agg(pg_get_indexdef(i.indexrelid, n, true) ORDER BY n) AS columns,
       regexp_replace(pg_get_expr(i.indpred, i.indrelid, true), '^\\((.*)\\)$', '\\1') AS only_when
FROM pg_index i
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace s ON s.oid = t.relnamespace AND s.nspname = 'public',
     generate_series(1, i.indnkeyatts) n
GROUP BY t.relname, i.indexrelid, i.indrelid, i.indisunique, i.indpred"""
