"""Immediate charges (reference §1.2)."""

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal

from efi.answers import read
from efi.calls import Account, not_found, order, pages, query
from efi.errors import ChargeNotActive, ChargeNotFound, EfiNotFound, EfiRefused, EfiUnknown, EfiUnreachable
from efi.models import Charge, ChargeStatus
from efi.requests import Request, charge_body, segment
from efi.wire import CobListWire, CobWire
from kernel.money import money


class Charges(Account):
    async def create_charge(
        self, txid: str, *, amount: Decimal, expires_s: int, message: str | None = None
    ) -> Charge:
        """Create the charge, or adopt the one that already has this txid, amount and our key.

        EfiRefused("txid_duplicado") when the txid belongs to another charge than this.
        """
        body = charge_body(self._key, amount=amount, expires_s=expires_s, message=message)
        path = f"/v2/cob/{segment(txid)}"
        try:
            answer = await order(self._transport, "create_charge", path, body, CobWire)
        except EfiRefused as refused:
            if refused.status != 409:
                raise
            return await self._adopt_charge(txid, amount=amount, refused=refused)
        return answer.charge()

    async def _adopt_charge(self, txid: str, *, amount: Decimal, refused: EfiRefused) -> Charge:
        try:
            charge = await self.get_charge(txid)
        except (EfiNotFound, EfiUnreachable) as error:
            raise EfiUnknown(f"txid exists but cannot be read: {error}") from error
        if (charge.amount, charge.key) != (money(amount), self._key):
            raise refused
        return charge

    async def get_charge(self, txid: str) -> Charge:
        """ChargeNotFound when there is none. An expired charge still reads ACTIVE."""
        try:
            return (await query(self._transport, "get_charge", f"/v2/cob/{segment(txid)}", CobWire)).charge()
        except EfiRefused as refused:
            raise not_found(refused, ChargeNotFound, "cobranca_nao_encontrada") from refused

    async def list_charges(
        self, start: datetime, end: datetime, *, status: ChargeStatus | None = None
    ) -> AsyncIterator[Charge]:
        """Every charge created from `start` to `end` (aware), of that status only, page by page."""
        async for page in pages(
            self._transport,
            "list_charges",
            "/v2/cob",
            CobListWire,
            start=start,
            end=end,
            filters={"status": status},
        ):
            for one in page.cobs:
                yield one.charge()

    async def remove_charge(self, txid: str) -> Charge:
        """Take the charge back so that nobody can pay it. ChargeNotActive: it is paid or removed already."""
        try:
            response = await self._transport.call(
                Request(
                    operation="remove_charge",
                    method="PATCH",
                    path=f"/v2/cob/{segment(txid)}",
                    json={"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"},
                    # After a lost answer a repeat would say "not active" whoever ended the charge.
                    repeatable=False,
                )
            )
        except EfiRefused as refused:
            if refused.name == "status_cobranca_invalido":
                raise ChargeNotActive(
                    refused.name, refused.status, refused.detail, raw=refused.raw
                ) from refused
            raise
        return read(response, CobWire).charge()
