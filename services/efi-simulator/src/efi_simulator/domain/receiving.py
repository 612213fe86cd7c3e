"""Pix that arrive, and what goes back to their payers."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from efi_simulator.domain import documents
from efi_simulator.domain.bank import Bank, Due, refund_key
from efi_simulator.domain.charging import charge_of
from efi_simulator.domain.modes import RefundMode
from efi_simulator.domain.nouns import Charge, ChargeStatus, NoticeKind, ReceivedPix, Refund, RefundStatus
from efi_simulator.domain.refusals import (
    BlockedDocument,
    ChargeNotPayable,
    DuplicateRefund,
    InvalidAmount,
    UnknownPix,
    UnknownRefund,
)
from kernel.money import ZERO

HOMOLOGATION_REJECTED = Decimal("0.01")
CONTRADICTION = "Devolução estornada após a liquidação."


def pay_charge(
    bank: Bank,
    *,
    txid: str,
    amount: Decimal | None,
    payer_cpf: str | None,
    force: bool = False,
    late: bool = False,
    now: datetime,
) -> ReceivedPix:
    """Somebody pays `amount` (the charge's own when None). ChargeNotPayable.

    `force` pays a charge that is paid already; `late` one that is removed or whose time is over, as happens
    when the payer's bank was on its way. A removed charge stays removed.
    """
    charge = charge_of(bank, txid=txid)
    _check_payable(charge, force=force, late=late, now=now)
    received = receive_pix(
        bank, txid=txid, amount=charge.amount if amount is None else amount, payer_cpf=payer_cpf, now=now
    )
    bank.charges[txid] = replace(
        charge,
        status=ChargeStatus.REMOVED if charge.status is ChargeStatus.REMOVED else ChargeStatus.COMPLETED,
        paid_by=(*charge.paid_by, received.e2e_id),
    )
    return received


def receive_pix(
    bank: Bank, *, txid: str | None, amount: Decimal, payer_cpf: str | None, now: datetime
) -> ReceivedPix:
    """A Pix to our key, of a charge or of none."""
    if amount <= ZERO:
        raise InvalidAmount
    fee = min(bank.rules.receive_fee, amount)
    received = ReceivedPix(
        e2e_id=bank.numbers.received_id(now),
        txid=txid,
        key=bank.our_key,
        amount=amount,
        received_at=now,
        fee=fee,
        payer_cpf=payer_cpf,
    )
    bank.move(amount, fee=fee)
    bank.received[received.e2e_id] = received
    bank.tell(NoticeKind.RECEIVED, documents.pix(received))
    return received


def received_of(bank: Bank, *, e2e_id: str) -> ReceivedPix:
    if e2e_id not in bank.received:
        raise UnknownPix
    return bank.received[e2e_id]


def request_refund(bank: Bank, *, e2e_id: str, refund_id: str, amount: Decimal, now: datetime) -> Refund:
    """UnknownPix, DuplicateRefund, InvalidAmount (beyond what is left of the Pix), BlockedDocument by mode.

    The modes count only refunds that would have been accepted.
    """
    received = received_of(bank, e2e_id=e2e_id)
    if refund_key(e2e_id, refund_id) in bank.refunds:
        raise DuplicateRefund
    taken = sum((one.amount for one in received.refunds if one.status is not RefundStatus.REJECTED), ZERO)
    if not ZERO < amount <= received.amount - taken:
        raise InvalidAmount("O valor da devolução excede o valor disponível do Pix.")
    mode = bank.refund_mode.take()
    if mode is RefundMode.REJECT:
        raise BlockedDocument
    refund = Refund(
        id=refund_id,
        e2e_id=e2e_id,
        return_id=bank.numbers.return_id(now),
        amount=amount,
        requested_at=now,
        fate=RefundStatus.REJECTED if mode is RefundMode.REJECT_LATER else RefundStatus.DONE,
        contradicted=mode is RefundMode.CONTRADICT,
    )
    _keep(bank, refund)
    bank.later(Due.REFUND, e2e_id, refund_id, now=now)
    return refund


def refund_of(bank: Bank, *, e2e_id: str, refund_id: str) -> Refund:
    received_of(bank, e2e_id=e2e_id)
    if refund_key(e2e_id, refund_id) not in bank.refunds:
        raise UnknownRefund
    return bank.refunds[refund_key(e2e_id, refund_id)]


def settle_refund(bank: Bank, *, e2e_id: str, refund_id: str, now: datetime) -> Refund:
    """Take the money, or reject for want of it, and tell."""
    refund = bank.refunds[refund_key(e2e_id, refund_id)]
    reason = _rejection(bank, refund)
    status = RefundStatus.REJECTED if reason else RefundStatus.DONE
    if not reason:
        bank.move(-refund.amount)
    settled = replace(refund, status=status, reason=reason, settled_at=None if reason else now)
    bank.tell(NoticeKind.REFUND, documents.pix(_keep(bank, settled)))
    if settled.contradicted and not reason:
        bank.later(Due.CONTRADICTION, e2e_id, refund_id, now=now)
    return settled


def contradict_refund(bank: Bank, *, e2e_id: str, refund_id: str) -> Refund:
    """Say that a refund that was made was not. Only said: the money stays where it went."""
    refund = replace(
        bank.refunds[refund_key(e2e_id, refund_id)], told=RefundStatus.REJECTED, reason=CONTRADICTION
    )
    bank.tell(NoticeKind.REFUND, documents.pix(_keep(bank, refund)))
    return refund


def _rejection(bank: Bank, refund: Refund) -> str | None:
    if refund.fate is RefundStatus.REJECTED:
        return "Devolução rejeitada pelo PSP do pagador."
    if bank.rules.homologation and refund.amount == HOMOLOGATION_REJECTED:
        return "Devolução rejeitada em homologação."
    if refund.amount > bank.available:
        return "Saldo insuficiente para efetuar a devolução."
    return None


def _keep(bank: Bank, refund: Refund) -> ReceivedPix:
    bank.refunds[refund_key(refund.e2e_id, refund.id)] = refund
    received = bank.received[refund.e2e_id]
    others = tuple(one for one in received.refunds if one.id != refund.id)
    bank.received[refund.e2e_id] = replace(received, refunds=(*others, refund))
    return bank.received[refund.e2e_id]


def _check_payable(charge: Charge, *, force: bool, late: bool, now: datetime) -> None:
    if charge.status is ChargeStatus.COMPLETED:
        if not force:
            raise ChargeNotPayable("the charge is paid already")
    elif not late and (charge.status is ChargeStatus.REMOVED or charge.is_over(now)):
        raise ChargeNotPayable("the charge is removed or its time is over")
