"""What the database refuses to the service's own role, so that no bug pays out twice."""

from typing import Any

import asyncpg
import pytest
from payout_fakes import payout_at

from payout.domain.step import Step
from storage import Database
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

REFUSED = (asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError)


@pytest.mark.parametrize(
    ("step", "attack"),
    [
        (Step.FAILED, "UPDATE payouts SET step = 'HELD', status = 'PENDING', failed_at = NULL WHERE id = $1"),
        (
            Step.FAILED,
            (
                "UPDATE payouts SET step = 'COMPLETED', status = 'COMPLETED', failed_at = NULL,"
                " completed_at = now(), held = true, id_envio = 'x' WHERE id = $1"
            ),
        ),
        (
            Step.COMPLETED,
            "UPDATE payouts SET step = 'HELD', status = 'PENDING', completed_at = NULL WHERE id = $1",
        ),
        (
            Step.COMPLETED,
            (
                "UPDATE payouts SET step = 'FAILED', status = 'FAILED', completed_at = NULL,"
                " failed_at = now() WHERE id = $1"
            ),
        ),
        (Step.SENT, "UPDATE payouts SET step = 'HELD', status = 'PENDING' WHERE id = $1"),
        (Step.SENT, "UPDATE payouts SET step = 'HELD' WHERE id = $1"),
        (Step.SENT, "UPDATE payouts SET id_envio = 'another' WHERE id = $1"),
        (Step.SENT, "UPDATE payouts SET amount = amount + 1 WHERE id = $1"),
        (Step.HELD, "UPDATE payouts SET held = false WHERE id = $1"),
        (Step.RETURNED, "UPDATE payouts SET returned = 0.01 WHERE id = $1"),
        (Step.RETURNED, "UPDATE payouts SET returned = amount + 1 WHERE id = $1"),
        (Step.COMPLETED, "UPDATE payouts SET returned = 1 WHERE id = $1"),
        (Step.READY, "UPDATE payouts SET step = 'SENT', status = 'PROCESSING' WHERE id = $1"),
        (Step.COMPLETED, "DELETE FROM payouts WHERE id = $1"),
    ],
)
async def test_a_payout_never_leaves_its_course(
    database: Database[Any], urls: DatabaseUrls, clock: FakeClock, step: Step, attack: str
) -> None:
    payout = payout_at(step)
    async with database.transaction() as tx:
        await tx.payouts.add(payout, due_at=clock.now())
    connection = await asyncpg.connect(urls.app_url)
    try:
        with pytest.raises(REFUSED):
            await connection.execute(attack, payout.id)
    finally:
        await connection.close()
