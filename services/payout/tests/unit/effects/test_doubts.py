"""A failure that followed a doubt is not believed for good at once, and suspended drivers are not sent to."""

from decimal import Decimal

import pytest
from payout_fakes import FakeDeps, payout_at

from contracts.identity import UserStatus
from contracts.payout import PayoutContradicted, PayoutFailed
from kernel.refusals import NotFound
from payout.domain.payout import Payout
from payout.domain.policy import Policy
from payout.domain.send import SendNotMade, SendRefused, SendReport, SendState, SendUnclear
from payout.domain.standing import Standing
from payout.domain.step import Step
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from payout.usecases.inspect_payout import inspect_payout


@pytest.fixture
def deps() -> FakeDeps:
    return FakeDeps(policy=Policy(janitor_s=300))


async def put(deps: FakeDeps, step: Step) -> Payout:
    payout = payout_at(step, at=deps.now())
    async with deps.transaction() as tx:
        await tx.payouts.add(payout, due_at=deps.now())
    return payout


async def refused_after_a_doubt(deps: FakeDeps) -> Payout:
    payout = await put(deps, Step.HELD)
    deps.bank.answers, deps.bank.lost = [SendUnclear("timeout"), SendRefused("pagamento_negado")], True
    await process_payout(deps)
    while deps.rows.payouts[payout.id].step is not Step.FAILED:
        deps.clock.advance(10)
        await process_payout(deps)
    return payout


async def test_nothing_is_sent_again_for_two_minutes(deps: FakeDeps) -> None:
    before = deps.now()
    payout = await refused_after_a_doubt(deps)
    assert 120 <= (deps.now() - before).total_seconds() < 300
    assert [call for call in deps.bank.calls if call.startswith("send")] == [f"send {payout.id.hex}"] * 2


async def test_a_failure_after_a_doubt_is_checked_for_a_day(deps: FakeDeps) -> None:
    payout = await refused_after_a_doubt(deps)
    checks = 0
    for _ in range(100):
        deps.clock.advance(1800)
        checks += await poll_sends(deps)
    assert 3 <= checks <= 12
    assert deps.rows.due[payout.id] is None


async def test_money_that_shows_up_after_all_is_a_contradiction(deps: FakeDeps) -> None:
    payout = await refused_after_a_doubt(deps)
    deps.bank.sends[payout.id.hex] = SendReport(state=SendState.DONE, amount=payout.amount, e2e_id="E1")
    deps.clock.advance(300)
    assert await poll_sends(deps) == 1
    [told] = [fact for fact in deps.rows.published if isinstance(fact, PayoutContradicted)]
    assert (told.known, told.reported) == ("FAILED", "REALIZADO")
    assert deps.rows.payouts[payout.id].step is Step.FAILED
    deps.clock.advance(10**6)
    assert await poll_sends(deps) == 0


async def stand(deps: FakeDeps, payout: Payout, status: UserStatus) -> None:
    async with deps.transaction() as tx:
        await tx.standings.put(Standing(driver_id=payout.driver_id, status=status), now=deps.now())


async def test_a_suspension_stops_what_was_not_begun(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    await stand(deps, payout, UserStatus.SUSPENDED)
    assert await process_payout(deps) == 1
    [failed] = [fact for fact in deps.rows.published if isinstance(fact, PayoutFailed)]
    assert (failed.reason, failed.held, failed.amount) == ("account_not_active", True, Decimal("50.00"))
    assert deps.bank.calls == []
    assert deps.rows.attempts == {}


@pytest.mark.parametrize("problem", [SendNotMade("down"), SendUnclear("timeout")])
async def test_a_suspension_does_not_end_what_was_begun(
    deps: FakeDeps, problem: SendNotMade | SendUnclear
) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.answers, deps.bank.lost = [problem], True
    await process_payout(deps)
    await stand(deps, payout, UserStatus.BANNED)
    while deps.rows.payouts[payout.id].step is not Step.SENT:
        deps.clock.advance(30)
        await process_payout(deps)
    assert not [fact for fact in deps.rows.published if isinstance(fact, PayoutFailed)]


async def test_every_attempt_is_on_record_with_its_outcome(deps: FakeDeps) -> None:
    payout = await refused_after_a_doubt(deps)
    async with deps.transaction() as tx:
        history = await inspect_payout(tx, payout_id=payout.id)
        with pytest.raises(NotFound):
            await inspect_payout(tx, payout_id=payout.driver_id)
    assert [(one.outcome, one.code) for one in history.attempts] == [
        ("unclear", None),
        ("refused", "pagamento_negado"),
    ]
    assert history.payout.failure_reason == "rejected_by_bank"
