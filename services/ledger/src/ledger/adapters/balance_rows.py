"""Sub-balances under their locks. Rows are always locked in the order of account and owner."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from kernel.money import ZERO, money
from ledger.domain.chart import (
    DRIVER_ACCOUNTS,
    DRIVER_PAYABLE,
    DRIVER_RECEIVABLE,
    PAYOUT_IN_TRANSIT,
)
from ledger.domain.driver_balance import DriverBalance

AccountOwner = tuple[str, UUID]

_PAIRS: Final = """
FROM unnest(CAST(:codes AS text[]), CAST(:owners AS uuid[])) AS r(code, owner_id)
JOIN ledger_accounts a ON a.code = r.code
"""

# Zero rows come first: without one, two first postings would have nothing to lock.
_ENSURE: Final = text(
    "INSERT INTO account_balances (account_id, owner_id, updated_at) SELECT a.id, r.owner_id, :now "
    + _PAIRS
    + "ORDER BY a.id, r.owner_id ON CONFLICT DO NOTHING"
)
_LOCK: Final = text(
    "SELECT a.code, b.owner_id, b.balance, b.version, b.updated_at "
    + _PAIRS
    + """JOIN account_balances b ON b.account_id = a.id AND b.owner_id = r.owner_id
ORDER BY b.account_id, b.owner_id FOR UPDATE OF b"""
)
_CHANGE: Final = text("""
UPDATE account_balances b
SET balance = b.balance + r.change, version = b.version + 1, updated_at = :now
FROM unnest(CAST(:codes AS text[]), CAST(:owners AS uuid[]), CAST(:changes AS numeric[]))
     AS r(code, owner_id, change)
JOIN ledger_accounts a ON a.code = r.code
WHERE b.account_id = a.id AND b.owner_id = r.owner_id
""")


async def lock_drivers(
    session: AsyncSession, *, drivers: Collection[UUID], now: datetime
) -> dict[UUID, DriverBalance]:
    """Lock these drivers' three sub-balances and read them."""
    rows = await lock_rows(session, pairs=_of_drivers(drivers), now=now)
    return {driver_id: driver_balance(driver_id, rows=rows) for driver_id in drivers}


async def lock_rows(
    session: AsyncSession, *, pairs: Collection[AccountOwner], now: datetime
) -> list[RowMapping]:
    """Make the missing rows and lock all."""
    if not pairs:
        return []
    await session.execute(_ENSURE, {**_arrays(pairs), "now": now})
    return list((await session.execute(_LOCK, _arrays(pairs))).mappings().all())


async def change_balances(
    session: AsyncSession,
    *,
    changes: Mapping[AccountOwner, Decimal],
    drivers: Collection[UUID],
    now: datetime,
) -> None:
    """One UPDATE for all sub-balances. All three rows of a changed driver take the driver's next version."""
    others = [pair for pair in changes if pair[0] not in DRIVER_ACCOUNTS]
    await lock_rows(session, pairs=others, now=now)
    pairs = [*others, *_of_drivers(drivers)]
    if pairs:
        amounts = [changes.get(pair, ZERO) for pair in pairs]
        await session.execute(_CHANGE, {**_arrays(pairs), "changes": amounts, "now": now})


def driver_balance(driver_id: UUID, *, rows: Iterable[Mapping[Any, Any]]) -> DriverBalance:
    """The balance that these rows say, of which some may be other drivers'."""
    own = {row["code"]: row for row in rows if row["owner_id"] == driver_id}
    amounts = {code: money(row["balance"]) for code, row in own.items()}
    return DriverBalance(
        driver_id=driver_id,
        available=amounts.get(DRIVER_PAYABLE, ZERO),
        on_hold=amounts.get(PAYOUT_IN_TRANSIT, ZERO),
        receivable=amounts.get(DRIVER_RECEIVABLE, ZERO),
        version=max((row["version"] for row in own.values()), default=0),
        as_of=max((row["updated_at"] for row in own.values()), default=None),
    )


def _of_drivers(drivers: Collection[UUID]) -> list[AccountOwner]:
    return [(code, driver_id) for driver_id in drivers for code in DRIVER_ACCOUNTS]


def _arrays(pairs: Collection[AccountOwner]) -> dict[str, list[Any]]:
    return {"codes": [code for code, _ in pairs], "owners": [owner for _, owner in pairs]}
