"""However slow Efí is, a call has ended before the payout's lease has: nobody else takes it up meanwhile."""

import asyncio
import time
from pathlib import Path
from typing import Final

import httpx
import pytest
from efi_fakes import ScriptedEfi, client_of
from payout_fakes import DETAILS, FakeDeps, payout_at

from efi import EfiClient, EfiSettings
from kernel.clock import SystemClock
from payout.adapters.bank import EfiBank
from payout.domain.policy import Policy
from payout.domain.send import Outcome, SendUnclear
from payout.domain.step import Step
from payout.effects.process_payout import process_payout

LEASE_S: Final = 1.0


async def never(request: httpx.Request) -> httpx.Response:
    """Logs in, and then keeps silent for as long as one listens."""
    if request.url.path == "/oauth/token":
        return httpx.Response(200, json={"access_token": "t", "expires_in": 3600})
    await asyncio.Event().wait()
    raise AssertionError("it waits for ever")


def silent(folder: Path) -> EfiClient:
    def connect(settings: EfiSettings) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=settings.efi_base_url, transport=httpx.MockTransport(never))

    return client_of(ScriptedEfi(), folder, connect=connect)


@pytest.mark.parametrize("lease_s", [0.1, 15.0, 90.0, 3600.0])
def test_a_lease_has_room_for_a_send_and_a_second_opinion(lease_s: float) -> None:
    assert 2 * Policy(lease_s=lease_s).call_s < lease_s


async def test_a_call_that_takes_too_long_is_cut_off_and_unclear(tmp_path: Path) -> None:
    async with silent(tmp_path) as client:
        bank = EfiBank(client, limit_s=0.05)
        with pytest.raises(SendUnclear):
            await bank.send("x", amount=payout_at(Step.HELD).amount, details=DETAILS)
        with pytest.raises(SendUnclear):
            await bank.find("x")


async def test_a_silent_bank_is_left_before_the_lease_is_over(tmp_path: Path) -> None:
    deps = FakeDeps(policy=Policy(lease_s=LEASE_S))
    deps.clock = SystemClock()  # type: ignore[assignment]
    payout = payout_at(Step.HELD, at=deps.now())
    async with deps.transaction() as tx:
        await tx.payouts.add(payout, due_at=deps.now())
    async with silent(tmp_path) as client:
        deps.bank = EfiBank(client, limit_s=deps.policy.call_s)  # type: ignore[assignment]
        started = time.monotonic()
        await process_payout(deps)
    assert time.monotonic() - started < LEASE_S
    [(_, attempt)] = deps.rows.attempts.values()
    assert attempt.outcome is Outcome.UNCLEAR
    assert deps.rows.payouts[payout.id].step is Step.UNKNOWN
