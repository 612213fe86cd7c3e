"""What must hold after any fault."""

from functools import partial

from faults.scene import Scene, until
from faults.town import Town
from proof.__main__ import prove
from proof.evidence import query
from simulator.stack import Stack

SETTLED_S = 90.0

OPEN_RIDES_SQL = """
SELECT id, status FROM rides WHERE passenger_id = ANY($1::uuid[]) AND status NOT IN
  ('PAID', 'REFUNDED', 'CANCELED', 'NO_DRIVER_FOUND')
"""
OPEN_PAYOUTS_SQL = "SELECT id FROM payouts WHERE status NOT IN ('COMPLETED', 'FAILED', 'RETURNED')"
OPEN_WEBHOOKS_SQL = "SELECT id FROM webhook_events WHERE NOT processed"
OFFSETS_SQL = "SELECT user_id, last_offset FROM streams"


async def everything_held(scene: Scene) -> None:
    """Every ride, payout and webhook reaches its end; every app was told all, once; the proof holds."""
    await scene.recovered()
    for service, sql in (("payment", OPEN_WEBHOOKS_SQL), ("payout", OPEN_PAYOUTS_SQL)):
        await until(partial(_nothing, scene, service, sql), what=f"{service}: {sql}", timeout_s=SETTLED_S)
    riders = [passenger.id for passenger in scene.town.passengers]
    open_rides = await query(scene.stack, "ride-dispatch", OPEN_RIDES_SQL, riders)
    assert open_rides == [], f"rides that did not end: {open_rides}"
    found = await prove(scene.stack, settle_s=SETTLED_S)
    broken = [check for check in found["checks"] if not check["ok"]]
    assert broken == [], f"what does not hold: {broken}"
    await _every_app_was_told_everything_once(scene.town, scene.stack)


async def _nothing(scene: Scene, service: str, sql: str) -> bool:
    return not await query(scene.stack, service, sql)


async def _every_app_was_told_everything_once(town: Town, stack: Stack) -> None:
    rows = await query(stack, "notification", OFFSETS_SQL)
    newest = {str(row["user_id"]): row["last_offset"] for row in rows}
    for resident in town.residents:
        app, last = resident.app, newest.get(resident.id, 0)
        await until(partial(_heard, resident.id, town, last), what=f"offset {last} at {resident.id}'s app")
        assert app.offsets == list(range(app.start + 1, last + 1)), (
            f"{resident.id}: {app.offsets}, not to {last}"
        )


async def _heard(resident_id: str, town: Town, last: int) -> bool:
    resident = next(one for one in town.residents if one.id == resident_id)
    resident.app.check()
    return resident.app.last >= last
