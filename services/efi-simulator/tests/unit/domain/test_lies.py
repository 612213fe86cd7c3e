"""What the bank says may not be what happened: only the words change, never the money."""

from datetime import timedelta
from decimal import Decimal

import pytest
from simulator_fakes import KEY, LATER, NOW, bank, charge, send

from efi_simulator.domain import documents
from efi_simulator.domain.bank import Bank
from efi_simulator.domain.charging import Terms, remove_charge, revise_charge
from efi_simulator.domain.modes import RefundMode
from efi_simulator.domain.nouns import ReceivedPix, RefundStatus, SendStatus
from efi_simulator.domain.numbers import Numbers
from efi_simulator.domain.receiving import receive_pix, refund_of, request_refund
from efi_simulator.domain.refusals import BlockedDocument, ChargeNotActive, PaymentDenied, UnknownSend
from efi_simulator.domain.sending import contradict_send, send_by_id
from efi_simulator.domain.settling import settle


def received(books: Bank) -> ReceivedPix:
    return receive_pix(books, txid=None, amount=Decimal("9.00"), payer_cpf=None, now=NOW)


def refunded(mode: RefundMode) -> tuple[Bank, str]:
    books = bank()
    pix = received(books)
    books.refund_mode.set(mode, count=1)
    request_refund(books, e2e_id=pix.e2e_id, refund_id="r1", amount=Decimal("4.00"), now=NOW)
    return books, pix.e2e_id


def told(books: Bank) -> list[str]:
    return [one["status"] for notice in books.notices for one in notice.item.get("devolucoes", [])]


def test_a_refund_is_contradicted_after_it_was_made() -> None:
    books, e2e_id = refunded(RefundMode.CONTRADICT)
    settle(books, now=LATER)
    refund = refund_of(books, e2e_id=e2e_id, refund_id="r1")
    assert (refund.status, refund.shown) == (RefundStatus.DONE, RefundStatus.REJECTED)
    assert documents.devolucao(refund)["status"] == "NAO_REALIZADO"
    assert told(books) == ["DEVOLVIDO", "NAO_REALIZADO"]
    assert books.balance == Decimal("1005.00")


def test_a_refund_that_was_rejected_has_nothing_to_contradict() -> None:
    books, _ = refunded(RefundMode.CONTRADICT)
    books.moved = -books.opening_balance
    settle(books, now=LATER)
    assert told(books) == ["NAO_REALIZADO"]


def test_a_refund_is_rejected_later_and_its_money_stays() -> None:
    books, e2e_id = refunded(RefundMode.REJECT_LATER)
    settle(books, now=LATER)
    assert refund_of(books, e2e_id=e2e_id, refund_id="r1").status is RefundStatus.REJECTED
    assert books.balance == Decimal("1009.00")
    request_refund(books, e2e_id=e2e_id, refund_id="r2", amount=Decimal("9.00"), now=NOW)


def test_a_refund_is_refused_at_once_and_its_id_is_free_again() -> None:
    books = bank()
    pix = received(books)
    books.refund_mode.set(RefundMode.REJECT, count=1)

    def refund() -> None:
        request_refund(books, e2e_id=pix.e2e_id, refund_id="r1", amount=Decimal("4.00"), now=NOW)

    with pytest.raises(BlockedDocument):
        refund()
    assert books.refunds == {}
    refund()


@pytest.mark.parametrize("status", list(SendStatus))
def test_a_send_is_said_to_have_ended_otherwise(status: SendStatus) -> None:
    books = bank()
    send(books)
    settle(books, now=LATER)
    books.notices.clear()
    contradict_send(books, id_envio="envio1", status=status)
    sent = send_by_id(books, id_envio="envio1")
    assert (sent.status, documents.enviado(sent)["status"]) == (SendStatus.DONE, status.value)
    assert [one.item["status"] for one in books.notices] == (
        [] if status is SendStatus.PROCESSING else [status.value]
    )
    assert books.balance == Decimal("987.66")


def test_a_send_that_never_was_cannot_be_contradicted() -> None:
    with pytest.raises(UnknownSend):
        contradict_send(bank(), id_envio="envio1", status=SendStatus.DONE)


def test_blocked_money_cannot_be_sent_or_given_back() -> None:
    books = bank(blocked_by_court=Decimal("900.00"), blocked_by_med=Decimal("100.00"))
    with pytest.raises(PaymentDenied):
        send(books, "0.01")
    pix = received(books)
    books.rules.blocked_by_med = Decimal("109.00")
    request_refund(books, e2e_id=pix.e2e_id, refund_id="r1", amount=Decimal("1.00"), now=NOW)
    settle(books, now=LATER)
    assert refund_of(books, e2e_id=pix.e2e_id, refund_id="r1").status is RefundStatus.REJECTED
    assert books.balance == Decimal("1009.00")


def test_a_blocked_document_neither_pays_nor_is_paid() -> None:
    books = bank(blocked_documents=frozenset({"52998224725"}))
    with pytest.raises(BlockedDocument):
        send(books, document="52998224725")
    charge(books)
    with pytest.raises(BlockedDocument):
        revise_charge(books, txid=next(iter(books.charges)), terms=Terms(debtor={"cpf": "52998224725"}))


@pytest.mark.parametrize("status", [400, 409])
def test_a_charge_that_is_over_is_refused_by_the_status_of_the_rules(status: int) -> None:
    books = bank(inactive_status=status)
    made = charge(books)
    remove_charge(books, txid=made.txid)
    with pytest.raises(ChargeNotActive) as refusal:
        remove_charge(books, txid=made.txid)
    assert refusal.value.answers == status


def test_a_notice_is_owed_until_it_was_told() -> None:
    books = bank()
    received(books)
    (notice,) = books.notices
    assert list(books.undelivered.values()) == [notice]
    books.told(notice)
    books.told(notice)
    assert books.undelivered == {}


def test_books_that_were_filled_again_go_on_where_they_were() -> None:
    before = bank()
    before.rules.settles_after = timedelta(seconds=1)
    pix = received(before)
    send(before)
    after = Bank(our_key=KEY, opening_balance=before.opening_balance, numbers=Numbers("later"))
    for name in ("received", "sends", "undelivered", "agenda", "webhooks"):
        for key, value in getattr(before, name).items():
            getattr(after, name)[key] = value
    after.moved = before.moved
    after.numbers.go_on_after(before.numbers.last)
    after.resume()
    assert [notice.item["endToEndId"] for notice in after.notices] == [pix.e2e_id]
    assert after.next_due_at() == before.next_due_at()
    assert settle(after, now=LATER + timedelta(seconds=1)) == 1
    sent = send_by_id(after, id_envio="envio1")
    assert after.send_of(sent.e2e_id) == sent
    assert sent.status is SendStatus.DONE
    assert after.numbers.next() > before.numbers.last


def test_a_shelf_tells_what_changed_since_the_last_time() -> None:
    books = bank()
    assert set(books.webhooks.take_changed()) == {KEY}
    assert books.webhooks.take_changed() == {}
    del books.webhooks[KEY]
    assert books.webhooks.take_changed() == {KEY: None}
