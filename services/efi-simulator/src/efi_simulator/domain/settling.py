"""What happens by itself when its time has come."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from efi_simulator.domain.bank import Bank, Due
from efi_simulator.domain.nouns import ChargeStatus
from efi_simulator.domain.receiving import contradict_refund, pay_charge, settle_refund
from efi_simulator.domain.sending import return_send, settle_send


def settle(bank: Bank, *, now: datetime) -> int:
    """Do everything that is due by `now`, in order; how much that was."""
    count = 0
    while (thing := bank.take_due(now)) is not None:
        HANDLERS[thing.due](bank, *thing.ids, now=now)
        count += 1
    return count


def _auto_payment(bank: Bank, txid: str, *, now: datetime) -> None:
    charge = bank.charges[txid]
    if charge.status is ChargeStatus.ACTIVE and not charge.is_over(now):
        pay_charge(bank, txid=txid, amount=None, payer_cpf=None, now=now)


def _refund(bank: Bank, e2e_id: str, refund_id: str, *, now: datetime) -> None:
    settle_refund(bank, e2e_id=e2e_id, refund_id=refund_id, now=now)


def _send(bank: Bank, id_envio: str, *, now: datetime) -> None:
    settle_send(bank, id_envio=id_envio, now=now)


def _return(bank: Bank, id_envio: str, number: str, *, now: datetime) -> None:
    return_send(bank, id_envio=id_envio, number=int(number), now=now)


def _contradiction(bank: Bank, e2e_id: str, refund_id: str, *, now: datetime) -> None:
    contradict_refund(bank, e2e_id=e2e_id, refund_id=refund_id)


HANDLERS: Final[Mapping[Due, Callable[..., None]]] = {
    Due.AUTO_PAYMENT: _auto_payment,
    Due.REFUND: _refund,
    Due.SEND: _send,
    Due.RETURN: _return,
    Due.CONTRADICTION: _contradiction,
}
