"""Statements that are compiled once and run on the driver: for those that every event pays for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.compiler import SQLCompiler

from storage.driver import driver_of

_DIALECT: Final = dialect()  # type: ignore[no-untyped-call]


class Prepared:
    """A Core statement with its `bindparam`s; what it costs SQLAlchemy, it costs once.

    `columns` are those that an INSERT or UPDATE without `values` writes, each a parameter of its name. A list is
    one parameter (`= ANY`), never an expanding IN. Errors and rows are the driver's (see `driver_of`): a
    column comes as it is stored, a status as text.
    """

    def __init__(self, statement: Executable, *, columns: Sequence[str] | None = None) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=columns)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler), "statements, no DDL"
        assert not compiled.post_compile_params, "an expanding parameter has no fixed text"
        self.sql: Final = compiled.string
        self._names = tuple(compiled.positiontup or ())
        self._given: Mapping[str, Any] = {
            name: bound.effective_value for name, bound in compiled.binds.items() if not bound.required
        }
        self._processors: Mapping[str, Any] = compiled._bind_processors

    async def fetch(self, session: AsyncSession, values: Mapping[str, Any]) -> Sequence[asyncpg.Record]:
        """All rows."""
        rows: Sequence[asyncpg.Record] = await (await driver_of(session)).fetch(
            self.sql, *self._arguments(values)
        )
        return rows

    async def fetch_one(self, session: AsyncSession, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """The first row, if any."""
        return await (await driver_of(session)).fetchrow(self.sql, *self._arguments(values))

    async def execute(self, session: AsyncSession, values: Mapping[str, Any]) -> None:
        """For what returns nothing."""
        await (await driver_of(session)).execute(self.sql, *self._arguments(values))

    async def execute_many(self, session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
        """Once a row, in order; all of them in one go."""
        if len(rows) == 1:
            await self.execute(session, rows[0])
        elif rows:
            driver = await driver_of(session)
            await driver.executemany(self.sql, [self._arguments(row) for row in rows])

    def _arguments(self, values: Mapping[str, Any]) -> list[Any]:
        arguments = []
        for name in self._names:
            value = values[name] if name in values else self._given[name]
            processor = self._processors.get(name)
            arguments.append(value if processor is None else processor(value))
        return arguments
