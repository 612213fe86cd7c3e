"""Pix arrive, and go back within what arrived."""

from decimal import Decimal

import pytest
from simulator_fakes import KEY, LATER, NOW, TXID, bank, charge, send

from efi_simulator.domain import documents
from efi_simulator.domain.bank import Bank, Overdrawn
from efi_simulator.domain.charging import remove_charge
from efi_simulator.domain.nouns import ChargeStatus, NoticeKind, ReceivedPix, RefundStatus
from efi_simulator.domain.receiving import (
    pay_charge,
    receive_pix,
    received_of,
    refund_of,
    request_refund,
    settle_refund,
)
from efi_simulator.domain.refusals import (
    ChargeNotPayable,
    DuplicateRefund,
    InvalidAmount,
    UnknownCharge,
    UnknownPix,
    UnknownRefund,
)
from efi_simulator.domain.settling import settle

CPF = "52998224725"
AFTER_EXPIRY = NOW.replace(hour=14)


def pay(books: Bank, *, amount: str | None = None, force: bool = False, late: bool = False) -> ReceivedPix:
    return pay_charge(
        books,
        txid=TXID,
        amount=Decimal(amount) if amount else None,
        payer_cpf=CPF,
        force=force,
        late=late,
        now=NOW,
    )


def pix(books: Bank, amount: str = "10.00") -> str:
    return receive_pix(books, txid=None, amount=Decimal(amount), payer_cpf=None, now=NOW).e2e_id


def refund(books: Bank, e2e_id: str, amount: str, *, id: str = "r1") -> None:  # noqa: A002
    request_refund(books, e2e_id=e2e_id, refund_id=id, amount=Decimal(amount), now=NOW)


def test_a_payment_completes_the_charge_and_is_told() -> None:
    books = bank()
    charge(books)
    received = pay(books)
    assert books.charges[TXID].status is ChargeStatus.COMPLETED
    assert books.balance == Decimal("1050.00")
    assert [(one.kind, one.item["endToEndId"]) for one in books.notices] == [
        (NoticeKind.RECEIVED, received.e2e_id)
    ]
    assert documents.cob(books, books.charges[TXID])["pix"][0]["endToEndId"] == received.e2e_id


def test_a_payers_document_is_shown_masked() -> None:
    books = bank()
    charge(books)
    shown = documents.pix(pay(books))
    assert shown["gnExtras"]["pagador"]["cpf"] == "***.982.247-**"
    assert CPF not in str(shown)


def test_a_payment_may_differ_from_the_charge() -> None:
    books = bank()
    charge(books)
    assert pay(books, amount="49.99").amount == Decimal("49.99")


def test_a_paid_charge_is_paid_again_only_by_force() -> None:
    books = bank()
    charge(books)
    pay(books)
    with pytest.raises(ChargeNotPayable):
        pay(books)
    with pytest.raises(ChargeNotPayable):
        pay(books, late=True)
    pay(books, force=True)
    assert len(books.charges[TXID].paid_by) == 2
    assert len(books.received) == 2


def test_a_removed_charge_is_paid_only_by_a_late_payment_and_stays_removed() -> None:
    books = bank()
    charge(books)
    remove_charge(books, txid=TXID)
    with pytest.raises(ChargeNotPayable):
        pay(books, force=True)
    pay(books, late=True)
    assert books.charges[TXID].status is ChargeStatus.REMOVED
    assert len(books.received) == 1


def test_a_charge_whose_time_is_over_is_paid_only_by_a_late_payment() -> None:
    books = bank()
    charge(books, expires_s=60)
    with pytest.raises(ChargeNotPayable):
        pay_charge(books, txid=TXID, amount=None, payer_cpf=None, force=True, now=AFTER_EXPIRY)
    pay_charge(books, txid=TXID, amount=None, payer_cpf=None, late=True, now=AFTER_EXPIRY)
    assert books.charges[TXID].status is ChargeStatus.COMPLETED


def test_nothing_pays_an_unknown_charge() -> None:
    with pytest.raises(UnknownCharge):
        pay(bank())


def test_a_pix_of_nothing_does_not_exist() -> None:
    with pytest.raises(InvalidAmount):
        pix(bank(), "0.00")


def test_a_fee_is_taken_and_shown() -> None:
    books = bank(receive_fee=Decimal("0.60"))
    e2e_id = pix(books)
    assert books.balance == Decimal("1009.40")
    assert books.fees == Decimal("0.60")
    assert documents.pix(received_of(books, e2e_id=e2e_id))["gnExtras"] == {"tarifa": "0.60"}


def test_a_fee_never_exceeds_the_pix() -> None:
    books = bank(receive_fee=Decimal("0.60"))
    pix(books, "0.05")
    assert (books.balance, books.fees) == (Decimal("1000.00"), Decimal("0.05"))


def test_without_a_webhook_nobody_is_told() -> None:
    books = bank(webhook=False)
    pix(books)
    assert not books.notices


def test_a_refund_takes_the_money_when_it_settles() -> None:
    books = bank()
    e2e_id = pix(books)
    refund(books, e2e_id, "4.00")
    assert refund_of(books, e2e_id=e2e_id, refund_id="r1").status is RefundStatus.PROCESSING
    assert books.balance == Decimal("1010.00")

    settle(books, now=LATER)

    settled = refund_of(books, e2e_id=e2e_id, refund_id="r1")
    assert (settled.status, settled.settled_at) == (RefundStatus.DONE, LATER)
    assert books.balance == Decimal("1006.00")
    assert books.notices[-1].kind is NoticeKind.REFUND
    assert [one["status"] for one in books.notices[-1].item["devolucoes"]] == ["DEVOLVIDO"]


def test_a_notice_repeats_all_refunds_of_its_pix() -> None:
    books = bank()
    e2e_id = pix(books)
    refund(books, e2e_id, "4.00", id="r1")
    refund(books, e2e_id, "6.00", id="r2")
    settle(books, now=LATER)
    assert [one["id"] for one in books.notices[-1].item["devolucoes"]] == ["r1", "r2"]
    assert documents.pix(books.received[e2e_id])["devolucoes"][1]["status"] == "DEVOLVIDO"


def test_a_refund_id_is_used_once() -> None:
    books = bank()
    e2e_id = pix(books)
    refund(books, e2e_id, "4.00")
    with pytest.raises(DuplicateRefund):
        refund(books, e2e_id, "4.00")


@pytest.mark.parametrize("amount", ["0.00", "6.01", "10.01"])
def test_no_more_goes_back_than_came(amount: str) -> None:
    books = bank()
    e2e_id = pix(books)
    refund(books, e2e_id, "4.00")
    with pytest.raises(InvalidAmount):
        refund(books, e2e_id, amount, id="r2")
    refund(books, e2e_id, "6.00", id="r2")


def test_a_refund_that_the_balance_does_not_cover_is_rejected_and_may_be_tried_again() -> None:
    books = bank()
    e2e_id = pix(books)
    send(books, "1010.00")
    refund(books, e2e_id, "10.00")
    settle(books, now=LATER)
    rejected = refund_of(books, e2e_id=e2e_id, refund_id="r1")
    assert rejected.status is RefundStatus.REJECTED
    assert "Saldo insuficiente" in documents.devolucao(rejected)["motivo"]
    refund(books, e2e_id, "10.00", id="r2")


def test_homologation_rejects_a_refund_of_one_centavo() -> None:
    books = bank(homologation=True)
    e2e_id = pix(books)
    refund(books, e2e_id, "0.01", id="r1")
    refund(books, e2e_id, "0.02", id="r2")
    settle(books, now=LATER)
    assert [one.status for one in books.refunds.values()] == [RefundStatus.REJECTED, RefundStatus.DONE]


def test_what_does_not_exist_is_not_refunded() -> None:
    books = bank()
    with pytest.raises(UnknownPix):
        refund(books, "E1", "1.00")
    with pytest.raises(UnknownRefund):
        refund_of(books, e2e_id=pix(books), refund_id="r1")


def test_the_books_refuse_to_go_below_zero() -> None:
    books = bank()
    with pytest.raises(Overdrawn):
        books.move(Decimal("-1000.01"))
    with pytest.raises(Overdrawn):
        books.move(Decimal("-1000.00"), fee=Decimal("0.01"))
    assert books.balance == Decimal("1000.00")


def test_a_refund_settles_at_its_own_time() -> None:
    books = bank()
    e2e_id = pix(books)
    refund(books, e2e_id, "1.00")
    assert settle_refund(books, e2e_id=e2e_id, refund_id="r1", now=LATER).settled_at == LATER
    assert books.received[e2e_id].key == KEY
