"""Accounts in Postgres."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import CursorResult, RowMapping, Select, Table, and_, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from identity.adapters import account_rows as rows
from identity.adapters.tables import drivers, passengers, users, vehicles
from identity.adapters.vault import Vault
from identity.domain.account import Account, AlreadyRegistered
from identity.domain.login import Credential, Login
from kernel.refusals import NotFound
from storage import sqlstate

UNIQUE_VIOLATION: Final = "23505"


class LostUpdateError(RuntimeError):
    """An account was saved without having been locked: a bug, never written over."""


class SqlAccounts:
    """The Accounts port. A whole account is read in at most four statements, for one or for many."""

    def __init__(self, session: AsyncSession, *, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add(self, account: Account, *, password_hash: str) -> None:
        async with _already_registered():
            values = rows.user_values(account.user) | {"password_hash": password_hash}
            await self._session.execute(insert(users).values(values))
            if account.passenger:
                await self._session.execute(
                    insert(passengers).values(rows.person_values(account.passenger, vault=self._vault))
                )
            if account.driver:
                driver = rows.driver_values(account.driver, vault=self._vault)
                await self._session.execute(
                    insert(drivers).values(driver | {"created_at": account.user.created_at})
                )
                cars = [rows.vehicle_values(car, driver=account.driver) for car in account.driver.vehicles]
                await self._session.execute(insert(vehicles), cars)

    async def get(self, user_id: UUID) -> Account:
        found = await self._accounts(select(users).where(users.c.id == user_id))
        if not found:
            raise NotFound
        return found[0]

    async def lock(self, user_id: UUID) -> Account:
        await self._session.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
        # A second statement on purpose: its snapshot is taken once the lock is held, so that the profile
        # read is the one which the lock's last holder wrote.
        return await self.get(user_id)

    async def save(self, account: Account) -> None:
        user = account.user
        changes = {"status": user.status.value, "status_reason": user.status_reason, "version": user.version}
        previous = and_(users.c.id == user.id, users.c.version == user.version - 1)
        done = await self._session.execute(update(users).where(previous).values(changes))
        if cast("CursorResult[Any]", done).rowcount != 1:
            raise LostUpdateError(f"user {user.id} has no version {user.version - 1} to follow")
        if account.person:
            async with _already_registered():
                await self._save_person(account)

    async def credential(self, login: Login) -> Credential | None:
        column, value = (users.c.email, login.email) if login.email else (users.c.phone, login.phone)
        query = select(users.c.id, users.c.password_hash).where(column == value)
        row = (await self._session.execute(query)).one_or_none() if value else None
        return Credential(user_id=row.id, password_hash=row.password_hash) if row else None

    async def change_password_hash(self, user_id: UUID, *, password_hash: str) -> None:
        changed = update(users).where(users.c.id == user_id).values(password_hash=password_hash)
        await self._session.execute(changed)

    async def pending_drivers(self, *, limit: int, after: tuple[datetime, UUID] | None) -> Sequence[Account]:
        query = (
            select(users)
            .join(drivers, drivers.c.id == users.c.id)
            .where(drivers.c.approval_status == "pending")
            .order_by(drivers.c.created_at, drivers.c.id)
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(drivers.c.created_at, drivers.c.id) > tuple_(*after))
        return await self._accounts(query)

    async def after(self, user_id: UUID | None, *, limit: int) -> Sequence[Account]:
        ids = select(users.c.id).order_by(users.c.id).limit(limit)
        if user_id is not None:
            ids = ids.where(users.c.id > user_id)
        locked = (await self._session.execute(ids.with_for_update())).scalars().all()
        return await self._accounts(select(users).where(users.c.id.in_(locked)).order_by(users.c.id))

    async def _save_person(self, account: Account) -> None:
        if account.passenger:
            await self._update(passengers, account.id, rows.standing_values(account.passenger))
        if account.driver:
            changes = rows.standing_values(account.driver) | rows.approval_values(account.driver)
            changes |= rows.pix_key_values(account.driver, vault=self._vault)
            await self._update(drivers, account.id, changes)

    async def _update(self, table: Table, id_: UUID, changes: dict[str, Any]) -> None:
        await self._session.execute(update(table).where(table.c.id == id_).values(changes))

    async def _accounts(self, query: Select[Any]) -> list[Account]:
        found = (await self._session.execute(query)).mappings().all()
        ids = [row["id"] for row in found]
        as_passengers = await self._by_id(passengers, ids) if ids else {}
        as_drivers = await self._by_id(drivers, ids) if len(as_passengers) < len(ids) else {}
        cars = await self._cars(list(as_drivers)) if as_drivers else {}
        return [
            rows.account_of(
                row,
                passenger=as_passengers.get(row["id"]),
                driver=as_drivers.get(row["id"]),
                cars=cars.get(row["id"], []),
                vault=self._vault,
            )
            for row in found
        ]

    async def _by_id(self, table: Table, ids: Sequence[UUID]) -> dict[UUID, RowMapping]:
        found = await self._session.execute(select(table).where(table.c.id.in_(ids)))
        return {row["id"]: row for row in found.mappings()}

    async def _cars(self, driver_ids: Sequence[UUID]) -> dict[UUID, list[RowMapping]]:
        query = select(vehicles).where(vehicles.c.driver_id.in_(driver_ids)).order_by(vehicles.c.id)
        cars: dict[UUID, list[RowMapping]] = {}
        for row in (await self._session.execute(query)).mappings():
            cars.setdefault(row["driver_id"], []).append(row)
        return cars


@asynccontextmanager
async def _already_registered() -> AsyncIterator[None]:
    """Whichever unique constraint refused, the caller hears the same."""
    try:
        yield
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        raise AlreadyRegistered from None
