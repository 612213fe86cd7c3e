"""Set-based inserts: one statement and one array a column, whatever the number of rows."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import TextClause, text


def bulk_insert(table: str, columns: Mapping[str, str], *, suffix: str = "") -> TextClause:
    """An INSERT of arrays named as the columns. `columns`: name → SQL type; json arrives as text."""
    names = ", ".join(columns)
    arrays = ", ".join(f"CAST(:{name} AS {_array_type(kind)}[])" for name, kind in columns.items())
    values = ", ".join(_value(name, kind) for name, kind in columns.items())
    return text(
        f"INSERT INTO {table} ({names}) SELECT {values} "  # noqa: S608 - names are constants of our modules
        f"FROM unnest({arrays}) WITH ORDINALITY AS r({names}, n) ORDER BY r.n {suffix}"
    )


def arrays_of(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> dict[str, list[Any]]:
    """The rows turned into one list a column."""
    kept = list(rows)
    return {name: [row[name] for row in kept] for name in columns}


def _value(name: str, kind: str) -> str:
    return f"r.{name}::jsonb" if kind == "jsonb" else f"r.{name}"


def _array_type(kind: str) -> str:
    return "text" if kind == "jsonb" else kind
