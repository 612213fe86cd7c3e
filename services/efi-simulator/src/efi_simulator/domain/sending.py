"""Pix that we send, how they end, and what comes back."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from efi_simulator.domain import documents
from efi_simulator.domain.bank import Bank, Due
from efi_simulator.domain.keys import check_key
from efi_simulator.domain.modes import SendMode
from efi_simulator.domain.nouns import NoticeKind, Return, Send, SendStatus
from efi_simulator.domain.refusals import (
    AnswerLost,
    ApplicationError,
    BlockedDocument,
    DuplicateSend,
    InvalidAmount,
    InvalidKey,
    NoWebhook,
    PaymentDenied,
    UnknownSend,
)
from kernel.money import ZERO

HOMOLOGATION_KEY: Final = "efipay@sejaefi.com.br"
HOMOLOGATION_DONE_MAX: Final = Decimal("10.00")
HOMOLOGATION_REJECTED_MAX: Final = Decimal("20.00")
HOMOLOGATION_RETURNS: Final = {
    Decimal("4.00"): (Decimal("2.00"), Decimal("2.00")),
    Decimal("5.00"): (Decimal("5.00"),),
}


def request_send(
    bank: Bank,
    *,
    id_envio: str,
    amount: Decimal,
    payer_key: str,
    key: str,
    document: str | None,
    message: str | None,
    now: datetime,
) -> Send:
    """Accept an order: the money leaves the balance now, the result comes later.

    Raises a BankRefusal when nothing happened, and AnswerLost when the mode says that the answer gets lost
    (TIMEOUT_AFTER: after the order was accepted). The modes count only orders that would have been accepted.
    """
    _check(bank, id_envio=id_envio, amount=amount, payer_key=payer_key, key=key, document=document)
    mode = bank.send_mode.take()
    _misbehave_before(mode)
    fate, returns = _fate(bank, amount, mode)
    send = Send(
        id_envio=id_envio,
        e2e_id=bank.numbers.send_id(now),
        amount=amount,
        key=key,
        message=message,
        requested_at=now,
        fee=bank.rules.send_fee,
        fate=fate,
        returns_due=returns,
    )
    bank.move(-amount, fee=send.fee)
    bank.keep_send(send)
    bank.later(Due.SEND, id_envio, now=now)
    if mode is SendMode.TIMEOUT_AFTER:
        raise AnswerLost
    return send


def send_by_id(bank: Bank, *, id_envio: str) -> Send:
    if id_envio not in bank.sends:
        raise UnknownSend
    return bank.sends[id_envio]


def send_by_e2e_id(bank: Bank, *, e2e_id: str) -> Send:
    send = bank.send_of(e2e_id)
    if send is None:
        raise UnknownSend
    return send


def settle_send(bank: Bank, *, id_envio: str, now: datetime) -> Send:
    """The order ends as it was fated to; a rejected one gives the money and the fee back."""
    send = bank.sends[id_envio]
    settled = replace(send, status=send.fate, settled_at=now)
    if send.fate is SendStatus.REJECTED:
        bank.move(send.amount, fee=-send.fee)
    bank.keep_send(settled)
    for number in range(len(send.returns_due)):
        bank.later(Due.RETURN, id_envio, str(number), now=now)
    bank.tell(NoticeKind.SEND, documents.send_notice(settled, our_key=bank.our_key))
    return settled


def return_send(bank: Bank, *, id_envio: str, number: int, now: datetime) -> Return | None:
    """The receiver gives back the `number`-th part that it was fated to, as far as that is not back yet."""
    send = bank.sends[id_envio]
    amount = min(send.returns_due[number], _left(send))
    return give_back(bank, id_envio=id_envio, amount=amount, now=now) if amount else None


def _left(send: Send) -> Decimal:
    return send.amount - sum((one.amount for one in send.returns), ZERO)


def give_back(bank: Bank, *, id_envio: str, amount: Decimal | None, now: datetime) -> Return:
    """The receiver gives back `amount` (None: all that is left) of a send that went through.

    UnknownSend; InvalidAmount beyond what is left, or of a send that did not go through.
    """
    send = send_by_id(bank, id_envio=id_envio)
    left = _left(send)
    wanted = left if amount is None else amount
    if send.status is not SendStatus.DONE or not ZERO < wanted <= left:
        raise InvalidAmount
    returned = Return(
        e2e_id=send.e2e_id,
        return_id=bank.numbers.return_id(now),
        amount=wanted,
        returned_at=now,
    )
    bank.move(returned.amount)
    bank.returns[returned.return_id] = returned
    send = bank.keep_send(replace(send, returns=(*send.returns, returned)))
    bank.tell(NoticeKind.RETURN, documents.send_notice(send, our_key=bank.our_key))
    return returned


def contradict_send(bank: Bank, *, id_envio: str, status: SendStatus) -> Send:
    """From now on the bank says `status`, whatever happened. Only said: no money moves. UnknownSend."""
    send = bank.keep_send(replace(send_by_id(bank, id_envio=id_envio), told=status))
    if status is not SendStatus.PROCESSING:
        bank.tell(NoticeKind.SEND, documents.send_notice(send, our_key=bank.our_key))
    return send


def _check(
    bank: Bank, *, id_envio: str, amount: Decimal, payer_key: str, key: str, document: str | None
) -> None:
    if id_envio in bank.sends:
        raise DuplicateSend
    if payer_key != bank.our_key:
        raise InvalidKey("A chave do pagador não pertence à conta.")
    if payer_key not in bank.webhooks:
        raise NoWebhook
    if amount <= ZERO:
        raise InvalidAmount
    check_key(key, document=document)
    if bank.rules.homologation:
        _check_homologation(amount=amount, key=key)
    if document in bank.rules.blocked_documents:
        raise BlockedDocument
    if amount + bank.rules.send_fee > bank.available:
        raise PaymentDenied("Saldo insuficiente.")


def _check_homologation(*, amount: Decimal, key: str) -> None:
    if key != HOMOLOGATION_KEY:
        raise InvalidKey
    if amount > HOMOLOGATION_REJECTED_MAX:
        raise PaymentDenied


def _misbehave_before(mode: SendMode) -> None:
    match mode:
        case SendMode.REJECT:
            raise PaymentDenied
        case SendMode.TIMEOUT_BEFORE:
            raise AnswerLost
        case SendMode.ERROR_500:
            raise ApplicationError
        case _:
            return


def _fate(bank: Bank, amount: Decimal, mode: SendMode) -> tuple[SendStatus, tuple[Decimal, ...]]:
    rejected = mode is SendMode.REJECT_LATER or (bank.rules.homologation and amount > HOMOLOGATION_DONE_MAX)
    if rejected:
        return SendStatus.REJECTED, ()
    if mode is SendMode.RETURN_LATER:
        return SendStatus.DONE, (amount,)
    return SendStatus.DONE, HOMOLOGATION_RETURNS.get(amount, ()) if bank.rules.homologation else ()
