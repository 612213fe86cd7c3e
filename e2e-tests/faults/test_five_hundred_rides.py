"""Five hundred rides, paid, refunded and paid out, while whatever holds the money is killed again and again."""

import pytest

from faults.aftermath import everything_held
from faults.conftest import SEED, Campaign
from faults.injuries import POINTS, VICTIMS, Fault
from faults.scene import Scene
from proof.evidence import query

RIDES = 500
PEOPLE = 12
REFUND_SHARE = 0.1
RANDOM_KILLS = 6
# A ride may meet one kill after the other, and each costs it the leases and sessions of the dead.
PATIENCE_S = 240.0

PAYOUTS_SQL = "SELECT count(*) AS completed FROM payouts WHERE status = 'COMPLETED'"

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]


async def test_the_bank_and_the_books_agree_to_the_centavo_whoever_dies_when(campaign: Campaign) -> None:
    try:
        scene = await campaign.scene(passengers=PEOPLE, drivers=PEOPLE)
        scene.town.refund_share, scene.town.patience_s = REFUND_SHARE, PATIENCE_S
        async with scene.town.traffic():
            plan = _plan(scene)
            # All of the rides have kills among them, some soon after another.
            most_between = 2 * RIDES // len(plan)
            for name, fault in plan:
                print(f"{len(scene.town.paid)} rides paid, {len(scene.town.refunded)} refunded · {name}")
                await scene.town.more(scene.random.randint(1, most_between))
                await fault(scene)
            while (left := RIDES - len(scene.town.paid)) > 0:
                await scene.town.more(min(left, PEOPLE))
        await everything_held(scene)
        await _everything_happened(scene)
    except BaseException as error:
        error.add_note(f"SEED={SEED} make test-faults; logs in {campaign.folder}")
        await campaign.spoil()
        raise


def _plan(scene: Scene) -> list[tuple[str, Fault]]:
    """Every named point, and random kills among them, in the seed's order."""
    plan = [*POINTS, *(_kill(scene.random.choice(VICTIMS)) for _ in range(RANDOM_KILLS))]
    scene.random.shuffle(plan)
    return plan


def _kill(name: str) -> tuple[str, Fault]:
    async def kill(scene: Scene) -> None:
        await scene.kill(name)

    return f"{name}_killed_at_random", kill


async def _everything_happened(scene: Scene) -> None:
    """A campaign without payouts or refunds would have proved nothing about them."""
    assert len(scene.town.paid) >= RIDES
    assert scene.town.refunded
    [payouts] = await query(scene.stack, "payout", PAYOUTS_SQL)
    assert payouts["completed"] > PEOPLE
