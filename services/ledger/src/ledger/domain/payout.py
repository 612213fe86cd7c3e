"""How a payout is posted: held, completed, released, returned (ARCHITECTURE §3)."""

from decimal import Decimal
from functools import partial
from typing import Final
from uuid import UUID

from contracts.payout import PayoutCompleted, PayoutFact, PayoutFailed, PayoutReady, PayoutReturned
from kernel.money import ZERO
from ledger.domain.chart import BANK, DRIVER_PAYABLE, PAYOUT_IN_TRANSIT, PIX_FEES
from ledger.domain.debt import NETTED, NETTING, repayment
from ledger.domain.instruction import (
    Context,
    Contradiction,
    EntityType,
    HoldDecision,
    Instruction,
    Outcome,
)
from ledger.domain.journal import Draft, Journal, Line, credit, debit
from ledger.domain.reversal import reverse

HELD: Final = "payout.held"
COMPLETED: Final = PayoutCompleted.fact
FAILED: Final = PayoutFailed.fact
RETURNED: Final = PayoutReturned.fact
PAYOUT_FEE: Final = "payout.fee"
INSUFFICIENT_BALANCE: Final = "insufficient_balance"


def hold_transaction(payout_id: UUID) -> str:
    """The transaction id of a payout's hold."""
    return f"payout_{payout_id}"


def completion_transaction(payout_id: UUID) -> str:
    """The transaction id of a payout's completion."""
    return f"payout_completed_{payout_id}"


def hold(ready: PayoutReady) -> Instruction:
    """The instruction to hold a payout's amount if the driver has it, decided once per payout."""
    return Instruction(
        external_id=f"payout_hold:{ready.payout_id}",
        event_type=HELD,
        entity_type=EntityType.PAYOUT,
        entity_id=str(ready.payout_id),
        amount=ready.amount,
        occurred_at=ready.ready_at,
        rule=partial(hold_payout, ready),
        driver_id=ready.driver_id,
    )


def hold_payout(ready: PayoutReady, context: Context) -> Outcome:
    """Hold what is available in full, or refuse: never a part."""
    available = context.driver().available
    covered = ready.amount <= available
    decision = HoldDecision(
        driver_id=ready.driver_id,
        payout_id=ready.payout_id,
        amount=ready.amount,
        available=available,
        reason=None if covered else INSUFFICIENT_BALANCE,
    )
    return Outcome(drafts=(_hold_draft(ready),) if covered else (), decision=decision)


def _hold_draft(ready: PayoutReady) -> Draft:
    return _draft(
        ready,
        hold_transaction(ready.payout_id),
        HELD,
        "Valor reservado para repasse",
        debit(DRIVER_PAYABLE, ready.amount, driver_id=ready.driver_id),
        credit(PAYOUT_IN_TRANSIT, ready.amount, driver_id=ready.driver_id),
    )


def completion(done: PayoutCompleted) -> Instruction:
    """The instruction to post a payout that reached the driver, once per payout."""
    return Instruction(
        external_id=f"payout_completed:{done.payout_id}",
        event_type=COMPLETED,
        entity_type=EntityType.PAYOUT,
        entity_id=str(done.payout_id),
        amount=done.amount,
        occurred_at=done.completed_at,
        rule=partial(complete_payout, done),
        driver_id=done.driver_id,
        metadata={"id_envio": done.id_envio, "e2e_id": done.e2e_id, "fee": str(done.fee)},
    )


def complete_payout(done: PayoutCompleted, context: Context) -> Outcome:
    """The held money left the bank, and the fee with it."""
    _open_hold(done, context)
    completed = _draft(
        done,
        completion_transaction(done.payout_id),
        COMPLETED,
        "Repasse enviado por Pix",
        debit(PAYOUT_IN_TRANSIT, done.amount, driver_id=done.driver_id),
        credit(BANK, done.amount),
        reference_number=done.e2e_id,
    )
    fee = _draft(
        done,
        f"payout_fee_{done.payout_id}",
        PAYOUT_FEE,
        "Tarifa do Pix enviado",
        debit(PIX_FEES, done.fee),
        credit(BANK, done.fee),
        reference_number=done.e2e_id,
    )
    return Outcome(drafts=(completed,) if done.fee == ZERO else (completed, fee))


def release(failed: PayoutFailed) -> Instruction:
    """The instruction to give a failed payout's hold back, once per payout."""
    return Instruction(
        external_id=f"payout_failed:{failed.payout_id}",
        event_type=FAILED,
        entity_type=EntityType.PAYOUT,
        entity_id=str(failed.payout_id),
        amount=failed.amount,
        occurred_at=failed.failed_at,
        rule=partial(release_payout, failed),
        driver_id=failed.driver_id,
        metadata={"reason": failed.reason},
    )


def release_payout(failed: PayoutFailed, context: Context) -> Outcome:
    """The hold is reversed, less what the driver owes by now; a failure before any hold posts nothing."""
    if not failed.held:
        if context.find(hold_transaction(failed.payout_id)) is not None:
            raise Contradiction(f"payout {failed.payout_id} failed as never held, but it is held")
        return Outcome()
    draft = reverse(
        _open_hold(failed, context),
        context=context,
        description=f"Repasse não realizado ({failed.reason})",
        event_type=FAILED,
    )
    netting = _netting(failed, context, gained=failed.amount, name=str(failed.payout_id))
    return Outcome(drafts=(draft, *netting), reason=failed.reason)


def giving_back(returned: PayoutReturned) -> Instruction:
    """The instruction to post a return of a completed payout, once per return."""
    return Instruction(
        external_id=f"payout_returned:{returned.return_id}",
        event_type=RETURNED,
        entity_type=EntityType.PAYOUT,
        entity_id=str(returned.payout_id),
        amount=returned.amount,
        occurred_at=returned.returned_at,
        rule=partial(return_payout, returned),
        driver_id=returned.driver_id,
        metadata={"return_id": returned.return_id},
    )


def return_payout(returned: PayoutReturned, context: Context) -> Outcome:
    """The money is in the bank again and the driver's again, less what they owe by now."""
    done = context.get(completion_transaction(returned.payout_id))
    if context.bank_total(RETURNED) + returned.amount > done.amount_on(BANK):
        raise Contradiction(f"payout {returned.payout_id}: more came back than was sent")
    draft = _draft(
        returned,
        f"payout_returned_{returned.return_id}",
        RETURNED,
        "Repasse devolvido",
        debit(BANK, returned.amount),
        credit(DRIVER_PAYABLE, returned.amount, driver_id=returned.driver_id),
        reference_number=done.draft.reference_number,
    )
    netting = _netting(returned, context, gained=returned.amount, name=returned.return_id)
    return Outcome(drafts=(draft, *netting))


def _netting(fact: PayoutFact, context: Context, *, gained: Decimal, name: str) -> tuple[Draft, ...]:
    lines = repayment(context.driver(), gained=gained)
    return (_draft(fact, f"netting_{name}", NETTED, NETTING, *lines),) if lines else ()


def _open_hold(fact: PayoutFact, context: Context) -> Journal:
    """The payout's hold of that amount, neither completed nor released; Contradiction otherwise."""
    held = context.get(hold_transaction(fact.payout_id))
    completed = context.find(completion_transaction(fact.payout_id)) is not None
    if completed or context.reversed(held) or held.total != fact.amount:
        raise Contradiction(f"payout {fact.payout_id} has no open hold of {fact.amount}")
    return held


def _draft(
    fact: PayoutFact,
    transaction_id: str,
    event_type: str,
    description: str,
    *lines: Line,
    reference_number: str | None = None,
) -> Draft:
    return Draft(
        transaction_id=transaction_id,
        event_type=event_type,
        entity_type=EntityType.PAYOUT,
        entity_id=str(fact.payout_id),
        reference_number=reference_number,
        description=description,
        driver_id=fact.driver_id,
        lines=lines,
    )
