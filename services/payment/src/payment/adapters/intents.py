"""Intents and their charges in Postgres; the pair is always locked together."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import payment_intents, pix_charges
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.intent import Intent, IntentStatus

_I = payment_intents.c
_C = pix_charges.c
_INTENT = (
    _I.id, _I.ride_id, _I.passenger_id, _I.driver_id, _I.amount, _I.commission, _I.created_at, _I.expires_at,
    _I.status, _I.payment_method, _I.confirmed_at, _I.refunded, _I.version,
)  # fmt: skip
_CHARGE = (
    _C.id, _C.payment_intent_id, _C.txid, _C.amount, _C.created_at, _C.expires_at, _C.status, _C.qr_code,
    _C.pix_copy_paste, _C.e2e_id, _C.paid_at,
)  # fmt: skip


class StaleIntent(RuntimeError):
    """The intent changed since it was read without its lock: a bug in the caller."""


class SqlIntents:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, intent: Intent, charge: Charge) -> None:
        await self._session.execute(insert(payment_intents).values(_intent_values(intent)))
        await self._session.execute(
            insert(pix_charges).values(
                **_charge_values(charge), attempts=0, next_attempt_at=charge.created_at
            )
        )

    async def lock(self, intent_id: UUID) -> tuple[Intent, Charge] | None:
        return await self._one(_pairs().where(_I.id == intent_id).with_for_update())

    async def lock_by_txid(self, txid: str) -> tuple[Intent, Charge] | None:
        return await self._one(_pairs().where(_C.txid == txid).with_for_update())

    async def get(self, intent_id: UUID) -> tuple[Intent, Charge] | None:
        return await self._one(_pairs().where(_I.id == intent_id))

    async def latest_of(self, ride_id: UUID) -> tuple[Intent, Charge] | None:
        newest = _pairs().where(_I.ride_id == ride_id).order_by(_I.id.desc()).limit(1)
        return await self._one(newest)

    async def save(self, intent: Intent) -> None:
        unchanged = and_(_I.id == intent.id, _I.version == intent.version - 1)
        values = {"updated_at": func.now(), **_intent_values(intent)}
        saved = await self._session.execute(
            update(payment_intents).where(unchanged).values(values).returning(_I.id)
        )
        if saved.one_or_none() is None:
            raise StaleIntent(f"intent {intent.id} changed under version {intent.version}")

    async def save_charge(self, charge: Charge) -> None:
        # A written charge is due again: the janitor and the expiry need not wait for a lease to end.
        values = {"updated_at": func.now(), "next_attempt_at": charge.created_at, **_charge_values(charge)}
        await self._session.execute(update(pix_charges).where(_C.id == charge.id).values(values))

    async def claim_unsubmitted(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Charge]:
        due = and_(_C.pix_copy_paste.is_(None), _C.next_attempt_at <= now, _C.expires_at > now)
        return await self._claim(due, until=until, limit=limit)

    async def claim_overdue(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Charge]:
        # A charge whose submission is under way (leased) is left alone until that has ended.
        due = and_(_C.expires_at <= now, _C.next_attempt_at <= now)
        return await self._claim(due, until=until, limit=limit)

    async def claim_stale(
        self, *, created_before: datetime, now: datetime, until: datetime, limit: int
    ) -> Sequence[Charge]:
        asked_lately = _C.next_attempt_at > now
        # Those past their time are the expiry's, and none is leased past its end, or it would expire late.
        due = and_(
            _C.pix_copy_paste.is_not(None),
            _C.created_at <= created_before,
            _C.expires_at > now,
            not_(asked_lately),
        )
        return await self._claim(due, until=func.least(until, _C.expires_at), limit=limit)

    async def postpone(self, charge_id: UUID, *, until: datetime, failed: bool) -> None:
        values = {_C.next_attempt_at: until, _C.attempts: _C.attempts + int(failed)}
        await self._session.execute(update(pix_charges).where(_C.id == charge_id).values(values))

    async def attempts_of(self, charge_id: UUID) -> int:
        found = await self._session.execute(select(_C.attempts).where(_C.id == charge_id))
        return int(found.scalar_one())

    async def _claim(self, due: Any, *, until: Any, limit: int) -> Sequence[Charge]:
        picked = (
            select(_C.id)
            .where(_C.status == ChargeStatus.ACTIVE, due)
            .order_by(_C.next_attempt_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claim = (
            update(pix_charges)
            .where(_C.id.in_(picked.scalar_subquery()))
            .values(next_attempt_at=until)
            .returning(*_CHARGE)
        )
        return [_charge(row) for row in await self._session.execute(claim)]

    async def _one(self, query: Select[Any]) -> tuple[Intent, Charge] | None:
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else (_intent(row[: len(_INTENT)]), _charge(row[len(_INTENT) :]))


def _pairs() -> Select[Any]:
    return select(*_INTENT, *_CHARGE).join_from(payment_intents, pix_charges, _C.payment_intent_id == _I.id)


def _intent(row: Sequence[Any]) -> Intent:
    fields = dict(zip((column.name for column in _INTENT), row, strict=True))
    return Intent(**fields | {"status": IntentStatus(fields["status"])})


def _charge(row: Sequence[Any] | Row[Any]) -> Charge:
    fields = dict(zip((column.name for column in _CHARGE), row, strict=True))
    return Charge(**fields | {"status": ChargeStatus(fields["status"])})


def _intent_values(intent: Intent) -> Mapping[str, Any]:
    return {column.name: getattr(intent, column.name) for column in _INTENT}


def _charge_values(charge: Charge) -> Mapping[str, Any]:
    return {column.name: getattr(charge, column.name) for column in _CHARGE}
