"""One fault at a time under full traffic: the town must go on, and nothing may be lost or counted twice."""

from time import monotonic

import pytest

from faults.aftermath import everything_held
from faults.conftest import SEED, Campaign
from faults.injuries import FAULTS, Fault

WARM_RIDES = 3
RIDES_AFTERWARDS = 6

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in FAULTS])
async def test_the_town_survives(campaign: Campaign, fault: Fault) -> None:
    try:
        scene = await campaign.scene()
        async with scene.town.traffic():
            await scene.town.rides(WARM_RIDES, since=monotonic())
            await fault(scene)
            await scene.town.rides(RIDES_AFTERWARDS, since=monotonic())
        await everything_held(scene)
    except BaseException as error:
        error.add_note(f"SEED={SEED} make test-faults; logs in {campaign.folder}")
        await campaign.spoil()
        raise
