"""Efí in payout's words."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

import efi
from efi import EfiClient, EfiError, EfiRefused, EfiUnreachable, SendNotFound
from payout.domain.bank_details import BankDetails
from payout.domain.send import SendNotMade, SendRefused, SendReport, SendReturn, SendState, SendUnclear

_STATES: Final = {
    efi.SendStatus.PROCESSING: SendState.PROCESSING,
    efi.SendStatus.DONE: SendState.DONE,
    efi.SendStatus.REJECTED: SendState.REJECTED,
}
MESSAGE: Final = "Repasse Ibora"
NOT_ABOUT_THE_PAYOUT: Final = frozenset({"webhook_nao_encontrado"})
"""Refusals of our account's set-up (no webhook on our key yet), not of the order: it may be made again later."""


class EfiBank:
    """Sends and queries; every problem is one of three.

    A call is cut off after `limit_s`, whatever the client still had to try: its result is unclear then. The
    payout's lease must not run out meanwhile.
    """

    def __init__(self, client: EfiClient, *, limit_s: float) -> None:
        self._client = client
        self._limit_s = limit_s

    async def send(self, id_envio: str, *, amount: Decimal, details: BankDetails) -> SendReport:
        with _translated():
            async with asyncio.timeout(self._limit_s):
                sent = await self._client.send(
                    id_envio, amount=amount, key=details.pix_key, document=details.document, message=MESSAGE
                )
        return _report(sent)

    async def find(self, id_envio: str) -> SendReport | None:
        with _translated():
            try:
                async with asyncio.timeout(self._limit_s):
                    return _report(await self._client.get_send(id_envio))
            except SendNotFound:
                return None


def _report(send: efi.Send) -> SendReport:
    returns = (
        SendReturn(return_id=one.return_id or None, amount=one.amount)
        for one in send.returns
        if one.status is efi.RefundStatus.DONE
    )
    return SendReport(
        state=_STATES[send.status],
        amount=send.amount,
        e2e_id=send.e2e_id,
        fee=send.fee,
        error_code=send.error_code,
        returns=tuple(returns),
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except EfiRefused as error:
        if error.name in NOT_ABOUT_THE_PAYOUT:
            raise SendNotMade(error.name) from error
        raise SendRefused(error.name) from error
    except EfiUnreachable as error:
        raise SendNotMade(type(error).__name__, wait_s=error.retry_after_s) from error
    except (EfiError, TimeoutError) as error:
        raise SendUnclear(type(error).__name__) from error
