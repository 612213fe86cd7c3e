"""Snapshot, send and poll against a bank and an identity made by hand."""

from collections import Counter
from decimal import Decimal

import pytest
from payout_fakes import DETAILS, FakeDeps, payout_at
from prometheus_client import REGISTRY

from contracts.payout import (
    PayoutCompleted,
    PayoutContradicted,
    PayoutFailed,
    PayoutReady,
    PayoutReturned,
    PayoutSent,
)
from payout.domain.payout import IllegalTransition, Payout
from payout.domain.policy import Policy
from payout.domain.send import (
    Outcome,
    SendNotMade,
    SendProblem,
    SendRefused,
    SendReport,
    SendReturn,
    SendState,
    SendUnclear,
)
from payout.domain.step import Step
from payout.effects.poll_sends import poll_sends
from payout.effects.process_payout import process_payout
from payout.effects.send_pix import send_pix
from payout.effects.take_bank_snapshot import take_bank_snapshot
from payout.usecases.note_send_report import note_send_report


@pytest.fixture
def deps() -> FakeDeps:
    return FakeDeps(policy=Policy(resend_after_s=5.0))


async def put(deps: FakeDeps, step: Step) -> Payout:
    payout = payout_at(step, at=deps.now())
    async with deps.transaction() as tx:
        await tx.payouts.add(payout, due_at=deps.now())
    return payout


def step_of(deps: FakeDeps, payout: Payout) -> Step:
    return deps.rows.payouts[payout.id].step


def facts(deps: FakeDeps) -> Counter[type]:
    return Counter(type(fact) for fact in deps.rows.published)


def sends(deps: FakeDeps) -> list[str]:
    return [call for call in deps.bank.calls if call.startswith("send")]


async def test_a_snapshot_is_taken_and_sealed(deps: FakeDeps) -> None:
    payout = await put(deps, Step.REQUESTED)
    assert await take_bank_snapshot(deps) == 1
    snapshot = deps.rows.payouts[payout.id].snapshot
    assert snapshot is not None
    assert deps.vault.open(snapshot) == DETAILS
    assert facts(deps)[PayoutReady] == 1
    assert await take_bank_snapshot(deps) == 0


async def test_while_identity_is_away_a_payout_waits(deps: FakeDeps) -> None:
    payout = await put(deps, Step.REQUESTED)
    deps.directory.away = True
    await take_bank_snapshot(deps)
    assert step_of(deps, payout) is Step.REQUESTED
    assert await take_bank_snapshot(deps) == 0

    deps.directory.away = False
    deps.clock.advance(2)
    await take_bank_snapshot(deps)
    assert step_of(deps, payout) is Step.READY


async def test_a_driver_without_a_key_cannot_be_paid(deps: FakeDeps) -> None:
    await put(deps, Step.REQUESTED)
    deps.directory.payee_now = None
    await take_bank_snapshot(deps)
    [failed] = [fact for fact in deps.rows.published if isinstance(fact, PayoutFailed)]
    assert (failed.reason, failed.held) == ("no_pix_key", False)


async def test_a_held_payout_is_sent_polled_and_completed(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    assert await process_payout(deps) == 1
    assert step_of(deps, payout) is Step.SENT
    assert await poll_sends(deps) == 0
    deps.clock.advance(0.5)
    assert await poll_sends(deps) == 1
    assert step_of(deps, payout) is Step.SENT

    deps.bank.decide(payout.id.hex, SendState.DONE, fee="0.10")
    deps.clock.advance(1)
    await poll_sends(deps)
    assert step_of(deps, payout) is Step.COMPLETED
    assert deps.rows.payouts[payout.id].fee == Decimal("0.10")
    assert facts(deps)[PayoutSent] == facts(deps)[PayoutCompleted] == 1
    assert sends(deps) == [f"send {payout.id.hex}"]


async def test_a_refusal_fails_and_asks_nothing_more(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.answers = [SendRefused("chave_invalida")]
    await process_payout(deps)
    failed = deps.rows.payouts[payout.id]
    assert (failed.step, failed.failure_reason) == (Step.FAILED, "rejected_by_bank")
    assert failed.provider_response == {"status": "refused", "error_code": "chave_invalida"}
    deps.clock.advance(10**6)
    assert await process_payout(deps) == await poll_sends(deps) == 0
    assert deps.bank.calls == [f"send {payout.id.hex}"]


async def test_a_lost_answer_is_asked_about_and_never_sent_twice(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.answers = [SendUnclear("timeout")]
    await process_payout(deps)
    assert step_of(deps, payout) is Step.UNKNOWN

    deps.clock.advance(10)
    await process_payout(deps)
    assert step_of(deps, payout) is Step.SENT
    assert sends(deps) == [f"send {payout.id.hex}"]
    assert deps.bank.paid == payout.amount


async def test_a_lost_request_is_sent_again_under_the_same_id_but_not_at_once(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.answers, deps.bank.lost = [SendUnclear("timeout")], True
    await process_payout(deps)

    deps.clock.advance(1)
    await process_payout(deps)
    assert step_of(deps, payout) is Step.UNKNOWN
    assert len(sends(deps)) == 1
    deps.clock.advance(5)
    await process_payout(deps)
    assert step_of(deps, payout) is Step.SENT
    assert sends(deps) == [f"send {payout.id.hex}"] * 2
    assert {attempt.id_envio for _, attempt in deps.rows.attempts.values()} == {payout.id.hex}


async def test_an_unknown_result_is_never_failed_by_age(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.answers, deps.bank.finding = [SendUnclear("timeout")], SendUnclear("timeout")
    await process_payout(deps)
    for _ in range(40):
        deps.clock.advance(86_400)
        await process_payout(deps)
        await poll_sends(deps)
    assert step_of(deps, payout) is Step.UNKNOWN
    assert len(sends(deps)) == 1
    deps.bank.finding = None
    deps.bank.decide(payout.id.hex, SendState.DONE)
    deps.clock.advance(86_400)
    await process_payout(deps)
    assert step_of(deps, payout) is Step.COMPLETED


async def test_a_request_that_never_left_is_made_again_without_asking(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.answers = [SendNotMade("refused connection")] * 2
    await process_payout(deps)
    assert step_of(deps, payout) is Step.SENDING
    for _ in range(2):
        deps.clock.advance(10)
        await process_payout(deps)
    assert step_of(deps, payout) is Step.SENT
    assert deps.bank.calls == [f"send {payout.id.hex}"] * 3
    assert [attempt.outcome for _, attempt in deps.rows.attempts.values()] == [
        Outcome.NOT_MADE,
        Outcome.NOT_MADE,
        Outcome.ANSWERED,
    ]


async def test_a_bank_that_says_how_long_to_wait_is_left_alone_so_long(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.answers = [SendNotMade("throttled", wait_s=60)]
    await process_payout(deps)
    deps.clock.advance(59)
    assert await process_payout(deps) == 0
    deps.clock.advance(1)
    assert await process_payout(deps) == 1
    assert step_of(deps, payout) is Step.SENT


class Crash(Exception):
    """The process died."""


async def test_a_crash_between_send_and_store_makes_no_second_send(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)

    async def die() -> None:
        raise Crash

    deps.bank.before_answer = die
    with pytest.raises(Crash):
        await process_payout(deps)
    assert step_of(deps, payout) is Step.SENDING

    deps.bank.before_answer = None
    assert await process_payout(deps) == 0
    deps.clock.advance(deps.policy.lease_s)
    await process_payout(deps)
    assert step_of(deps, payout) is Step.SENT
    assert sends(deps) == [f"send {payout.id.hex}"]


async def test_a_worker_that_slept_over_its_claim_sends_nothing_and_fails_nothing(deps: FakeDeps) -> None:
    claimed = await put(deps, Step.HELD)
    deps.bank.answers = [SendUnclear("timeout")]
    await process_payout(deps)  # another worker's, whose send the bank has

    deps.bank.answers = [SendRefused("pagamento_negado")]
    with pytest.raises(IllegalTransition):
        await send_pix(deps, payout=claimed)
    assert step_of(deps, claimed) is Step.UNKNOWN
    assert sends(deps) == [f"send {claimed.id.hex}"]


@pytest.mark.parametrize("answer", [SendRefused("pagamento_negado"), SendUnclear("timeout")], ids=repr)
async def test_an_answer_that_comes_after_another_worker_took_over_changes_nothing(
    deps: FakeDeps, answer: SendProblem
) -> None:
    payout = await put(deps, Step.HELD)

    async def another_worker() -> None:
        deps.bank.before_answer = None
        deps.bank.decide(payout.id.hex, SendState.PROCESSING)
        deps.clock.advance(deps.policy.lease_s)
        await process_payout(deps)

    deps.bank.answers, deps.bank.before_answer = [answer], another_worker
    await process_payout(deps)
    assert step_of(deps, payout) is Step.SENT
    assert facts(deps)[PayoutFailed] == 0
    assert all(attempt.outcome is not None for _, attempt in deps.rows.attempts.values())


@pytest.mark.parametrize(
    ("known", "finding", "step"),
    [
        (None, None, Step.FAILED),
        (SendState.PROCESSING, None, Step.SENT),
        (SendState.DONE, None, Step.COMPLETED),
        (None, SendUnclear("timeout"), Step.UNKNOWN),
    ],
)
async def test_a_refusal_after_a_doubt_needs_a_second_opinion(
    deps: FakeDeps, known: SendState | None, finding: SendUnclear | None, step: Step
) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.answers, deps.bank.lost = [SendUnclear("timeout"), SendRefused("pagamento_negado")], True
    await process_payout(deps)

    async def meanwhile() -> None:
        if known is not None:
            deps.bank.decide(payout.id.hex, known)
        deps.bank.finding = finding

    deps.bank.before_answer = meanwhile
    deps.clock.advance(6)
    await process_payout(deps)
    assert step_of(deps, payout) is step


async def test_payouts_are_sent_one_after_another(deps: FakeDeps) -> None:
    made = [await put(deps, Step.HELD) for _ in range(3)]
    assert await process_payout(deps) == 3
    assert [step_of(deps, payout) for payout in made] == [Step.SENT] * 3


async def test_returns_of_completed_payouts_are_found(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    await process_payout(deps)
    deps.bank.decide(payout.id.hex, SendState.DONE)
    deps.clock.advance(1)
    await poll_sends(deps)
    deps.bank.give_back(payout.id.hex, "20.00", "30.00")
    deps.clock.advance(300)
    await poll_sends(deps)
    assert step_of(deps, payout) is Step.RETURNED
    assert facts(deps)[PayoutReturned] == 2
    deps.clock.advance(10**6)
    assert await poll_sends(deps) == 0


async def test_a_bank_that_does_not_answer_is_asked_again(deps: FakeDeps) -> None:
    payout = await put(deps, Step.SENT)
    deps.bank.finding = SendUnclear("timeout")
    assert await poll_sends(deps) == 1
    deps.bank.finding = None
    deps.clock.advance(1)
    assert await poll_sends(deps) == 1
    deps.bank.decide(payout.id.hex, SendState.DONE)
    deps.clock.advance(10)
    await poll_sends(deps)
    assert step_of(deps, payout) is Step.COMPLETED


async def test_a_contradiction_stops_one_payout_and_no_other(deps: FakeDeps) -> None:
    wrong, right = await put(deps, Step.COMPLETED), await put(deps, Step.SENT)
    deps.bank.decide(wrong.id.hex, SendState.REJECTED)
    deps.bank.decide(right.id.hex, SendState.DONE)
    assert await poll_sends(deps) == 2
    assert (step_of(deps, wrong), step_of(deps, right)) == (Step.COMPLETED, Step.COMPLETED)


async def test_too_much_returned_while_in_doubt_is_left_to_a_person(deps: FakeDeps) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.answers = [SendUnclear("timeout")]
    await process_payout(deps)
    deps.bank.sends[payout.id.hex] = SendReport(
        state=SendState.DONE,
        e2e_id="E1",
        returns=(SendReturn(return_id="D1", amount=payout.amount + 1),),
    )
    deps.clock.advance(1)
    assert await process_payout(deps) == 1
    assert step_of(deps, payout) is Step.COMPLETED
    assert (facts(deps)[PayoutContradicted], facts(deps)[PayoutReturned]) == (1, 0)


@pytest.mark.parametrize("state", [SendState.DONE, SendState.REJECTED])
async def test_a_send_of_another_amount_under_our_id_settles_nothing_and_is_not_repeated(
    deps: FakeDeps, state: SendState
) -> None:
    payout = await put(deps, Step.HELD)
    deps.bank.sends[payout.id.hex] = SendReport(state=state, amount=Decimal("49.99"), e2e_id="E1")
    deps.bank.answers = [SendUnclear("another amount")]
    for _ in range(4):
        await process_payout(deps)
        deps.clock.advance(600)
    assert step_of(deps, payout) is Step.UNKNOWN
    assert len(sends(deps)) == 1
    assert not facts(deps)[PayoutCompleted] + facts(deps)[PayoutFailed]


async def a_refused_payout(deps: FakeDeps) -> Payout:
    payout = await put(deps, Step.HELD)
    deps.bank.answers = [SendRefused("pagamento_negado")]
    await process_payout(deps)
    assert step_of(deps, payout) is Step.FAILED
    assert await poll_sends(deps) == 0
    return payout


async def test_a_send_that_happened_after_its_payout_failed_does_not_pass_unseen(deps: FakeDeps) -> None:
    """The money was given back to the driver, and now the bank says that it was sent: someone must look."""
    payout, before = await a_refused_payout(deps), contradictions()
    deps.bank.decide(payout.id.hex, SendState.DONE)
    async with deps.transaction() as tx:
        assert await note_send_report(tx, id_envio=payout.id.hex, now=deps.now())
    assert await poll_sends(deps) == 1
    assert contradictions() == before + 1
    assert step_of(deps, payout) is Step.FAILED
    assert facts(deps)[PayoutCompleted] == 0


async def test_a_rejection_told_after_its_payout_failed_is_no_news(deps: FakeDeps) -> None:
    payout, before = await a_refused_payout(deps), contradictions()
    deps.bank.decide(payout.id.hex, SendState.REJECTED)
    async with deps.transaction() as tx:
        await note_send_report(tx, id_envio=payout.id.hex, now=deps.now())
    assert await poll_sends(deps) == 1
    deps.clock.advance(100_000)
    assert await poll_sends(deps) == 0
    assert contradictions() == before
    assert facts(deps)[PayoutFailed] == 1


def contradictions() -> float:
    return REGISTRY.get_sample_value("payout_contradictions_total") or 0.0
