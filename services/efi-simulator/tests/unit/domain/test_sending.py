"""Sends: what is refused, how they end, what comes back, and each way to lose an answer."""

from datetime import timedelta
from decimal import Decimal

import pytest
from simulator_fakes import DRIVER_KEY, KEY, LATER, NOW, bank, send

from efi_simulator.domain import documents
from efi_simulator.domain.bank import Bank
from efi_simulator.domain.modes import SendMode
from efi_simulator.domain.nouns import NoticeKind, SendStatus
from efi_simulator.domain.refusals import (
    AnswerLost,
    ApplicationError,
    BankRefusal,
    DuplicateSend,
    InvalidAmount,
    InvalidKey,
    KeyOfAnotherDocument,
    NoWebhook,
    PaymentDenied,
    UnknownSend,
)
from efi_simulator.domain.sending import HOMOLOGATION_KEY, give_back, send_by_e2e_id, send_by_id
from efi_simulator.domain.settling import settle

THOUSAND = Decimal("1000.00")


def status(books: Bank, id_envio: str = "envio1") -> SendStatus:
    return send_by_id(books, id_envio=id_envio).status


def test_a_send_takes_the_money_now_and_ends_later() -> None:
    books = bank()
    made = send(books)
    assert (made.status, books.balance) == (SendStatus.PROCESSING, Decimal("987.66"))
    settle(books, now=LATER)
    assert status(books) is SendStatus.DONE
    assert [one.kind for one in books.notices] == [NoticeKind.SEND]
    assert books.notices[0].item["gnExtras"] == {"idEnvio": "envio1"}
    assert send_by_e2e_id(books, e2e_id=made.e2e_id).id_envio == "envio1"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"payer_key": "other@example.com"}, InvalidKey),
        ({"amount": "0.00"}, InvalidAmount),
        ({"amount": "1000.01"}, PaymentDenied),
        ({"key": "nobody"}, InvalidKey),
        ({"key": "52998224724"}, InvalidKey),
        ({"key": "11987654321"}, InvalidKey),
        ({"key": "+551198765432"}, InvalidKey),
        ({"key": "Driver@Example.com"}, InvalidKey),
        ({"key": "52998224725", "document": "11144477735"}, KeyOfAnotherDocument),
        ({"key": "11222333000181", "document": "52998224725"}, KeyOfAnotherDocument),
    ],
)
def test_a_send_that_cannot_be_is_refused_and_moves_nothing(
    changes: dict[str, str], refusal: type[BankRefusal]
) -> None:
    books = bank()
    with pytest.raises(refusal):
        send(books, **changes)
    assert (books.balance, books.sends) == (THOUSAND, {})


@pytest.mark.parametrize(
    ("key", "document"),
    [
        ("52998224725", "52998224725"),
        ("52998224725", None),
        ("11222333000181", "11222333000181"),
        ("+5511987654321", "52998224725"),
        ("driver@example.com", "52998224725"),
        ("123e4567-e12b-12d1-a456-426655440000", None),
    ],
)
def test_every_kind_of_key_is_paid(key: str, document: str | None) -> None:
    assert send(bank(), key=key, document=document).key == key


def test_a_send_needs_a_webhook_on_the_paying_key() -> None:
    with pytest.raises(NoWebhook):
        send(bank(webhook=False))


def test_an_id_is_used_once_whatever_else_is_asked() -> None:
    books = bank()
    send(books)
    with pytest.raises(DuplicateSend):
        send(books, "99999.00", key="nobody")


def test_a_fee_is_taken_with_the_send_and_told() -> None:
    books = bank(send_fee=Decimal("0.50"))
    send(books)
    assert (books.balance, books.fees) == (Decimal("987.16"), Decimal("0.50"))
    settle(books, now=LATER)
    assert documents.enviado(books.sends["envio1"])["gnExtras"] == {"tarifa": "0.50"}
    assert books.notices[0].item["gnExtras"] == {"idEnvio": "envio1", "tarifa": "0.50"}


def test_the_balance_must_cover_the_fee_too() -> None:
    books = bank(send_fee=Decimal("0.50"))
    with pytest.raises(PaymentDenied):
        send(books, "999.51")
    send(books, "999.50")


def test_a_send_that_is_rejected_later_gives_money_and_fee_back() -> None:
    books = bank(send_fee=Decimal("0.50"))
    books.send_mode.set(SendMode.REJECT_LATER, count=1)
    send(books)
    settle(books, now=LATER)
    assert status(books) is SendStatus.REJECTED
    assert (books.balance, books.fees) == (THOUSAND, Decimal("0.00"))
    item = books.notices[0].item
    assert (item["status"], item["horario"]) == ("NAO_REALIZADO", None)
    assert item["gnExtras"]["erro"]["codigo"] == "AC03"
    assert documents.enviado(books.sends["envio1"])["erro"]["codigo"] == "AC03"


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        (SendMode.REJECT, PaymentDenied),
        (SendMode.TIMEOUT_BEFORE, AnswerLost),
        (SendMode.ERROR_500, ApplicationError),
    ],
)
def test_these_modes_fail_before_anything_happens_and_then_pass(
    mode: SendMode, error: type[Exception]
) -> None:
    books = bank()
    books.send_mode.set(mode, count=2)
    for _ in range(2):
        with pytest.raises(error):
            send(books)
        assert (books.balance, books.sends) == (THOUSAND, {})
    send(books)


def test_the_answer_can_get_lost_after_the_money_moved() -> None:
    books = bank()
    books.send_mode.set(SendMode.TIMEOUT_AFTER, count=1)
    with pytest.raises(AnswerLost):
        send(books)
    assert books.balance == Decimal("987.66")
    with pytest.raises(DuplicateSend):
        send(books)
    settle(books, now=LATER)
    assert status(books) is SendStatus.DONE


def test_a_refused_order_does_not_use_up_the_mode() -> None:
    books = bank()
    books.send_mode.set(SendMode.REJECT, count=1)
    with pytest.raises(InvalidAmount):
        send(books, "0.00")
    with pytest.raises(PaymentDenied):
        send(books)


def test_a_returned_send_stays_done_and_the_money_is_back() -> None:
    books = bank()
    books.send_mode.set(SendMode.RETURN_LATER, count=1)
    made = send(books)
    settle(books, now=LATER)
    assert status(books) is SendStatus.DONE
    assert books.balance == THOUSAND
    assert [(one.e2e_id, one.amount) for one in books.returns.values()] == [(made.e2e_id, Decimal("12.34"))]
    assert [one.kind for one in books.notices] == [NoticeKind.SEND, NoticeKind.RETURN]
    assert books.notices[1].item["devolucoes"][0]["valor"] == "12.34"
    assert documents.enviado(books.sends["envio1"])["devolucoes"][0]["status"] == "DEVOLVIDO"


@pytest.mark.parametrize("amount", ["0.00", "12.35"])
def test_no_more_comes_back_than_went(amount: str) -> None:
    books = bank()
    send(books)
    settle(books, now=LATER)
    with pytest.raises(InvalidAmount):
        give_back(books, id_envio="envio1", amount=Decimal(amount), now=LATER)


def test_what_is_back_already_does_not_come_back_again() -> None:
    books = bank()
    books.rules.settles_after = timedelta(seconds=1)
    books.send_mode.set(SendMode.RETURN_LATER, count=1)
    send(books)
    settle(books, now=LATER)
    give_back(books, id_envio="envio1", amount=None, now=LATER)
    settle(books, now=LATER + timedelta(seconds=1))
    assert books.balance == THOUSAND
    assert len(books.returns) == 1


def test_nothing_comes_back_of_a_send_on_its_way() -> None:
    books = bank()
    send(books)
    with pytest.raises(InvalidAmount):
        give_back(books, id_envio="envio1", amount=None, now=NOW)


@pytest.mark.parametrize(
    ("amount", "ends", "returns"),
    [
        ("0.01", SendStatus.DONE, []),
        ("4.00", SendStatus.DONE, ["2.00", "2.00"]),
        ("5.00", SendStatus.DONE, ["5.00"]),
        ("10.00", SendStatus.DONE, []),
        ("10.01", SendStatus.REJECTED, []),
        ("20.00", SendStatus.REJECTED, []),
    ],
)
def test_homologation_decides_by_the_amount(amount: str, ends: SendStatus, returns: list[str]) -> None:
    books = bank(homologation=True)
    send(books, amount, key=HOMOLOGATION_KEY)
    settle(books, now=LATER)
    assert status(books) is ends
    assert [f"{one.amount}" for one in books.returns.values()] == returns


def test_homologation_refuses_more_than_twenty_reais_at_once() -> None:
    books = bank(homologation=True)
    with pytest.raises(PaymentDenied):
        send(books, "20.01", key=HOMOLOGATION_KEY)
    assert not books.notices


def test_homologation_knows_one_key_only() -> None:
    with pytest.raises(InvalidKey):
        send(bank(homologation=True), "1.00", key=DRIVER_KEY)


def test_an_unknown_send_is_not_found() -> None:
    books = bank()
    with pytest.raises(UnknownSend):
        send_by_id(books, id_envio="envio1")
    with pytest.raises(UnknownSend):
        send_by_e2e_id(books, e2e_id="E1")


def test_an_accepted_send_is_shown_as_processing_with_the_older_name_of_its_id() -> None:
    made = send(bank())
    assert documents.accepted_send(made) == {
        "idEnvio": "envio1",
        "e2eId": made.e2e_id,
        "valor": "12.34",
        "horario": {"solicitacao": documents.horario(NOW)},
        "status": "EM_PROCESSAMENTO",
    }
    assert KEY not in str(documents.enviado(made))
