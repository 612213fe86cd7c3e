"""Efí's answers in payment's words."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

import pytest
from payment_fakes import NOW

import efi
from payment.adapters.efi import EfiProvider
from payment.domain.devolution import Devolution, ProviderRefund, RefundState
from payment.domain.provider import ProviderRefused, ProviderUnclear

OURS = "11111111-2222-4333-8444-555555555555"


def a_pix(*, key: str | None = OURS, refunds: tuple[efi.Refund, ...] = ()) -> efi.ReceivedPix:
    return efi.ReceivedPix(
        e2e_id="E1", txid="t", key=key, amount=Decimal("50.00"), paid_at=NOW, refunds=refunds
    )


class FakeClient:
    """Answers what a test puts in; an exception is raised."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def _give(self, *_: object) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    get_received = request_statement = statement = balance = _give

    async def list_received(self, start: datetime, end: datetime) -> AsyncIterator[efi.ReceivedPix]:
        for pix in await self._give():
            yield pix

    async def list_sent(self, start: datetime, end: datetime) -> AsyncIterator[efi.Send]:
        for sent in ():
            yield sent


def provider(answer: Any) -> EfiProvider:
    return EfiProvider(cast(efi.EfiClient, FakeClient(answer)), pix_key=OURS)


@pytest.mark.parametrize(("key", "ours"), [(OURS, True), (None, True), ("other@example.com", False)])
async def test_a_pix_of_another_key_is_known_as_such_and_not_listed(key: str | None, ours: bool) -> None:
    """Efí leaves the key out for transfers to the account itself: those are ours."""
    pix = a_pix(key=key)
    found = await provider(pix).find_received("E1")
    assert found is not None
    assert found.ours is ours
    listed = [one async for one in provider([pix]).list_received(start=NOW, end=NOW)]
    assert len(listed) == ours
    assert len([m async for m in provider([pix]).movements(start=NOW, end=NOW)]) == ours


async def test_what_goes_back_is_named_even_where_efi_names_no_return() -> None:
    refunds = (
        efi.Refund(
            refund_id="1",
            return_id=None,
            amount=Decimal("1.00"),
            status=efi.RefundStatus.DONE,
            settled_at=NOW,
        ),
        efi.Refund(
            refund_id="2",
            return_id="D2",
            amount=Decimal("2.00"),
            status=efi.RefundStatus.REJECTED,
            reason="Saldo insuficiente de Fulano",
        ),
    )
    found = await provider(a_pix(refunds=refunds)).find_received("E1")
    assert found is not None
    assert found.devolutions == (
        Devolution(
            efi_id="1", amount=Decimal("1.00"), answer=ProviderRefund(state=RefundState.DONE, return_id="1")
        ),
        Devolution(
            efi_id="2",
            amount=Decimal("2.00"),
            answer=ProviderRefund(state=RefundState.REFUSED, return_id="D2", reason="refused_by_bank"),
        ),
    )
    moved = [m async for m in provider([a_pix(refunds=refunds)]).movements(start=NOW, end=NOW)]
    assert [(m.line_id, m.return_id) for m in moved] == [("received:E1", None), ("refund:E1:1", None)]


async def test_a_pix_that_efi_does_not_know_is_none() -> None:
    assert await provider(efi.ReceivedNotFound("pix_nao_encontrado")).find_received("E1") is None


async def test_a_report_is_asked_for_awaited_and_read() -> None:
    assert await provider("r1").request_report(date(2026, 11, 23)) == "r1"
    assert await provider(None).report("r1") is None
    row = efi.StatementRow(
        kind=efi.StatementKind.PIX_RECEIVED, amount=Decimal("50.00"), occurred_at=NOW, e2e_id="E1"
    )
    movements = await provider((row,)).report("r1")
    assert movements is not None
    assert [movement.line_id for movement in movements] == ["received:E1"]
    with pytest.raises(ProviderRefused):
        await provider(efi.StatementNotFound("r1")).report("r1")
    with pytest.raises(ProviderUnclear):
        await provider(efi.EfiUnknown("unreadable")).report("r1")


async def test_the_balance_is_efis() -> None:
    assert await provider(Decimal("7.00")).balance() == Decimal("7.00")
