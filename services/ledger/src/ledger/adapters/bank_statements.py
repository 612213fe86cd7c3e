"""Efí's statements as they arrived, and which bank entry each of their lines speaks for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.payment import StatementClosed, StatementLine
from kernel.business_day import day_bounds
from kernel.money import money
from ledger.adapters.bank_queries import (
    CANDIDATES,
    CONTESTED,
    DAY,
    DAYS,
    ENTRIES_ALONE,
    FLIGHT,
    SUMS,
    UNMATCHED_LINES,
)
from ledger.adapters.turnovers import of_account
from ledger.domain.as_of import By, Moment
from ledger.domain.bank_balance import BookedBalance, JudgedBalance, Span
from ledger.domain.bank_day import BankDay
from ledger.domain.cases import Resolution
from ledger.domain.chart import BANK
from ledger.domain.manual import MANUAL
from ledger.domain.statement import EVENTS_OF_KIND, BankEntry, DaySums, ReceivedLine, reference_of

_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtext('ledger bank statements'))")
_KEEP_LINE: Final = text("""
INSERT INTO statement_lines
  (line_id, day, kind, amount, e2e_id, txid, id_envio, return_id, occurred_at, received_at)
VALUES (:line_id, CAST(:day AS date), :kind, :amount, :e2e_id, :txid, :id_envio, :return_id, :occurred_at, :now)
ON CONFLICT (line_id) DO NOTHING
""")
_LINE: Final = text("SELECT * FROM statement_lines WHERE line_id = :line_id")
_MATCH: Final = text("""
INSERT INTO statement_matches (entry_id, line_id, journal_id, matched_at)
VALUES (:entry_id, :line_id, :journal_id, :now)
""")
_MATCHED: Final = text("SELECT EXISTS (SELECT 1 FROM statement_matches WHERE line_id = :line_id)")
_KEEP_CLOSED: Final = text("""
INSERT INTO bank_statements (day, line_count, came_in, went_out, balance, closed_at, received_at)
VALUES (:day, :lines, :came_in, :went_out, :balance, :closed_at, :now)
ON CONFLICT (day) DO UPDATE
SET line_count = excluded.line_count, came_in = excluded.came_in, went_out = excluded.went_out,
    balance = excluded.balance, closed_at = excluded.closed_at, received_at = excluded.received_at,
    checked_at = NULL, gap = NULL, gap_low = NULL, gap_high = NULL
WHERE bank_statements.closed_at < excluded.closed_at
""")
# Until half an hour after its end payment shows a day only as far as Efí has booked it.
_DUE: Final = text("""
SELECT day, line_count, came_in, went_out, balance, closed_at FROM bank_statements
WHERE checked_at IS NULL AND received_at <= :received_before
  AND closed_at >= (day + 1)::timestamp AT TIME ZONE 'America/Sao_Paulo' + interval '30 minutes'
ORDER BY day
""")
_CHECKED: Final = text("UPDATE bank_statements SET checked_at = :now WHERE day = :day")
_BALANCES_DUE: Final = text("""
SELECT day, line_count, came_in, went_out, balance, closed_at FROM bank_statements
WHERE checked_at IS NOT NULL AND balance IS NOT NULL AND gap_low IS NULL AND received_at <= :received_before
ORDER BY day
""")
_JUDGED: Final = text("""
SELECT s.gap_low, s.gap_high, c.id IS NOT NULL AS opened, c.resolution
FROM bank_statements s LEFT JOIN reconciliation_cases c ON c.day = s.day AND c.kind = 'balance_differs'
WHERE s.day < :day AND s.gap_low IS NOT NULL ORDER BY s.day
""")
_JUDGE: Final = text("""
UPDATE bank_statements SET gap = :gap, gap_low = :low, gap_high = :high WHERE day = :day
""")


class SqlBankStatements:
    """Lines and matches are only ever added. Matching is one at a time: its lock is held to the commit."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self) -> None:
        await self._session.execute(_LOCK)

    async def keep_line(self, line: StatementLine, *, now: datetime) -> StatementLine:
        values = {
            **line.model_dump(),
            "day": date.fromisoformat(line.day),
            "kind": line.kind.value,
            "now": now,
        }
        await self._session.execute(_KEEP_LINE, values)
        found = await self._session.execute(_LINE, {"line_id": line.line_id})
        return _line(found.mappings().one()).line

    async def candidates(self, line: StatementLine) -> list[BankEntry]:
        rows = await self._session.execute(CANDIDATES, _references(line))
        return [_entry(row) for row in rows.mappings()]

    async def match(self, line: StatementLine, entries: Sequence[BankEntry], *, now: datetime) -> None:
        rows = [
            {"entry_id": entry.id, "line_id": line.line_id, "journal_id": entry.journal_id, "now": now}
            for entry in entries
        ]
        await self._session.execute(_MATCH, rows)

    async def matched(self, line_id: str) -> bool:
        return bool((await self._session.execute(_MATCHED, {"line_id": line_id})).scalar_one())

    async def unmatched_lines(self, *, day: date | None = None) -> list[ReceivedLine]:
        rows = await self._session.execute(UNMATCHED_LINES, {"day": day})
        return [_line(row) for row in rows.mappings()]

    async def keep_closed(self, closed: StatementClosed, *, now: datetime) -> None:
        values = {**closed.model_dump(), "day": date.fromisoformat(closed.day), "now": now}
        await self._session.execute(_KEEP_CLOSED, values)

    async def due(self, *, received_before: datetime) -> list[StatementClosed]:
        rows = await self._session.execute(_DUE, {"received_before": received_before})
        return [_closed(row) for row in rows.mappings()]

    async def entries_alone(self, day: date) -> list[BankEntry]:
        rows = await self._session.execute(ENTRIES_ALONE, _bounds(day))
        return [_entry(row) for row in rows.mappings()]

    async def contested(self, day: date) -> Collection[int]:
        rows = (await self._session.execute(CONTESTED, {"day": day})).mappings()
        ids: set[int] = set()
        for row in list(rows):
            ids |= {entry.id for entry in await self.candidates(_line(row).line)}
        return ids

    async def sums(self, closed: StatementClosed) -> DaySums:
        day = date.fromisoformat(closed.day)
        row = (await self._session.execute(SUMS, {**_bounds(day), "day": day})).mappings().one()
        amounts = {name: money(value) for name, value in row.items() if name != "lines"}
        return DaySums(lines=row["lines"], **amounts)

    async def checked(self, day: date, *, now: datetime) -> None:
        await self._session.execute(_CHECKED, {"day": day, "now": now})

    async def balances_due(self, *, received_before: datetime) -> list[StatementClosed]:
        rows = await self._session.execute(_BALANCES_DUE, {"received_before": received_before})
        return [_closed(row) for row in rows.mappings()]

    async def booked_balance(self, closed: StatementClosed, *, flight_s: float) -> BookedBalance:
        at, flight = closed.closed_at, timedelta(seconds=flight_s)
        bank = await of_account(self._session, BANK, owner_id=None, moment=Moment(at=at, by=By.OCCURRED))
        around = {"at": at, "start": at - flight, "end": at + flight}
        row = (await self._session.execute(FLIGHT, around)).one()
        return BookedBalance(amount=bank.balance(BANK), flight=Span(low=money(row.low), high=money(row.high)))

    async def judged_before(self, day: date) -> list[JudgedBalance]:
        rows = await self._session.execute(_JUDGED, {"day": day})
        return [
            JudgedBalance(
                gap=Span(low=money(row.gap_low), high=money(row.gap_high)),
                opened=row.opened,
                resolution=Resolution(row.resolution) if row.resolution else None,
            )
            for row in rows
        ]

    async def judge(self, day: date, *, apart: Decimal, gap: Span) -> None:
        values = {"day": day, "gap": apart, "low": gap.low, "high": gap.high}
        await self._session.execute(_JUDGE, values)

    async def days(self, *, before: date | None, limit: int) -> list[BankDay]:
        rows = await self._session.execute(DAYS, {"before": before, "limit": limit})
        return [await self._figures(row) for row in rows.mappings().all()]

    async def day(self, day: date) -> BankDay | None:
        found = await self._session.execute(
            DAYS, {"before": date.fromordinal(day.toordinal() + 1), "limit": 1}
        )
        row = found.mappings().one_or_none()
        return await self._figures(row) if row and row["day"] == day else None

    async def _figures(self, row: Mapping[Any, Any]) -> BankDay:
        values = {**_bounds(row["day"]), "day": row["day"]}
        figures = (await self._session.execute(DAY, values)).mappings().one()
        return BankDay(**{name: _exact(value) for name, value in {**row, **figures}.items()})


def _bounds(day: date) -> dict[str, Any]:
    start, end = day_bounds(day)
    return {"start": start, "end": end}


def _exact(value: Any) -> Any:
    return money(value) if isinstance(value, Decimal) else value


def _line(row: Mapping[Any, Any]) -> ReceivedLine:
    values = {**row, "day": row["day"].isoformat()}
    return ReceivedLine(line=StatementLine.model_validate(values), received_at=row["received_at"])


def _closed(row: Mapping[Any, Any]) -> StatementClosed:
    return StatementClosed.model_validate({**row, "day": row["day"].isoformat(), "lines": row["line_count"]})


def _entry(row: Mapping[Any, Any]) -> BankEntry:
    return BankEntry(**{**row, "amount": money(row["amount"])})


def _references(line: StatementLine) -> Mapping[str, Any]:
    return {
        "event_types": list(EVENTS_OF_KIND[line.kind]),
        "e2e_id": line.e2e_id,
        "payout_id": _payout_id(line.id_envio),
        "txid": line.txid,
        "reference": reference_of(line),
        "manual": MANUAL,
    }


def _payout_id(id_envio: str | None) -> str | None:
    """An idEnvio of ours is the payout's id in hex."""
    try:
        return str(UUID(hex=id_envio)) if id_envio else None
    except ValueError:
        return None
