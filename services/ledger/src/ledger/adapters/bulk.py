"""Set-based statements: one round trip and one text for all rows, whatever their number.

The driver looks at each element of an array and asks what class it is of; a text it only copies.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.domain.journal import InvalidJournal
from storage import driver_of, id_text

# ASCII's own: record separator, unit separator, and "substitute" for what is not there.
_ROW: Final = "\x1e"
_FIELD: Final = "\x1f"
_NULL: Final = "\x1a"


class IdTexts(dict[int, str]):
    """UUIDs as text, by their number: a batch writes each of its ids several times."""

    def __missing__(self, number: int) -> str:
        text = self[number] = id_text(number)
        return text


# The rows of one event share its times, and those of a batch the time of posting.
@lru_cache(maxsize=2048)
def time_text(at: datetime) -> str:
    """As Postgres reads it."""
    return at.isoformat()


async def run(session: AsyncSession, sql: str, *values: Any) -> list[asyncpg.Record]:
    """Run SQL with the driver's own parameters ($1, $2, …) in the session's transaction; all its rows."""
    rows: list[asyncpg.Record] = await (await driver_of(session)).fetch(sql, *values)
    return rows


def id_list(ids: Iterable[UUID]) -> str:
    """As `string_to_array($n, ',')::uuid[]` takes them."""
    return ",".join([id_.hex for id_ in ids])


def rows_of(columns: Mapping[str, str], *, parameter: int = 1) -> str:
    """A SELECT of the rows in a text that `joined` made. `columns`: name → SQL type."""
    fields = ", ".join(f"r[{n}]::{kind} AS {name}" for n, (name, kind) in enumerate(columns.items(), start=1))
    return f"""
SELECT {fields} FROM (
  SELECT string_to_array(t.row, E'\\x1f', E'\\x1a') AS r
  FROM string_to_table(${parameter}::text, E'\\x1e') AS t(row) OFFSET 0) AS s"""  # noqa: S608 - the caller's constants


def joined(rows: Sequence[tuple[str | None, ...]]) -> str:
    """At least one row, as the text that `rows_of` takes apart; InvalidJournal when a value holds a separator."""
    text = _ROW.join([_FIELD.join([_NULL if value is None else value for value in row]) for row in rows])
    fields = sum(map(len, rows))
    nulls = sum([row.count(None) for row in rows])
    found = text.count(_ROW), text.count(_FIELD), text.count(_NULL)
    if found != (len(rows) - 1, fields - len(rows), nulls):
        raise InvalidJournal("a text of the books holds a control character")
    return text
