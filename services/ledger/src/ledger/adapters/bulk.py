"""Set-based statements: one round trip and one array a column, whatever the number of rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession


async def run(session: AsyncSession, sql: str, *values: Any) -> CursorResult[Any]:
    """Run the driver's own SQL ($1, $2, …) in the session's transaction: long arrays are bound as they are."""
    return await (await session.connection()).exec_driver_sql(sql, values)


def arrays(columns: Mapping[str, str], *, first: int = 1) -> str:
    """`unnest` of one array parameter a column, from $`first` on, named r(…). `columns`: name → SQL type."""
    parameters = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(columns.values(), start=first))
    return f"unnest({parameters}) AS r({', '.join(columns)})"


def columns_of(rows: Sequence[Sequence[Any]], *, count: int) -> list[list[Any]]:
    """The rows turned into one list a column; `count` empty ones when there are no rows."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(count)]
