"""Each verb on payouts in memory."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from payout_fakes import DETAILS, NOW, FakeTx, FakeVault, payout_at

from contracts.audit import AuditRecorded
from contracts.payout import (
    PayoutCompleted,
    PayoutContradicted,
    PayoutFailed,
    PayoutReady,
    PayoutRequested,
    PayoutReturned,
    PayoutSent,
)
from kernel.actor import Actor
from kernel.ids import new_id
from kernel.refusals import NotFound
from payout.domain.known_balance import KnownBalance
from payout.domain.payout import IllegalTransition, InsufficientBalance, Payout
from payout.domain.policy import Policy
from payout.domain.send import SendReport, SendReturn, SendState
from payout.domain.standing import Standing
from payout.domain.step import FailureReason, Status, Step
from payout.usecases.fail_payout import fail_payout
from payout.usecases.follow_balance import follow_balance
from payout.usecases.follow_standing import follow_standing
from payout.usecases.get_payout import get_payout
from payout.usecases.hold_payout import hold_payout
from payout.usecases.list_payouts import list_payouts
from payout.usecases.lose_track import lose_track
from payout.usecases.note_send_report import note_send_report
from payout.usecases.prepare_payout import prepare_payout
from payout.usecases.request_payout import request_payout
from payout.usecases.settle_send import settle_send
from payout.usecases.start_sending import start_sending

POLICY = Policy()
MISSING = new_id()


@pytest.fixture
def tx() -> FakeTx:
    return FakeTx()


async def know(tx: FakeTx, driver_id: UUID, available: str, version: int = 1) -> None:
    balance = KnownBalance(driver_id=driver_id, available=Decimal(available), version=version)
    await follow_balance(tx, balance=balance, now=NOW)
    await follow_standing(tx, standing=Standing(driver_id=driver_id), now=NOW)


async def request(tx: FakeTx, driver_id: UUID, amount: str) -> Payout:
    return await request_payout(
        tx,
        payout_id=new_id(),
        driver_id=driver_id,
        amount=Decimal(amount),
        policy=POLICY,
        actor=Actor(user_id=driver_id, user_type="driver"),
        now=NOW,
    )


async def put(tx: FakeTx, step: Step) -> Payout:
    payout = payout_at(step)
    await tx.payouts.add(payout, due_at=None)
    return payout


async def test_a_request_is_pending_published_and_audited(tx: FakeTx) -> None:
    driver_id = new_id()
    await know(tx, driver_id, "100.00")

    payout = await request(tx, driver_id, "60.00")

    assert (payout.status, tx.rows.due[payout.id]) == (Status.PENDING, NOW)
    requested, audit = tx.rows.published
    assert isinstance(requested, PayoutRequested)
    assert isinstance(audit, AuditRecorded)
    assert (audit.action, audit.user_id, audit.entity_id) == ("request_payout", driver_id, str(payout.id))


async def test_what_is_asked_for_is_not_available_twice(tx: FakeTx) -> None:
    driver_id = new_id()
    await know(tx, driver_id, "100.00")
    first = await request(tx, driver_id, "60.00")
    with pytest.raises(InsufficientBalance):
        await request(tx, driver_id, "40.01")
    await request(tx, driver_id, "40.00")

    # The ledger holds the first; until the new balance arrives the hold still counts.
    await prepare_payout(tx, payout_id=first.id, snapshot=FakeVault().seal(DETAILS), now=NOW)
    await hold_payout(tx, payout_id=first.id, balance_version=2, now=NOW)
    with pytest.raises(InsufficientBalance):
        await request(tx, driver_id, "1.00")
    await know(tx, driver_id, "45.00", version=2)
    await request(tx, driver_id, "5.00")


async def test_an_unknown_balance_is_zero(tx: FakeTx) -> None:
    driver_id = new_id()
    await follow_standing(tx, standing=Standing(driver_id=driver_id), now=NOW)
    with pytest.raises(InsufficientBalance):
        await request(tx, driver_id, "1.00")
    assert tx.rows.published == []


async def test_an_older_balance_changes_nothing(tx: FakeTx) -> None:
    driver_id = new_id()
    await know(tx, driver_id, "10.00", version=3)
    assert not await follow_balance(tx, balance=KnownBalance(driver_id=driver_id, version=2), now=NOW)
    assert tx.rows.balances[driver_id].available == Decimal("10.00")


async def test_anothers_payout_is_not_found(tx: FakeTx) -> None:
    payout = await put(tx, Step.REQUESTED)
    assert await get_payout(tx, payout_id=payout.id, driver_id=payout.driver_id) == payout
    assert await get_payout(tx, payout_id=payout.id, driver_id=None) == payout
    for payout_id, driver_id in ((payout.id, new_id()), (MISSING, None)):
        with pytest.raises(NotFound):
            await get_payout(tx, payout_id=payout_id, driver_id=driver_id)


async def test_lists_are_newest_first(tx: FakeTx) -> None:
    driver_id = new_id()
    made = [payout_at(Step.REQUESTED, driver_id=driver_id, at=NOW + timedelta(seconds=n)) for n in range(3)]
    for payout in made:
        await tx.payouts.add(payout, due_at=None)
    await put(tx, Step.REQUESTED)
    newest = await list_payouts(tx, driver_id=driver_id, before=None, limit=2)
    assert list(newest) == [made[2], made[1]]
    before = (made[1].created_at, made[1].id)
    assert list(await list_payouts(tx, driver_id=driver_id, before=before, limit=2)) == [made[0]]


async def test_a_snapshot_makes_it_ready_once(tx: FakeTx) -> None:
    payout = await put(tx, Step.REQUESTED)
    for _ in range(2):
        await prepare_payout(tx, payout_id=payout.id, snapshot=FakeVault().seal(DETAILS), now=NOW)
    assert [type(fact) for fact in tx.rows.published] == [PayoutReady]


async def test_a_hold_counts_once(tx: FakeTx) -> None:
    payout = await put(tx, Step.READY)
    held = await hold_payout(tx, payout_id=payout.id, balance_version=7, now=NOW)
    assert await hold_payout(tx, payout_id=payout.id, balance_version=8, now=NOW) == held
    assert (held.step, held.held_version, tx.rows.due[payout.id]) == (Step.HELD, 7, NOW)


async def test_a_failure_counts_once_and_is_audited(tx: FakeTx) -> None:
    payout = await put(tx, Step.READY)
    for _ in range(2):
        await fail_payout(tx, payout_id=payout.id, reason=FailureReason.INSUFFICIENT_BALANCE, now=NOW)
    assert [type(fact) for fact in tx.rows.published] == [PayoutFailed, AuditRecorded]


async def test_a_held_payout_is_not_failed_by_a_late_refusal(tx: FakeTx) -> None:
    payout = await put(tx, Step.HELD)
    with pytest.raises(IllegalTransition):
        await fail_payout(tx, payout_id=payout.id, reason=FailureReason.INSUFFICIENT_BALANCE, now=NOW)


async def test_an_attempt_is_on_record_before_the_call(tx: FakeTx) -> None:
    payout = await put(tx, Step.HELD)
    until = NOW + timedelta(seconds=90)
    sending = await start_sending(
        tx, payout_id=payout.id, version=payout.version, attempt_id=new_id(), until=until, now=NOW
    )
    [(payout_id, begun)] = tx.rows.attempts.values()
    assert (payout_id, begun.id_envio, begun.started_at) == (payout.id, payout.id.hex, NOW)
    assert begun.in_doubt
    assert (sending.status, tx.rows.due[payout.id]) == (Status.PROCESSING, until)


async def test_lost_track_is_asked_about_soon(tx: FakeTx) -> None:
    payout = await put(tx, Step.SENDING)
    lost = await lose_track(tx, payout_id=payout.id, policy=POLICY, now=NOW)
    assert (lost.step, tx.rows.due[payout.id]) == (Step.UNKNOWN, NOW + timedelta(seconds=0.5))
    done = await put(tx, Step.COMPLETED)
    assert await lose_track(tx, payout_id=done.id, policy=POLICY, now=NOW) == done


@pytest.mark.parametrize("step", [Step.SENDING, Step.UNKNOWN])
async def test_what_the_bank_works_on_is_sent_once(tx: FakeTx, step: Step) -> None:
    payout = await put(tx, step)
    report = SendReport(state=SendState.PROCESSING, e2e_id="E1")
    for _ in range(2):
        await settle_send(tx, payout_id=payout.id, report=report, policy=POLICY, now=NOW)
    assert [type(fact) for fact in tx.rows.published] == [PayoutSent]
    assert tx.rows.payouts[payout.id].step is Step.SENT
    assert tx.rows.due[payout.id] == NOW + timedelta(seconds=0.5)


@pytest.mark.parametrize("step", [Step.SENDING, Step.UNKNOWN, Step.SENT])
async def test_what_the_bank_did_is_completed_once(tx: FakeTx, step: Step) -> None:
    payout = await put(tx, step)
    report = SendReport(state=SendState.DONE, e2e_id="E1", fee=Decimal("0.10"))
    for _ in range(2):
        await settle_send(tx, payout_id=payout.id, report=report, policy=POLICY, now=NOW)
    assert [type(fact) for fact in tx.rows.published] == [PayoutCompleted, AuditRecorded]
    assert tx.rows.due[payout.id] == NOW + timedelta(seconds=300)


async def test_what_the_bank_rejected_fails_as_held(tx: FakeTx) -> None:
    payout = await put(tx, Step.SENT)
    report = SendReport(state=SendState.REJECTED, e2e_id="E1", error_code="AC03")
    failed = (await settle_send(tx, payout_id=payout.id, report=report, policy=POLICY, now=NOW)).payout
    fact = tx.rows.published[0]
    assert isinstance(fact, PayoutFailed)
    assert (fact.held, fact.reason, tx.rows.due[payout.id]) == (True, "rejected_by_bank", None)
    assert failed.provider_response["error_code"] == "AC03"


async def test_returns_count_once_each_and_end_the_looking(tx: FakeTx) -> None:
    payout = await put(tx, Step.SENT)
    parts = tuple(SendReturn(return_id=f"D{n}", amount=Decimal("25.00")) for n in range(2))

    def report(n: int) -> SendReport:
        return SendReport(state=SendState.DONE, e2e_id="E1", returns=parts[:n])

    first = (await settle_send(tx, payout_id=payout.id, report=report(1), policy=POLICY, now=NOW)).payout
    assert (first.step, first.status) == (Step.RETURNED, Status.RETURNED)
    assert tx.rows.due[payout.id] == NOW + timedelta(seconds=300)
    for _ in range(2):
        await settle_send(tx, payout_id=payout.id, report=report(2), policy=POLICY, now=NOW)
    returns = [fact for fact in tx.rows.published if isinstance(fact, PayoutReturned)]
    assert [(fact.return_id, fact.returned_total) for fact in returns] == [
        ("D0", Decimal("25.00")),
        ("D1", Decimal("50.00")),
    ]
    assert tx.rows.due[payout.id] is None


@pytest.mark.parametrize(
    ("step", "state"),
    [
        (Step.FAILED, SendState.DONE),
        (Step.FAILED, SendState.PROCESSING),
        (Step.COMPLETED, SendState.REJECTED),
        (Step.RETURNED, SendState.REJECTED),
    ],
)
async def test_a_bank_that_contradicts_itself_is_not_believed_silently(
    tx: FakeTx, step: Step, state: SendState
) -> None:
    payout = payout_at(Step.SENT if step is Step.FAILED else step)
    if step is Step.FAILED:
        payout, _ = payout.fail(FailureReason.REJECTED_BY_BANK, now=NOW)
    await tx.payouts.add(payout, due_at=NOW)
    report = SendReport(state=state, amount=payout.amount)
    told = [
        (await settle_send(tx, payout_id=payout.id, report=report, policy=POLICY, now=NOW)).contradictions
        for _ in range(2)
    ]
    assert told == [1, 0]
    assert [type(fact) for fact in tx.rows.published] == [PayoutContradicted, AuditRecorded]
    assert tx.rows.payouts[payout.id] == payout


@pytest.mark.parametrize(
    ("step", "heard"),
    [(Step.SENT, True), (Step.UNKNOWN, True), (Step.COMPLETED, True), (Step.FAILED, False)],
)
async def test_a_hint_brings_the_question_forward(tx: FakeTx, step: Step, heard: bool) -> None:
    payout = await put(tx, step)
    found = await note_send_report(tx, id_envio=payout.id_envio or payout.id.hex, now=NOW)
    assert (found, tx.rows.due[payout.id]) == (heard, NOW if heard else None)


async def test_nobody_elses_payout_is_touched(tx: FakeTx) -> None:
    report = SendReport(state=SendState.DONE)
    snapshot = FakeVault().seal(DETAILS)
    for call in (
        prepare_payout(tx, payout_id=MISSING, snapshot=snapshot, now=NOW),
        hold_payout(tx, payout_id=MISSING, balance_version=1, now=NOW),
        fail_payout(tx, payout_id=MISSING, reason=FailureReason.NO_PIX_KEY, now=NOW),
        start_sending(tx, payout_id=MISSING, version=1, attempt_id=new_id(), until=NOW, now=NOW),
        lose_track(tx, payout_id=MISSING, policy=POLICY, now=NOW),
        settle_send(tx, payout_id=MISSING, report=report, policy=POLICY, now=NOW),
    ):
        with pytest.raises(NotFound):
            await call
