"""Sub-balances under their locks. The lock of a driver is the row of what is payable to them.

Whoever changes any of a driver's sub-balances locks that row first, so its version is the driver's, and the
other two rows need no lock of their own. Rows are always locked in the order of account and owner.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kernel.money import ZERO, money
from ledger.adapters.bulk import id_list, run
from ledger.domain.chart import (
    DRIVER_ACCOUNTS,
    DRIVER_PAYABLE,
    DRIVER_RECEIVABLE,
    PAYOUT_IN_TRANSIT,
)
from ledger.domain.driver_balance import DriverBalance

AccountOwner = tuple[str, UUID]

_PAIRS: Final = """
unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::uuid[]) AS r(account_id, owner_id)"""

_READ: Final = """
SELECT owner_id, sum(balance) FILTER (WHERE account_id = $2::uuid) AS available,
       sum(balance) FILTER (WHERE account_id = $3::uuid) AS on_hold,
       sum(balance) FILTER (WHERE account_id = $4::uuid) AS receivable,
       max(version) AS version, max(updated_at) AS as_of
FROM account_balances WHERE owner_id = ANY(string_to_array($1, ',')::uuid[]) GROUP BY owner_id"""
_DEBTS: Final = """
SELECT owner_id, balance FROM account_balances
WHERE account_id = $2::uuid AND owner_id = ANY(string_to_array($1, ',')::uuid[]) AND balance > 0"""
# Zero rows come first: without one, two first postings would have nothing to lock.
_ENSURE: Final = f"""
INSERT INTO account_balances (account_id, owner_id, updated_at)
SELECT r.account_id, r.owner_id, $3::timestamptz FROM {_PAIRS}
ORDER BY r.account_id, r.owner_id ON CONFLICT DO NOTHING"""  # noqa: S608 - a constant of this module
_LOCK: Final = f"""
SELECT count(*) FROM (
  SELECT FROM account_balances b JOIN {_PAIRS} USING (account_id, owner_id)
  ORDER BY b.account_id, b.owner_id FOR UPDATE OF b) AS locked"""  # noqa: S608 - a constant of this module
_CHANGE: Final = """
UPDATE account_balances b
SET balance = b.balance + r.change::numeric, version = b.version + 1, updated_at = $4::timestamptz
FROM unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::uuid[], string_to_array($3, ','))
     AS r(account_id, owner_id, change)
WHERE b.account_id = r.account_id AND b.owner_id = r.owner_id"""


class BalanceRows:
    """The sub-balances in one transaction. `account_ids`: code → id."""

    def __init__(self, session: AsyncSession, *, account_ids: Mapping[str, UUID]) -> None:
        self._session = session
        self._ids = account_ids

    async def debts(self, drivers: Collection[UUID]) -> dict[UUID, DriverBalance]:
        """The drivers with what they owe and nothing else, without a lock."""
        rows: Iterable[Any] = (
            await run(self._session, _DEBTS, id_list(drivers), self._ids[DRIVER_RECEIVABLE])
            if drivers
            else ()
        )
        owed = {row[0]: money(row[1]) for row in rows}
        return {
            driver_id: DriverBalance(driver_id, ZERO, ZERO, owed.get(driver_id, ZERO))
            for driver_id in drivers
        }

    async def lock_drivers(self, drivers: Collection[UUID], *, now: datetime) -> dict[UUID, DriverBalance]:
        """Lock these drivers and read them; zeros for whom nothing was posted yet."""
        pairs = [(DRIVER_PAYABLE, driver_id) for driver_id in drivers]
        if await self._lock(pairs) < len(pairs):
            await self._ensure(
                [(code, driver_id) for driver_id in drivers for code in DRIVER_ACCOUNTS], now=now
            )
            await self._lock(pairs)
        # A statement of its own: it must see what those wrote for whom the lock waited.
        accounts = (self._ids[code] for code in (DRIVER_PAYABLE, PAYOUT_IN_TRANSIT, DRIVER_RECEIVABLE))
        rows = await run(self._session, _READ, id_list(drivers), *accounts) if drivers else ()
        return {row[0]: _balance(row) for row in rows}

    async def change(
        self, changes: Mapping[AccountOwner, Decimal], *, drivers: Collection[UUID], now: datetime
    ) -> None:
        """One UPDATE for all sub-balances. The locking row of each changed driver takes the next version."""
        others = [pair for pair in changes if pair[0] not in DRIVER_ACCOUNTS]
        await self._ensure(others, now=now)
        await self._lock(others)
        amounts = {(DRIVER_PAYABLE, driver_id): ZERO for driver_id in drivers} | dict(changes)
        if amounts:
            values = ",".join([str(amount) for amount in amounts.values()])
            await run(self._session, _CHANGE, *self._lists(amounts), values, now)

    async def _ensure(self, pairs: Collection[AccountOwner], *, now: datetime) -> None:
        if pairs:
            await run(self._session, _ENSURE, *self._lists(pairs), now)

    async def _lock(self, pairs: Collection[AccountOwner]) -> int:
        """How many of these rows there are; they are locked."""
        if not pairs:
            return 0
        (row,) = await run(self._session, _LOCK, *self._lists(pairs))
        return int(row[0])

    def _lists(self, pairs: Collection[AccountOwner]) -> tuple[str, str]:
        accounts = {code: account_id.hex for code, account_id in self._ids.items()}
        return ",".join([accounts[code] for code, _ in pairs]), id_list(owner for _, owner in pairs)


def _balance(row: Any) -> DriverBalance:
    driver_id, available, on_hold, receivable, version, as_of = row
    return DriverBalance(
        driver_id,
        money(available) if available else ZERO,
        money(on_hold) if on_hold else ZERO,
        money(receivable) if receivable else ZERO,
        version,
        as_of,
    )


def driver_balance(driver_id: UUID, *, rows: Iterable[Any]) -> DriverBalance:
    """The balance that the driver's rows say."""
    own = {row.code: row for row in rows}
    amounts = {code: money(row.balance) for code, row in own.items()}
    return DriverBalance(
        driver_id=driver_id,
        available=amounts.get(DRIVER_PAYABLE, ZERO),
        on_hold=amounts.get(PAYOUT_IN_TRANSIT, ZERO),
        receivable=amounts.get(DRIVER_RECEIVABLE, ZERO),
        version=max((row.version for row in own.values()), default=0),
        as_of=max((row.updated_at for row in own.values()), default=None),
    )
