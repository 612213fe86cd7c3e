"""Intents and their charges in Postgres; the pair is always locked together."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, Integer, Select, and_, bindparam, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment.adapters.tables import payment_intents, pix_charges
from payment.domain.charge import Charge, ChargeStatus
from payment.domain.intent import Intent, IntentStatus
from storage import Prepared

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
_INTENT_NAMES = tuple(column.name for column in _INTENT)
_CHARGE_NAMES = tuple(column.name for column in _CHARGE)


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
        return _pair(await _LOCK_BY_TXID.fetch_one(self._session, {"wanted": txid}))

    async def get(self, intent_id: UUID) -> tuple[Intent, Charge] | None:
        return await self._one(_pairs().where(_I.id == intent_id))

    async def latest_of(self, ride_id: UUID) -> tuple[Intent, Charge] | None:
        return _pair(await _LATEST_OF.fetch_one(self._session, {"wanted": ride_id}))

    async def save(self, intent: Intent) -> None:
        values = {"saved": intent.id, "was": intent.version - 1, **_intent_values(intent)}
        if await _SAVE.fetch_one(self._session, values) is None:
            raise StaleIntent(f"intent {intent.id} changed under version {intent.version}")

    async def save_charge(self, charge: Charge) -> None:
        # A written charge is due again: the janitor and the expiry need not wait for a lease to end.
        values = {"saved": charge.id, "next_attempt_at": charge.created_at, **_charge_values(charge)}
        await _SAVE_CHARGE.execute(self._session, values)

    async def claim_unsubmitted(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Charge]:
        return await self._claim(_CLAIM_UNSUBMITTED, now=now, until=until, limit=limit)

    async def claim_overdue(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Charge]:
        return await self._claim(_CLAIM_OVERDUE, now=now, until=until, limit=limit)

    async def claim_stale(
        self, *, created_before: datetime, now: datetime, until: datetime, limit: int
    ) -> Sequence[Charge]:
        return await self._claim(
            _CLAIM_STALE, created_before=created_before, now=now, until=until, limit=limit
        )

    async def postpone(self, charge_id: UUID, *, until: datetime, failed: bool) -> None:
        values = {_C.next_attempt_at: until, _C.attempts: _C.attempts + int(failed)}
        await self._session.execute(update(pix_charges).where(_C.id == charge_id).values(values))

    async def attempts_of(self, charge_id: UUID) -> int:
        found = await self._session.execute(select(_C.attempts).where(_C.id == charge_id))
        return int(found.scalar_one())

    async def _claim(self, claim: Prepared, **values: Any) -> Sequence[Charge]:
        return [_charge(row) for row in await claim.fetch(self._session, values)]

    async def _one(self, query: Select[Any]) -> tuple[Intent, Charge] | None:
        return _pair((await self._session.execute(query)).one_or_none())


def _pairs() -> Select[Any]:
    return select(*_INTENT, *_CHARGE).join_from(payment_intents, pix_charges, _C.payment_intent_id == _I.id)


def _pair(row: Any | None) -> tuple[Intent, Charge] | None:
    """Rows of SQLAlchemy's and of the driver's are alike sequences."""
    return None if row is None else (_intent(row[: len(_INTENT)]), _charge(row[len(_INTENT) :]))


def _intent(row: Sequence[Any]) -> Intent:
    fields = dict(zip(_INTENT_NAMES, row, strict=True))
    return Intent(**fields | {"status": IntentStatus(fields["status"])})


def _charge(row: Any) -> Charge:
    fields = dict(zip(_CHARGE_NAMES, row, strict=True))
    return Charge(**fields | {"status": ChargeStatus(fields["status"])})


def _intent_values(intent: Intent) -> Mapping[str, Any]:
    return {name: getattr(intent, name) for name in _INTENT_NAMES}


def _charge_values(charge: Charge) -> Mapping[str, Any]:
    return {name: getattr(charge, name) for name in _CHARGE_NAMES}


def _claim(due: ColumnElement[bool], *, until: Any) -> Executable:
    """Those `due` whose turn it is, the longest waiting first, leased `until` then."""
    picked = (
        select(_C.id)
        .where(_C.status == ChargeStatus.ACTIVE, due)
        .order_by(_C.next_attempt_at)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(skip_locked=True)
    )
    return (
        update(pix_charges)
        .where(_C.id.in_(picked.scalar_subquery()))
        .values(next_attempt_at=until)
        .returning(*_CHARGE)
    )


_NOW, _UNTIL = bindparam("now", type_=_C.expires_at.type), bindparam("until", type_=_C.expires_at.type)
_LOCK_BY_TXID: Final = Prepared(_pairs().where(_C.txid == bindparam("wanted")).with_for_update())
_LATEST_OF: Final = Prepared(
    _pairs().where(_I.ride_id == bindparam("wanted")).order_by(_I.id.desc()).limit(1)
)
_SAVE: Final = Prepared(
    update(payment_intents)
    .where(_I.id == bindparam("saved"), _I.version == bindparam("was"))
    .values(updated_at=func.now())
    .returning(_I.id),
    columns=_INTENT_NAMES,
)
_SAVE_CHARGE: Final = Prepared(
    update(pix_charges).where(_C.id == bindparam("saved")).values(updated_at=func.now()),
    columns=("next_attempt_at", *_CHARGE_NAMES),
)
_CLAIM_UNSUBMITTED: Final = Prepared(
    _claim(and_(_C.pix_copy_paste.is_(None), _C.next_attempt_at <= _NOW, _C.expires_at > _NOW), until=_UNTIL)
)
# A charge whose submission is under way (leased) is left alone until that has ended.
_CLAIM_OVERDUE: Final = Prepared(
    _claim(and_(_C.expires_at <= _NOW, _C.next_attempt_at <= _NOW), until=_UNTIL)
)
# Those past their time are the expiry's, and none is leased past its end, or it would expire late.
_CLAIM_STALE: Final = Prepared(
    _claim(
        and_(
            _C.pix_copy_paste.is_not(None),
            _C.created_at <= bindparam("created_before"),
            _C.expires_at > _NOW,
            not_(_C.next_attempt_at > _NOW),
        ),
        until=func.least(_UNTIL, _C.expires_at),
    )
)
