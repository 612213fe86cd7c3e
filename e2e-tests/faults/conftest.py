"""One stack for the campaign; another one after a fault that it did not survive, so that each is judged alone."""

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from devstack import stack as stacks
from faults.scene import Scene
from faults.town import Town
from simulator.stack import Stack

SEED = int(os.environ.get("SEED") or 7)
# Shorter than in production, so that a campaign of many faults ends: leases and sessions of the dead run out soon.
SETTINGS = {
    "LIMITS": "relaxed",
    "JANITOR_S": "4",
    "OFFER_TTL_S": "15",
    "WAVE_SIZE": "8",
    "INFLIGHT_CAP": "6",
    "ACCESS_TTL_S": "7200",
    "CONSUMER_SESSION_S": "6",
    "EFI_READ_TIMEOUT_S": "4",
    "EFI_SEND_TIMEOUT_S": "4",
    "PAYMENT_LEASE_S": "15",
    "PAYOUT_LEASE_S": "15",
    "PAYOUT_RESEND_AFTER_S": "2",
    "CONSUMER_RETRY_LONGEST_S": "3",
}


class Campaign:
    """Gives a scene to each test; `spoil` makes the next one start on a stack of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stacks = 0
        self._scene: Scene | None = None

    async def scene(self, *, passengers: int = 8, drivers: int = 8) -> Scene:
        if self._scene is None:
            folder = self._start()
            stack = Stack.load(folder / "stack.json")
            town = await Town.open(
                stack, seed=SEED, run=str(self._stacks), passengers=passengers, drivers=drivers
            )
            self._scene = Scene(folder=folder, town=town, random=Random(SEED))
        return self._scene

    async def spoil(self) -> None:
        scene, self._scene = self._scene, None
        if scene is not None:
            with suppress(Exception):
                await scene.town.close()
            stacks.down(scene.folder)

    def _start(self) -> Path:
        self._stacks += 1
        folder = self.folder / str(self._stacks)
        said: list[str] = []
        before = {name: os.environ.get(name) for name in SETTINGS}
        os.environ.update(SETTINGS)
        try:
            assert stacks.up(folder, say=said.append, owner_pid=os.getpid()), "\n".join(said)
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def campaign(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Campaign]:
    made = Campaign(tmp_path_factory.mktemp("campaign"))
    yield made
    await made.spoil()
