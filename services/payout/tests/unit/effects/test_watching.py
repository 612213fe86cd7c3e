"""How long the oldest payout has been open, by what the driver sees."""

from datetime import timedelta
from typing import Final

import pytest
from payout_fakes import FakeDeps, payout_at
from prometheus_client import REGISTRY

from payout.domain.payout import Payout
from payout.domain.send import SendNotMade
from payout.domain.step import Step
from payout.effects.process_payout import process_payout
from payout.effects.watch_open import watch_open
from payout.jobs import WATCH_S, timetable

STATUSES: Final = ("pending", "processing")


@pytest.fixture
def deps() -> FakeDeps:
    return FakeDeps()


async def put(deps: FakeDeps, step: Step, *, age_s: float = 0.0) -> Payout:
    payout = payout_at(step, at=deps.now() - timedelta(seconds=age_s))
    async with deps.transaction() as tx:
        await tx.payouts.add(payout, due_at=deps.now())
    return payout


async def ages(deps: FakeDeps) -> list[float | None]:
    assert await watch_open(deps) == 0
    return [REGISTRY.get_sample_value("payouts_oldest_open_seconds", {"status": one}) for one in STATUSES]


async def test_nothing_open_is_zero_and_what_has_ended_is_not_open(deps: FakeDeps) -> None:
    assert await ages(deps) == [0.0, 0.0]
    for step in (Step.COMPLETED, Step.FAILED, Step.RETURNED):
        await put(deps, step, age_s=900)
    assert await ages(deps) == [0.0, 0.0]


@pytest.mark.parametrize("step", [Step.REQUESTED, Step.READY, Step.HELD])
async def test_a_payout_that_nobody_answers_is_pending_since_it_was_asked_for(
    deps: FakeDeps, step: Step
) -> None:
    await put(deps, step, age_s=60)
    await put(deps, Step.READY, age_s=30)
    assert await ages(deps) == [60.0, 0.0]


@pytest.mark.parametrize("step", [Step.SENDING, Step.SENT, Step.UNKNOWN])
async def test_a_send_that_does_not_end_is_processing_without_a_doubt_too(deps: FakeDeps, step: Step) -> None:
    await put(deps, step, age_s=60)
    assert await ages(deps) == [0.0, 60.0]


async def test_calls_that_are_never_made_leave_their_payout_open_since_the_first(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD, age_s=100)
    deps.bank.answers = [SendNotMade("EfiUnauthorized") for _ in range(50)]
    for _ in range(5):
        await process_payout(deps)
        deps.clock.advance(600)
    assert deps.rows.payouts[payout.id].step is Step.SENDING
    assert await ages(deps) == [0.0, 3000.0]


async def test_a_clock_that_is_behind_makes_no_age_negative(deps: FakeDeps) -> None:
    await put(deps, Step.READY, age_s=-5)
    assert await ages(deps) == [0.0, 0.0]


def test_every_worker_watches(deps: FakeDeps) -> None:
    watches = {job.name for job in timetable(deps, every_s=0.2) if not job.exclusive}
    assert watches == {"watch_doubts", "watch_open"}
    assert WATCH_S <= 60
