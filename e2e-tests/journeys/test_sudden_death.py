"""Two faults of the campaign (`make test-faults`), short enough for every day."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from faults.aftermath import everything_held
from faults.injuries import Fault, kafka_killed, payment_killed_between_webhook_and_confirmation
from faults.scene import Scene
from faults.town import Town
from simulator.stack import Stack

FAULTS = [payment_killed_between_webhook_and_confirmation, kafka_killed]
# Nobody else drives here: another journey's drivers are not offered these rides.
CENTERS = {fault.__name__: (-3.1 + place, -60.0) for place, fault in enumerate(FAULTS)}


@pytest.fixture
async def scene(stack: Stack, stack_folder: Path, fault: Fault) -> AsyncIterator[Scene]:
    name = fault.__name__
    town = await Town.open(stack, seed=7, run=name, passengers=3, drivers=3, center=CENTERS[name])
    yield Scene(folder=stack_folder, town=town, random=Random(7))
    await town.close()


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_small_town_outlives_it(scene: Scene, fault: Fault) -> None:
    async with scene.town.traffic():
        await scene.town.rides(1)
        await fault(scene)
        await scene.town.rides(2, since=monotonic())
    await everything_held(scene)
