"""The Efí Pix client. Every method raises `EfiError`s only; `efi.errors` says what each means.

Amounts are `Decimal` reais, ids are ours and never changed here. Source: the reference on Efí's Pix API, §1.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Final, Self, TypeVar

from efi.answers import read
from efi.channel import Channels, Connect, connect_with_mtls
from efi.errors import (
    ChargeNotActive,
    ChargeNotFound,
    EfiMismatch,
    EfiNotFound,
    EfiRefused,
    EfiUnknown,
    EfiUnreachable,
    ReceivedNotFound,
    RefundNotFound,
    SendNotFound,
)
from efi.models import Charge, ReceivedPix, Refund, Send, Webhook
from efi.requests import Request, charge_body, segment, send_body, valor
from efi.settings import EfiSettings
from efi.transport import Transport
from efi.wire import (
    CobWire,
    DevolucaoWire,
    EnviadoListWire,
    EnviadoWire,
    PixListWire,
    PixWire,
    SaldoWire,
    WebhookWire,
    Wire,
    efi_time,
)
from kernel.clock import Clock, SystemClock
from kernel.money import money

W = TypeVar("W", bound=Wire)
PAGE_SIZE: Final = 500
_CLOCK: Final = SystemClock()


class EfiClient:
    """Async client of one Efí account. Safe to share; close it with `aclose()` or `async with`."""

    def __init__(
        self,
        settings: EfiSettings,
        *,
        clock: Clock = _CLOCK,
        connect: Connect = connect_with_mtls,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._key = settings.efi_pix_key
        self._send_timeout_s = settings.efi_send_timeout_s
        self._channels = Channels(settings, clock=clock, connect=connect)
        self._transport = Transport(settings, channels=self._channels, sleep=sleep)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._channels.close()

    # Charges

    async def create_charge(
        self, txid: str, *, amount: Decimal, expires_s: int, message: str | None = None
    ) -> Charge:
        """Create the charge, or adopt the one that already has this txid, amount and our key.

        EfiRefused("txid_duplicado") when the txid belongs to another charge than this.
        """
        body = charge_body(self._key, amount=amount, expires_s=expires_s, message=message)
        path = f"/v2/cob/{segment(txid)}"
        try:
            answer = await self._put("create_charge", path, body, CobWire)
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
            return (await self._get("get_charge", f"/v2/cob/{segment(txid)}", CobWire)).charge()
        except EfiRefused as refused:
            raise _not_found(refused, ChargeNotFound, "cobranca_nao_encontrada") from refused

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
                raise ChargeNotActive(refused.name, refused.status, refused.detail) from refused
            raise
        return read(response, CobWire).charge()

    # Received Pix and refunds

    async def get_received(self, e2e_id: str) -> ReceivedPix:
        """ReceivedNotFound when no such Pix reached us (a Pix that we sent is not one)."""
        try:
            return (await self._get("get_received", f"/v2/pix/{segment(e2e_id)}", PixWire)).received()
        except EfiRefused as refused:
            raise _not_found(refused, ReceivedNotFound, "pix_nao_encontrado") from refused

    async def list_received(self, start: datetime, end: datetime) -> AsyncIterator[ReceivedPix]:
        """Every Pix received from `start` to `end` (aware), page by page."""
        page, pages = 0, 1
        while page < pages:
            answer = await self._page("list_received", "/v2/pix", PixListWire, start, end, page)
            for one in answer.pix:
                yield one.received()
            page, pages = page + 1, answer.parametros.paginacao.pages

    async def refund(self, e2e_id: str, refund_id: str, *, amount: Decimal) -> Refund:
        """Give back part or all of a received Pix, or adopt the refund that already has this id.

        EfiMismatch when the id holds another amount.
        """
        path = f"/v2/pix/{segment(e2e_id)}/devolucao/{segment(refund_id)}"
        try:
            answer = await self._put("refund", path, {"valor": valor(amount)}, DevolucaoWire)
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
        path = f"/v2/pix/{segment(e2e_id)}/devolucao/{segment(refund_id)}"
        try:
            return (await self._get("get_refund", path, DevolucaoWire)).refund()
        except EfiRefused as refused:
            names = ("devolucao_nao_encontrada", "pix_nao_encontrado")
            raise _not_found(refused, RefundNotFound, *names) from refused

    # Sends

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
        path = f"/v2/gn/pix/enviados/id-envio/{segment(id_envio)}"
        try:
            return (await self._get("get_send", path, EnviadoWire)).send()
        except EfiRefused as refused:
            raise _not_found(refused, SendNotFound, "PixEnviadoNaoEncontrado") from refused

    async def list_sent(self, start: datetime, end: datetime) -> AsyncIterator[Send]:
        """Every Pix sent from `start` to `end` (aware), page by page."""
        page, pages = 0, 1
        while page < pages:
            answer = await self._page("list_sent", "/v2/gn/pix/enviados", EnviadoListWire, start, end, page)
            for one in answer.pix:
                yield one.send()
            page, pages = page + 1, answer.parametros.paginacao.pages

    # The account

    async def balance(self) -> Decimal:
        """What is in the account, in reais."""
        return (await self._get("balance", "/v2/gn/saldo", SaldoWire)).saldo

    async def register_webhook(self, url: str) -> None:
        """Have Efí report to `url` (and `url` + "/pix"). EfiRefused when its probing calls do not go well."""
        request = Request(
            operation="register_webhook",
            method="PUT",
            path=f"/v2/webhook/{segment(self._key)}",
            json={"webhookUrl": url},
            repeatable=True,
            # Efí calls the URL twice before it answers.
            read_timeout_s=self._send_timeout_s,
        )
        await self._transport.call(request)

    async def get_webhook(self) -> Webhook | None:
        """The registered webhook of our key, if any."""
        try:
            answer = await self._get("get_webhook", f"/v2/webhook/{segment(self._key)}", WebhookWire)
        except EfiRefused as refused:
            if refused.name == "webhook_nao_encontrado" or refused.status == 404:
                return None
            raise
        return answer.webhook()

    async def _get(self, operation: str, path: str, shape: type[W]) -> W:
        return read(
            await self._transport.call(
                Request(operation=operation, method="GET", path=path, repeatable=True)
            ),
            shape,
        )

    async def _put(self, operation: str, path: str, body: object, shape: type[W]) -> W:
        request = Request(operation=operation, method="PUT", path=path, json=body, repeatable=True)
        return read(await self._transport.call(request), shape)

    async def _page(
        self, operation: str, path: str, shape: type[W], start: datetime, end: datetime, page: int
    ) -> W:
        params = {
            "inicio": efi_time(start),
            "fim": efi_time(end),
            "paginacao.paginaAtual": str(page),
            "paginacao.itensPorPagina": str(PAGE_SIZE),
        }
        request = Request(operation=operation, method="GET", path=path, repeatable=True, params=params)
        return read(await self._transport.call(request), shape)


def _not_found(refused: EfiRefused, kind: type[EfiNotFound], *names: str) -> Exception:
    # Efí documents some of these as 400 and some as 404.
    if refused.status == 404 or refused.name in names:
        return kind(refused.name)
    return refused
