"""Charges are created once, revised and removed while active."""

from datetime import timedelta
from decimal import Decimal

import pytest
from simulator_fakes import KEY, LATER, NOW, TXID, bank, charge

from efi_simulator.domain import documents
from efi_simulator.domain.charging import Terms, charge_of, create_charge, remove_charge, revise_charge
from efi_simulator.domain.nouns import ChargeStatus
from efi_simulator.domain.receiving import pay_charge
from efi_simulator.domain.refusals import (
    ChargeNotActive,
    DuplicateTxid,
    InvalidAmount,
    InvalidKey,
    UnknownCharge,
)
from efi_simulator.domain.settling import settle


def test_a_new_charge_is_active() -> None:
    books = bank()
    made = charge(books)
    assert (made.status, made.revision) == (ChargeStatus.ACTIVE, 0)
    assert charge_of(books, txid=TXID) == made
    assert documents.cob(books, made)["status"] == "ATIVA"


def test_a_txid_is_used_once() -> None:
    books = bank()
    charge(books)
    with pytest.raises(DuplicateTxid):
        charge(books)


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        (Terms(key="other@example.com"), InvalidKey),
        (Terms(amount=Decimal("0.00")), InvalidAmount),
    ],
)
def test_impossible_terms_are_refused(terms: Terms, refusal: type[Exception]) -> None:
    books = bank()
    with pytest.raises(refusal):
        create_charge(
            books,
            txid=TXID,
            amount=Decimal("1.00"),
            terms=terms,
            expires_s=60,
            location="x",
            copy_paste="x",
            now=NOW,
        )
    assert books.charges == {}
    charge(books)
    with pytest.raises(refusal):
        revise_charge(books, txid=TXID, terms=terms)


def test_a_revision_changes_what_it_names_and_counts() -> None:
    books = bank()
    before = charge(books)
    after = revise_charge(
        books,
        txid=TXID,
        terms=Terms(
            amount=Decimal("60.00"),
            key=KEY,
            expires_s=60,
            message="Oi",
            debtor={"nome": "M"},
            info=({"nome": "a", "valor": "b"},),
        ),
    )
    assert (after.revision, after.amount, after.expires_s) == (1, Decimal("60.00"), 60)
    assert (after.message, after.debtor, after.created_at) == ("Oi", {"nome": "M"}, before.created_at)
    assert revise_charge(books, txid=TXID, terms=Terms()).amount == Decimal("60.00")


def test_only_the_present_revision_is_kept() -> None:
    books = bank()
    charge(books)
    revise_charge(books, txid=TXID, terms=Terms(message="Oi"))
    assert charge_of(books, txid=TXID, revision=1).message == "Oi"
    with pytest.raises(UnknownCharge):
        charge_of(books, txid=TXID, revision=0)


def test_a_removed_charge_stays_removed() -> None:
    books = bank()
    charge(books)
    assert remove_charge(books, txid=TXID).status is ChargeStatus.REMOVED
    with pytest.raises(ChargeNotActive):
        remove_charge(books, txid=TXID)
    with pytest.raises(ChargeNotActive):
        revise_charge(books, txid=TXID, terms=Terms(message="Oi"))


def test_a_paid_charge_can_be_neither_removed_nor_revised() -> None:
    books = bank()
    charge(books)
    pay_charge(books, txid=TXID, amount=None, payer_cpf=None, now=NOW)
    with pytest.raises(ChargeNotActive):
        remove_charge(books, txid=TXID)
    with pytest.raises(ChargeNotActive):
        revise_charge(books, txid=TXID, terms=Terms(message="Oi"))


def test_an_unknown_charge_can_be_neither_read_nor_removed() -> None:
    with pytest.raises(UnknownCharge):
        charge_of(bank(), txid=TXID)
    with pytest.raises(UnknownCharge):
        remove_charge(bank(), txid=TXID)


def test_a_charge_whose_time_is_over_still_reads_active_and_can_be_removed() -> None:
    books = bank()
    made = charge(books, expires_s=60)
    assert not made.is_over(NOW + timedelta(seconds=59))
    assert made.is_over(NOW + timedelta(seconds=60))
    assert documents.cob(books, made)["status"] == "ATIVA"
    assert remove_charge(books, txid=TXID).status is ChargeStatus.REMOVED


@pytest.mark.parametrize(("amount", "paid"), [("0.01", True), ("10.00", True), ("10.01", False)])
def test_homologation_pays_small_charges_by_itself(amount: str, paid: bool) -> None:
    books = bank(homologation=True)
    charge(books, amount)
    settle(books, now=LATER)
    assert (books.charges[TXID].status is ChargeStatus.COMPLETED) is paid
    assert len(books.notices) == (1 if paid else 0)


def test_homologation_pays_no_charge_that_was_removed_meanwhile() -> None:
    books = bank(homologation=True)
    charge(books, "5.00")
    remove_charge(books, txid=TXID)
    settle(books, now=LATER)
    assert books.received == {}


def test_without_homologation_nobody_pays_by_himself() -> None:
    books = bank()
    charge(books, "5.00")
    assert settle(books, now=LATER) == 0
