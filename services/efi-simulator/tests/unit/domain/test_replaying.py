"""A replay tells each thing once more, or nothing at all."""

from datetime import timedelta
from decimal import Decimal

import pytest
from simulator_fakes import LATER, NOW, bank, send

from efi_simulator.domain.bank import Bank
from efi_simulator.domain.modes import SendMode
from efi_simulator.domain.nouns import NoticeKind, StatementKind
from efi_simulator.domain.receiving import receive_pix, request_refund
from efi_simulator.domain.refusals import InvalidReplay
from efi_simulator.domain.replaying import replay
from efi_simulator.domain.settling import settle

MONTH_LATER = NOW + timedelta(days=31)


@pytest.fixture
def books() -> Bank:
    made = bank()
    receive_pix(made, txid="static1", amount=Decimal("9.00"), payer_cpf=None, now=NOW)
    made.send_mode.set(SendMode.RETURN_LATER, count=1)
    send(made)
    return made


def settled(books: Bank) -> tuple[str, str]:
    """The endToEndIds of the received Pix, refunded in part, and of the send, returned; nothing left to tell."""
    (received,), (sent,) = books.received.values(), books.sends.values()
    request_refund(books, e2e_id=received.e2e_id, refund_id="r1", amount=Decimal("4.00"), now=NOW)
    settle(books, now=LATER)
    books.notices.clear()
    return received.e2e_id, sent.e2e_id


@pytest.mark.parametrize(
    ("kind", "is_ours", "notice", "has_refunds"),
    [
        (StatementKind.PIX_RECEIVED, False, NoticeKind.RECEIVED, False),
        (StatementKind.REFUND_SENT, False, NoticeKind.REFUND, True),
        (StatementKind.PIX_SENT, True, NoticeKind.SEND, False),
        (StatementKind.RETURN_RECEIVED, True, NoticeKind.RETURN, True),
    ],
)
def test_it_is_told_once_more(
    books: Bank, kind: StatementKind, is_ours: bool, notice: NoticeKind, has_refunds: bool
) -> None:
    e2e_id = settled(books)[is_ours]
    replay(books, kind=kind, e2e_ids=[e2e_id], now=LATER)
    (told,) = books.notices
    assert (told.kind, told.once, told.item["endToEndId"]) == (notice, True, e2e_id)
    assert ("devolucoes" in told.item) == has_refunds


@pytest.mark.parametrize("kind", [kind for kind in StatementKind if kind is not StatementKind.FEE])
def test_what_is_unknown_or_old_stops_the_whole_replay(books: Bank, kind: StatementKind) -> None:
    known = settled(books)[kind in (StatementKind.PIX_SENT, StatementKind.RETURN_RECEIVED)]
    with pytest.raises(InvalidReplay):
        replay(books, kind=kind, e2e_ids=[known, "E1"], now=LATER)
    with pytest.raises(InvalidReplay):
        replay(books, kind=kind, e2e_ids=[known], now=MONTH_LATER)
    assert not books.notices


@pytest.mark.parametrize(
    "kind", [StatementKind.REFUND_SENT, StatementKind.PIX_SENT, StatementKind.RETURN_RECEIVED]
)
def test_what_has_not_happened_yet_cannot_be_told_again(books: Bank, kind: StatementKind) -> None:
    (received,), (sent,) = books.received.values(), books.sends.values()
    e2e_id = received.e2e_id if kind is StatementKind.REFUND_SENT else sent.e2e_id
    with pytest.raises(InvalidReplay):
        replay(books, kind=kind, e2e_ids=[e2e_id], now=LATER)
