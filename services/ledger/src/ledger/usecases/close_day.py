"""Sign that a day's books are done."""

from datetime import date, datetime

from contracts.audit import audited
from kernel.actor import Actor
from ledger.domain.closing import ClosedDay, check_closable
from ledger.ports import Tx
from ledger.usecases.take_day_snapshots import take_day_snapshots

EVERY_DAY = 100_000


async def close_day(tx: Tx, *, day: date, actor: Actor, now: datetime) -> ClosedDay:
    """Its snapshot is taken if it was not yet. DayNotOver, DayOutOfOrder or DayNotReconciled."""
    assert actor.user_id is not None, "a person signs"
    await tx.days.lock()
    check_closable(day, await tx.days.state(day), now=now)
    await take_day_snapshots(tx, now=now, until=day, limit=EVERY_DAY)
    closed = ClosedDay(day=day, closed_by=actor.user_id, closed_at=now)
    await tx.days.close(closed)
    await tx.publish(
        audited(
            "close_day",
            entity_type="day",
            entity_id=day.isoformat(),
            actor=actor,
            now=now,
            after={"closed": True},
        )
    )
    return closed
