"""Efí in payment's words."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import efi
from efi import (
    ChargeNotActive,
    ChargeNotFound,
    EfiClient,
    EfiError,
    EfiNotFound,
    EfiRefused,
    ReceivedNotFound,
    RefundNotFound,
    StatementNotFound,
)
from payment.adapters.efi_statement import received_movements, reported_movements, sent_movements
from payment.domain.charge import Charge
from payment.domain.devolution import Devolution
from payment.domain.provider import (
    ChargeState,
    ProviderCharge,
    ProviderRefund,
    ProviderRefused,
    ProviderUnclear,
    RefundState,
)
from payment.domain.received import Received
from payment.domain.refund import Refund
from payment.domain.statement import Movement

_CHARGE_STATES: Final = {
    efi.ChargeStatus.ACTIVE: ChargeState.ACTIVE,
    efi.ChargeStatus.COMPLETED: ChargeState.PAID,
    efi.ChargeStatus.REMOVED_BY_RECEIVER: ChargeState.REMOVED,
    efi.ChargeStatus.REMOVED_BY_PSP: ChargeState.REMOVED,
}
_REFUND_STATES: Final = {
    efi.RefundStatus.PROCESSING: RefundState.PROCESSING,
    efi.RefundStatus.DONE: RefundState.DONE,
    efi.RefundStatus.REJECTED: RefundState.REFUSED,
}


class EfiProvider:
    """`pix_key` is ours: a Pix for any other key is another customer's and none of our business."""

    def __init__(self, client: EfiClient, *, pix_key: str) -> None:
        self._client = client
        self._pix_key = pix_key

    async def create_charge(self, charge: Charge, *, now: datetime) -> str:
        left_s = max(int((charge.expires_at - now).total_seconds()), 1)
        with _translated():
            made = await self._client.create_charge(
                charge.txid, amount=charge.amount, expires_s=left_s, message=None
            )
        if not made.copy_paste:
            raise ProviderUnclear("the charge came without its code")
        return made.copy_paste

    async def find_charge(self, txid: str) -> ProviderCharge:
        with _translated():
            return self._charge(await self._client.get_charge(txid))

    async def remove_charge(self, txid: str) -> ProviderCharge:
        with _translated():
            try:
                return self._charge(await self._client.remove_charge(txid))
            except ChargeNotActive:
                return self._charge(await self._client.get_charge(txid))

    async def find_received(self, e2e_id: str) -> Received | None:
        with _translated():
            try:
                pix = await self._client.get_received(e2e_id)
            except ReceivedNotFound:
                return None
        return _received(pix, ours=self._ours(pix))

    async def list_received(self, *, start: datetime, end: datetime) -> AsyncIterator[Received]:
        with _translated():
            async for pix in self._client.list_received(start, end):
                if self._ours(pix):
                    yield _received(pix)

    async def refund(self, refund: Refund) -> ProviderRefund:
        with _translated():
            made = await self._client.refund(refund.e2e_id, refund.efi_id, amount=refund.amount)
        return _refund(made)

    async def find_refund(self, refund: Refund) -> ProviderRefund | None:
        with _translated():
            try:
                return _refund(await self._client.get_refund(refund.e2e_id, refund.efi_id))
            except RefundNotFound:
                return None

    async def movements(self, *, start: datetime, end: datetime) -> AsyncIterator[Movement]:
        with _translated():
            async for pix in self._client.list_received(start, end):
                if self._ours(pix):
                    for movement in received_movements(pix):
                        yield movement
            async for sent in self._client.list_sent(start, end):
                for movement in sent_movements(sent):
                    yield movement

    async def request_report(self, day: date) -> str:
        with _translated():
            return await self._client.request_statement(day)

    async def report(self, name: str) -> Sequence[Movement] | None:
        with _translated():
            try:
                rows = await self._client.statement(name)
            except StatementNotFound as error:
                raise ProviderRefused("relatorio_nao_encontrado") from error
        return None if rows is None else list(reported_movements(rows))

    async def balance(self) -> Decimal:
        with _translated():
            return await self._client.balance()

    async def webhook_url(self) -> str | None:
        with _translated():
            try:
                registered = await self._client.get_webhook()
            except (EfiNotFound, EfiRefused):
                return None
        return None if registered is None else registered.url

    async def register_webhook(self, url: str) -> None:
        with _translated():
            await self._client.register_webhook(url)

    def _ours(self, pix: efi.ReceivedPix) -> bool:
        return pix.key is None or pix.key == self._pix_key

    def _charge(self, charge: efi.Charge) -> ProviderCharge:
        return ProviderCharge(
            state=_CHARGE_STATES[charge.status],
            received=tuple(_received(pix, txid=charge.txid) for pix in charge.received),
        )


def _received(pix: efi.ReceivedPix, *, txid: str | None = None, ours: bool = True) -> Received:
    """`txid`: the charge that lists the Pix; the Pix itself may leave it out there."""
    return Received(
        e2e_id=pix.e2e_id,
        txid=pix.txid or txid,
        amount=pix.amount,
        fee=pix.fee,
        paid_at=pix.paid_at,
        ours=ours,
        devolutions=tuple(
            Devolution(efi_id=refund.refund_id, amount=refund.amount, answer=_refund(refund))
            for refund in pix.refunds
        ),
    )


def _refund(refund: efi.Refund) -> ProviderRefund:
    return ProviderRefund(
        state=_REFUND_STATES[refund.status],
        return_id=refund.return_id or refund.refund_id,
        reason=refund.reason and "refused_by_bank",
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except EfiRefused as error:
        raise ProviderRefused(error.name) from error
    except ChargeNotFound as error:
        raise ProviderRefused("cobranca_nao_encontrada") from error
    except EfiError as error:
        raise ProviderUnclear(type(error).__name__) from error
