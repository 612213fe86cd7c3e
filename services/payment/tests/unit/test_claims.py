"""A webhook is a hint: what it claims and Efí does not confirm credits nobody, and is told once."""

from dataclasses import replace
from decimal import Decimal

import pytest
from payment_fakes import FakeDeps, a_pix, an_event, completed_ride
from prometheus_client import REGISTRY

from contracts.payment import ClaimKind, PaymentClaimRejected, PaymentConfirmed
from payment.domain.charge import Charge
from payment.domain.claim import Claim, Rejection, unfounded
from payment.domain.intent import Intent, IntentStatus
from payment.domain.received import Source
from payment.domain.webhook import EventType, Outcome
from payment.effects.process_webhooks import process_webhooks
from payment.effects.submit_charges import submit_charges
from payment.usecases.confirm_pix import confirm_pix
from payment.usecases.follow_ride import follow_ride
from payment.usecases.open_intent import open_intent
from payment.usecases.reject_claim import reject_claim


async def a_submitted_payment(deps: FakeDeps) -> tuple[Intent, Charge]:
    ride = completed_ride()
    await follow_ride(deps.tx, ride=ride)
    intent, _, _ = await open_intent(deps.tx, ride_id=ride.id, now=deps.now(), ttl_s=900.0)
    await submit_charges(deps)
    return intent, deps.tx.intents.charges[intent.id]


def rejected(deps: FakeDeps) -> list[PaymentClaimRejected]:
    return [fact for fact in deps.tx.facts if isinstance(fact, PaymentClaimRejected)]


def counted(kind: ClaimKind) -> float:
    return REGISTRY.get_sample_value("payment_claims_rejected_total", {"kind": kind}) or 0.0


@pytest.mark.parametrize(
    ("claim", "ours", "kinds"),
    [
        (Claim(txid="a", amount=Decimal("50.00")), True, []),
        (Claim(txid=None, amount=None), True, []),
        (Claim(txid="b", amount=Decimal("50.00")), True, [ClaimKind.OTHER_TXID]),
        (Claim(txid="a", amount=Decimal("50.01")), True, [ClaimKind.OTHER_AMOUNT]),
        (Claim(txid="b", amount=Decimal("0.01")), True, [ClaimKind.OTHER_TXID, ClaimKind.OTHER_AMOUNT]),
        (Claim(txid="b", amount=Decimal("0.01")), False, [ClaimKind.OTHER_KEY]),
    ],
)
def test_each_lie_has_its_kind_and_is_named_once(claim: Claim, ours: bool, kinds: list[ClaimKind]) -> None:
    found = unfounded([claim, claim], e2e_id="E1", txid="a", amount=Decimal("50.00"), ours=ours)
    assert [rejection.kind for rejection in found] == kinds
    assert all(rejection.confirmed == Decimal("50.00") for rejection in found)


async def test_a_claim_is_told_once_a_pix_and_kind() -> None:
    deps = FakeDeps()
    rejection = Rejection(kind=ClaimKind.OTHER_TXID, e2e_id="E1")
    assert await reject_claim(deps.tx, rejection=rejection, now=deps.now())
    assert not await reject_claim(deps.tx, rejection=rejection, now=deps.now())
    assert await reject_claim(deps.tx, rejection=replace(rejection, kind=ClaimKind.OTHER_KEY), now=deps.now())
    assert [fact.key() for fact in rejected(deps)] == ["E1", "E1"]


async def test_a_pix_for_another_key_credits_nobody_and_is_told() -> None:
    deps, before = FakeDeps(), counted(ClaimKind.OTHER_KEY)
    intent, charge = await a_submitted_payment(deps)
    deps.provider.pay(replace(a_pix(txid=charge.txid, e2e_id="E1"), ours=False))
    await deps.tx.webhooks.add([an_event(e2e_id="E1", txid=charge.txid, amount="50.00")] * 3)
    await process_webhooks(deps)
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.PENDING
    assert deps.tx.received.rows == {}
    [fact] = rejected(deps)
    assert (fact.kind, fact.e2e_id, fact.txid) == (ClaimKind.OTHER_KEY, "E1", charge.txid)
    assert set(deps.tx.webhooks.outcomes.values()) == {Outcome.REJECTED}
    assert counted(ClaimKind.OTHER_KEY) == before + 1


async def test_a_claimed_txid_that_efi_does_not_confirm_pays_nothing_there() -> None:
    """The money is where Efí says it is: with the charge that was really paid."""
    deps = FakeDeps()
    claimed, claimed_charge = await a_submitted_payment(deps)
    paid, paid_charge = await a_submitted_payment(deps)
    deps.provider.pay(a_pix(txid=paid_charge.txid, e2e_id="E1"))
    await deps.tx.webhooks.add([an_event(e2e_id="E1", txid=claimed_charge.txid, amount="50.00")])
    await process_webhooks(deps)
    assert deps.tx.intents.intents[claimed.id].status is IntentStatus.PENDING
    assert deps.tx.intents.intents[paid.id].status is IntentStatus.CONFIRMED
    assert [fact.kind for fact in rejected(deps)] == [ClaimKind.OTHER_TXID]


async def test_a_claimed_amount_that_efi_does_not_confirm_counts_as_efi_says() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    deps.provider.pay(a_pix(txid=charge.txid, e2e_id="E1", amount="0.01"))
    await deps.tx.webhooks.add([an_event(e2e_id="E1", txid=charge.txid, amount="50.00")])
    await process_webhooks(deps)
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.PENDING
    assert deps.tx.received.rows["E1"].held == Decimal("0.01")
    [fact] = rejected(deps)
    assert (fact.kind, fact.claimed, fact.confirmed) == (
        ClaimKind.OTHER_AMOUNT,
        Decimal("50.00"),
        Decimal("0.01"),
    )


async def test_a_lie_about_a_good_payment_does_not_take_it_from_the_passenger() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    deps.provider.pay(a_pix(txid=charge.txid, e2e_id="E1"))
    await deps.tx.webhooks.add([an_event(e2e_id="E1", txid=charge.txid, amount="500.00")])
    await process_webhooks(deps)
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.CONFIRMED
    assert [fact.amount for fact in deps.tx.facts if isinstance(fact, PaymentConfirmed)] == [Decimal("50.00")]
    assert [fact.kind for fact in rejected(deps)] == [ClaimKind.OTHER_AMOUNT]


async def test_a_lie_about_a_pix_that_is_booked_already_is_told_without_asking_again() -> None:
    deps = FakeDeps()
    _, charge = await a_submitted_payment(deps)
    pix = a_pix(txid=charge.txid, e2e_id="E1")
    await confirm_pix(deps.tx, received=pix, source=Source.JANITOR, now=deps.now())
    await deps.tx.webhooks.add([an_event(e2e_id="E1", txid="f" * 32, amount="50.00")])
    await process_webhooks(deps)
    assert list(deps.tx.webhooks.outcomes.values()) == [Outcome.DUPLICATE]
    assert [fact.kind for fact in rejected(deps)] == [ClaimKind.OTHER_TXID]
    assert "received E1" not in deps.provider.calls


@pytest.mark.parametrize("event_type", [EventType.RECEIVED, EventType.REFUND])
async def test_an_unknown_pix_is_asked_about_for_minutes_before_it_is_told(event_type: EventType) -> None:
    deps = FakeDeps()
    await deps.tx.webhooks.add([an_event(event_type=event_type, e2e_id="E0", amount="50.00")])
    started = deps.now()
    while not deps.tx.webhooks.outcomes:
        assert rejected(deps) == []
        await process_webhooks(deps)
        deps.advance(1)
    assert (deps.now() - started).total_seconds() > 60
    assert deps.provider.calls.count("received E0") == deps.policy.not_found_attempts
    [fact] = rejected(deps)
    assert (fact.kind, fact.claimed, fact.confirmed) == (ClaimKind.UNKNOWN_PIX, Decimal("50.00"), None)


async def test_a_pix_that_efi_knows_a_little_later_is_confirmed_and_no_case() -> None:
    deps = FakeDeps()
    intent, charge = await a_submitted_payment(deps)
    await deps.tx.webhooks.add([an_event(e2e_id="E1", txid=charge.txid, amount="50.00")])
    await process_webhooks(deps)
    deps.provider.pay(a_pix(txid=charge.txid, e2e_id="E1"))
    deps.advance(5)
    await process_webhooks(deps)
    assert deps.tx.intents.intents[intent.id].status is IntentStatus.CONFIRMED
    assert rejected(deps) == []
