"""The account's balance and its statement of a day (reference §1.6)."""

from datetime import date
from decimal import Decimal
from typing import Final

from efi.answers import read
from efi.calls import Account, not_found, query
from efi.errors import EfiRefused, StatementNotFound
from efi.models import Balance, StatementRow
from efi.requests import Request, segment
from efi.statement import parse_statement
from efi.wire import RelatorioWire, SaldoWire

RECORDS: Final = (
    "pixRecebido",
    "pixEnviadoChave",
    "pixEnviadoDadosBancarios",
    "estornoPixEnviado",
    "pixDevolucaoEnviada",
    "pixDevolucaoRecebida",
    "tarifaPixEnviado",
    "tarifaPixRecebido",
    "estornoTarifaPixEnviado",
)
"""The kinds of movements that we ask for, by Efí's names."""
HTTP_ACCEPTED: Final = 202


class Statements(Account):
    async def balance(self) -> Decimal:
        """What is in the account, in reais."""
        return (await query(self._transport, "balance", "/v2/gn/saldo", SaldoWire)).saldo

    async def balances(self) -> Balance:
        """What is in the account and what of it is blocked."""
        answer = await query(self._transport, "balance", "/v2/gn/saldo?bloqueios=true", SaldoWire)
        return answer.balance()

    async def request_statement(self, day: date) -> str:
        """Ask for the statement of `day`, which must be over; the id under which `statement` gives it.

        Never repeated in here: asking again makes another report, which harms nobody.
        """
        body = {"dataMovimento": day.isoformat(), "tipoRegistros": dict.fromkeys(RECORDS, True)}
        path = "/v2/gn/relatorios/extrato-conciliacao"
        request = Request(
            operation="request_statement", method="POST", path=path, json=body, repeatable=False
        )
        return read(await self._transport.call(request), RelatorioWire).id

    async def statement(self, report_id: str) -> tuple[StatementRow, ...] | None:
        """The rows of a statement in its order; None while Efí still makes it (about half a minute).

        StatementNotFound for an id that Efí does not know; EfiUnknown for a file that does not read.
        """
        path = f"/v2/gn/relatorios/{segment(report_id)}"
        request = Request(operation="statement", method="GET", path=path, repeatable=True)
        try:
            response = await self._transport.call(request)
        except EfiRefused as refused:
            raise not_found(refused, StatementNotFound, "RelatorioNaoEncontrado") from refused
        if response.status_code == HTTP_ACCEPTED:
            return None
        return parse_statement(response.content)
