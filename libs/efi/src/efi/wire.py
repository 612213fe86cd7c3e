"""Efí's JSON, read tolerantly: unknown fields are ignored, known variants of one field are accepted.

The variants (`e2eId` or `endToEndId`, `expiracao` as text, `horario` null): reference §1.2 and §1.5.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from contracts.base import Money, Time
from efi.models import (
    Balance,
    Charge,
    ChargeStatus,
    ReceivedPix,
    Refund,
    RefundStatus,
    Return,
    Send,
    SendStatus,
    Webhook,
)
from kernel.money import ZERO


def _times_only(value: Any) -> Any:
    """`horario` is an object in a query's answer and one time, that of settlement, in a webhook."""
    return {"liquidacao": value} if isinstance(value, str) else value


class Wire(BaseModel):
    """A null field reads as an absent one; `e2eId` as the `endToEndId` that it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        names = {"e2eId": "endToEndId"}
        return {names.get(name, name): field for name, field in value.items() if field is not None}


class TokenWire(Wire):
    access_token: str = Field(min_length=1)
    expires_in: int = Field(gt=0)


class HorarioWire(Wire):
    solicitacao: Time | None = None
    liquidacao: Time | None = None


Horario = Annotated[HorarioWire, BeforeValidator(_times_only)]


class DevolucaoWire(Wire):
    id: str | None = None
    rtr_id: str | None = Field(None, validation_alias="rtrId")
    valor: Money
    status: RefundStatus
    motivo: str | None = None
    horario: Horario = HorarioWire()

    def refund(self) -> Refund:
        return Refund(
            refund_id=self.id or self.rtr_id or "",
            return_id=self.rtr_id,
            amount=self.valor,
            status=self.status,
            reason=self.motivo,
            requested_at=self.horario.solicitacao,
            settled_at=self.horario.liquidacao,
        )

    def money_back(self) -> Return:
        return Return(
            return_id=self.rtr_id,
            amount=self.valor,
            status=self.status,
            settled_at=self.horario.liquidacao,
            id=self.id,
        )


class ErroWire(Wire):
    codigo: str | None = None
    motivo: str | None = None


class GnExtrasWire(Wire):
    id_envio: str | None = Field(None, validation_alias="idEnvio")
    tarifa: Money = ZERO
    erro: ErroWire = ErroWire()


class PixWire(Wire):
    """A received Pix."""

    e2e_id: str = Field(validation_alias="endToEndId")
    txid: str | None = None
    chave: str | None = None
    valor: Money
    horario: Time
    gn_extras: GnExtrasWire = Field(GnExtrasWire(), validation_alias="gnExtras")
    devolucoes: tuple[DevolucaoWire, ...] = ()

    def received(self) -> ReceivedPix:
        return ReceivedPix(
            e2e_id=self.e2e_id,
            txid=self.txid or None,
            key=self.chave,
            amount=self.valor,
            paid_at=self.horario,
            fee=self.gn_extras.tarifa,
            refunds=tuple(one.refund() for one in self.devolucoes),
        )


class CalendarioWire(Wire):
    criacao: Time
    expiracao: int


class ValorWire(Wire):
    original: Money


class CobWire(Wire):
    calendario: CalendarioWire
    txid: str
    revisao: int = 0
    status: ChargeStatus
    valor: ValorWire
    chave: str
    copy_paste: str = Field("", validation_alias="pixCopiaECola")
    pix: tuple[PixWire, ...] = ()

    def charge(self) -> Charge:
        return Charge(
            txid=self.txid,
            status=self.status,
            amount=self.valor.original,
            key=self.chave,
            copy_paste=self.copy_paste,
            created_at=self.calendario.criacao,
            expires_s=self.calendario.expiracao,
            revision=self.revisao,
            received=tuple(one.received() for one in self.pix),
        )


class EnviadoWire(Wire):
    """A send: the answer to the PUT and to the queries."""

    id_envio: str | None = Field(None, validation_alias="idEnvio")
    e2e_id: str | None = Field(None, validation_alias="endToEndId")
    valor: Money
    chave: str | None = None
    status: SendStatus
    horario: Horario = HorarioWire()
    gn_extras: GnExtrasWire = Field(GnExtrasWire(), validation_alias="gnExtras")
    erro: ErroWire | None = None
    devolucoes: tuple[DevolucaoWire, ...] = ()

    def send(self) -> Send:
        error = self.erro or self.gn_extras.erro
        return Send(
            id_envio=self.id_envio or self.gn_extras.id_envio or "",
            e2e_id=self.e2e_id,
            status=self.status,
            amount=self.valor,
            key=self.chave,
            error_code=error.codigo,
            error_reason=error.motivo,
            returns=tuple(one.money_back() for one in self.devolucoes),
            fee=self.gn_extras.tarifa,
            requested_at=self.horario.solicitacao,
            settled_at=self.horario.liquidacao,
        )


class PaginacaoWire(Wire):
    pages: int = Field(1, validation_alias="quantidadeDePaginas")


class ParametrosWire(Wire):
    paginacao: PaginacaoWire = PaginacaoWire()


class ListWire(Wire):
    parametros: ParametrosWire = ParametrosWire()


class CobListWire(ListWire):
    cobs: tuple[CobWire, ...] = ()


class PixListWire(ListWire):
    pix: tuple[PixWire, ...] = ()


class EnviadoListWire(ListWire):
    pix: tuple[EnviadoWire, ...] = ()


class BloqueiosWire(Wire):
    judicial: Money = ZERO
    med: Money = ZERO
    total: Money = ZERO


class SaldoWire(Wire):
    saldo: Money
    bloqueios: BloqueiosWire = BloqueiosWire()

    def balance(self) -> Balance:
        return Balance(
            total=self.saldo,
            blocked=self.bloqueios.total,
            blocked_by_court=self.bloqueios.judicial,
            blocked_by_med=self.bloqueios.med,
        )


class RelatorioWire(Wire):
    id: str = Field(min_length=1, coerce_numbers_to_str=True)


class WebhookWire(Wire):
    webhook_url: str = Field(validation_alias="webhookUrl")
    chave: str | None = None
    criacao: Time

    def webhook(self) -> Webhook:
        return Webhook(url=self.webhook_url, created_at=self.criacao, key=self.chave)


class WebhookListWire(ListWire):
    webhooks: tuple[WebhookWire, ...] = ()


def efi_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and a Z, which needs no percent-encoding in a query."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
