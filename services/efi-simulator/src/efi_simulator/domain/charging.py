"""Immediate charges: create, revise, remove."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from efi_simulator.domain.bank import Bank, Due
from efi_simulator.domain.nouns import Charge, ChargeStatus
from efi_simulator.domain.refusals import (
    BlockedDocument,
    ChargeNotActive,
    DuplicateTxid,
    InvalidAmount,
    InvalidKey,
    UnknownCharge,
)
from kernel.money import ZERO

AUTO_PAID_MAX = Decimal("10.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a request says about a charge; None keeps what was."""

    amount: Decimal | None = None
    key: str | None = None
    expires_s: int | None = None
    message: str | None = None
    debtor: Mapping[str, str] | None = None
    info: tuple[Mapping[str, str], ...] | None = None


def create_charge(
    bank: Bank,
    *,
    txid: str,
    amount: Decimal,
    terms: Terms,
    expires_s: int,
    location: str,
    copy_paste: str,
    now: datetime,
) -> Charge:
    """A new active charge. DuplicateTxid, InvalidKey (not ours), InvalidAmount."""
    if txid in bank.charges:
        raise DuplicateTxid
    _check(bank, terms)
    charge = Charge(
        txid=txid,
        amount=amount,
        key=bank.our_key,
        created_at=now,
        expires_s=expires_s,
        location_id=bank.numbers.next(),
        location=location,
        copy_paste=copy_paste,
        message=terms.message,
        debtor=terms.debtor,
        info=terms.info or (),
    )
    bank.charges[txid] = charge
    if bank.rules.homologation and amount <= AUTO_PAID_MAX:
        bank.later(Due.AUTO_PAYMENT, txid, now=now)
    return charge


def charge_of(bank: Bank, *, txid: str, revision: int | None = None) -> Charge:
    """UnknownCharge, also for a revision that is not the present one: older ones are not kept."""
    charge = bank.charges.get(txid)
    if charge is None or revision not in (None, charge.revision):
        raise UnknownCharge
    return charge


def revise_charge(bank: Bank, *, txid: str, terms: Terms) -> Charge:
    """Other terms for an active charge, one revision on."""
    charge = _active(bank, txid)
    _check(bank, terms)
    return _keep(
        bank,
        replace(
            charge,
            amount=charge.amount if terms.amount is None else terms.amount,
            expires_s=charge.expires_s if terms.expires_s is None else terms.expires_s,
            message=charge.message if terms.message is None else terms.message,
            debtor=charge.debtor if terms.debtor is None else terms.debtor,
            info=charge.info if terms.info is None else terms.info,
            revision=charge.revision + 1,
        ),
    )


def remove_charge(bank: Bank, *, txid: str) -> Charge:
    """Nobody can pay it any more. ChargeNotActive when it is paid or removed already."""
    charge = _active(bank, txid)
    return _keep(bank, replace(charge, status=ChargeStatus.REMOVED, revision=charge.revision + 1))


def _active(bank: Bank, txid: str) -> Charge:
    charge = charge_of(bank, txid=txid)
    if charge.status is not ChargeStatus.ACTIVE:
        raise ChargeNotActive(status=bank.rules.inactive_status)
    return charge


def _check(bank: Bank, terms: Terms) -> None:
    if terms.key not in (None, bank.our_key):
        raise InvalidKey("A chave informada não pertence à conta.")
    if terms.amount is not None and terms.amount <= ZERO:
        raise InvalidAmount
    if set((terms.debtor or {}).values()) & bank.rules.blocked_documents:
        raise BlockedDocument


def _keep(bank: Bank, charge: Charge) -> Charge:
    bank.charges[charge.txid] = charge
    return charge
