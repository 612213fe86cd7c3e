"""Received Pix and their refunds (reference §1.4)."""

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal

from efi.calls import Account, not_found, order, pages, query
from efi.errors import (
    EfiMismatch,
    EfiNotFound,
    EfiRefused,
    EfiUnknown,
    EfiUnreachable,
    ReceivedNotFound,
    RefundNotFound,
)
from efi.models import ReceivedPix, Refund
from efi.requests import segment, valor
from efi.wire import DevolucaoWire, PixListWire, PixWire
from kernel.money import money


class Received(Account):
    async def get_received(self, e2e_id: str) -> ReceivedPix:
        """ReceivedNotFound when no such Pix reached us (a Pix that we sent is not one)."""
        path = f"/v2/pix/{segment(e2e_id)}"
        try:
            return (await query(self._transport, "get_received", path, PixWire)).received()
        except EfiRefused as refused:
            raise not_found(refused, ReceivedNotFound, "pix_nao_encontrado") from refused

    async def list_received(
        self,
        start: datetime,
        end: datetime,
        *,
        txid: str | None = None,
        has_txid: bool | None = None,
        has_refunds: bool | None = None,
    ) -> AsyncIterator[ReceivedPix]:
        """Every Pix received from `start` to `end` (aware), page by page; None: whether or not."""
        filters = {"txid": txid, "txIdPresente": _flag(has_txid), "devolucaoPresente": _flag(has_refunds)}
        async for page in pages(
            self._transport, "list_received", "/v2/pix", PixListWire, start=start, end=end, filters=filters
        ):
            for one in page.pix:
                yield one.received()

    async def refund(self, e2e_id: str, refund_id: str, *, amount: Decimal) -> Refund:
        """Give back part or all of a received Pix, or adopt the refund that already has this id.

        EfiMismatch when the id holds another amount.
        """
        path = _refund_path(e2e_id, refund_id)
        try:
            answer = await order(self._transport, "refund", path, {"valor": valor(amount)}, DevolucaoWire)
        except EfiRefused as refused:
            if refused.status != 409:
                raise
            return await self._adopt_refund(e2e_id, refund_id, amount=amount)
        return answer.refund()

    async def _adopt_refund(self, e2e_id: str, refund_id: str, *, amount: Decimal) -> Refund:
        try:
            refund = await self.get_refund(e2e_id, refund_id)
        except (EfiNotFound, EfiUnreachable) as error:
            raise EfiUnknown(f"refund id exists but cannot be read: {error}") from error
        if refund.amount != money(amount):
            raise EfiMismatch("refund id exists with another amount", status=409)
        return refund

    async def get_refund(self, e2e_id: str, refund_id: str) -> Refund:
        """RefundNotFound when the Pix or the refund does not exist."""
        path = _refund_path(e2e_id, refund_id)
        try:
            return (await query(self._transport, "get_refund", path, DevolucaoWire)).refund()
        except EfiRefused as refused:
            names = ("devolucao_nao_encontrada", "pix_nao_encontrado")
            raise not_found(refused, RefundNotFound, *names) from refused


def _refund_path(e2e_id: str, refund_id: str) -> str:
    return f"/v2/pix/{segment(e2e_id)}/devolucao/{segment(refund_id)}"


def _flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()
