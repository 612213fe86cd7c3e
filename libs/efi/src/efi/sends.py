"""Pix that we send (reference §1.5)."""

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal

from efi.answers import read
from efi.calls import Account, not_found, pages, query
from efi.errors import EfiMismatch, EfiNotFound, EfiRefused, EfiUnknown, EfiUnreachable, SendNotFound
from efi.models import Send
from efi.requests import Request, segment, send_body
from efi.wire import EnviadoListWire, EnviadoWire
from kernel.money import money


class Sends(Account):
    async def send(
        self,
        id_envio: str,
        *,
        amount: Decimal,
        key: str,
        document: str | None = None,
        message: str | None = None,
    ) -> Send:
        """Send a Pix to `key`; with `document` (CPF or CNPJ, digits) Efí checks that it owns the key.

        The result comes later: poll `get_send`. Repeating the call with the same `id_envio` is safe and
        adopts what is there; another id for the same money never is. Nothing is repeated in here after an
        unknown result. EfiMismatch when the id holds another amount or key.
        """
        request = Request(
            operation="send",
            method="PUT",
            path=f"/v3/gn/pix/{segment(id_envio)}",
            json=send_body(self._key, amount=amount, key=key, document=document, message=message),
            repeatable=False,
            read_timeout_s=self._send_timeout_s,
        )
        try:
            response = await self._transport.call(request)
        except EfiRefused as refused:
            if refused.status != 409:
                raise
            return await self._adopt_send(id_envio, amount=amount, key=key)
        return read(response, EnviadoWire).send()

    async def _adopt_send(self, id_envio: str, *, amount: Decimal, key: str) -> Send:
        try:
            send = await self.get_send(id_envio)
        except (EfiNotFound, EfiUnreachable) as error:
            raise EfiUnknown(f"idEnvio exists but cannot be read: {error}") from error
        if send.amount != money(amount) or send.key not in (None, key):
            raise EfiMismatch("idEnvio exists with another amount or key", status=409)
        return send

    async def get_send(self, id_envio: str) -> Send:
        """SendNotFound when Efí does not know the id: right after an unknown result that proves nothing."""
        return await self._send_at(f"/v2/gn/pix/enviados/id-envio/{segment(id_envio)}")

    async def get_send_by_e2e_id(self, e2e_id: str) -> Send:
        """SendNotFound as in `get_send`."""
        return await self._send_at(f"/v2/gn/pix/enviados/{segment(e2e_id)}")

    async def _send_at(self, path: str) -> Send:
        try:
            return (await query(self._transport, "get_send", path, EnviadoWire)).send()
        except EfiRefused as refused:
            raise not_found(refused, SendNotFound, "PixEnviadoNaoEncontrado") from refused

    async def list_sent(self, start: datetime, end: datetime) -> AsyncIterator[Send]:
        """Every Pix sent from `start` to `end` (aware), page by page."""
        path = "/v2/gn/pix/enviados"
        async for page in pages(self._transport, "list_sent", path, EnviadoListWire, start=start, end=end):
            for one in page.pix:
                yield one.send()
