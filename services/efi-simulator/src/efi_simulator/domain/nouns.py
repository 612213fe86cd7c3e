"""What a bank holds about Pix. Frozen: a change makes a new one, so a notice keeps the state it tells of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from kernel.money import ZERO


class ChargeStatus(StrEnum):
    ACTIVE = "ATIVA"
    COMPLETED = "CONCLUIDA"
    REMOVED = "REMOVIDA_PELO_USUARIO_RECEBEDOR"


class RefundStatus(StrEnum):
    PROCESSING = "EM_PROCESSAMENTO"
    DONE = "DEVOLVIDO"
    REJECTED = "NAO_REALIZADO"


class SendStatus(StrEnum):
    PROCESSING = "EM_PROCESSAMENTO"
    DONE = "REALIZADO"
    REJECTED = "NAO_REALIZADO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money of a received Pix going back; `return_id` is the rtrId.

    `told` is what the bank says of it where that is not what happened; `contradicted` that it will come to that.
    """

    id: str
    e2e_id: str
    return_id: str
    amount: Decimal
    requested_at: datetime
    status: RefundStatus = RefundStatus.PROCESSING
    settled_at: datetime | None = None
    reason: str | None = None
    fate: RefundStatus = RefundStatus.DONE
    contradicted: bool = False
    told: RefundStatus | None = None

    @property
    def shown(self) -> RefundStatus:
        return self.told or self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPix:
    e2e_id: str
    txid: str | None
    key: str
    amount: Decimal
    received_at: datetime
    fee: Decimal = ZERO
    payer_cpf: str | None = None
    refunds: tuple[Refund, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """`debtor` and `info` are kept as they were given: the bank only repeats them."""

    txid: str
    amount: Decimal
    key: str
    created_at: datetime
    expires_s: int
    location_id: int
    location: str
    copy_paste: str
    message: str | None = None
    debtor: Mapping[str, str] | None = None
    info: tuple[Mapping[str, str], ...] = ()
    revision: int = 0
    status: ChargeStatus = ChargeStatus.ACTIVE
    paid_by: tuple[str, ...] = ()

    def is_over(self, now: datetime) -> bool:
        """Whether its time has passed. Efí has no status for that: it still reads ATIVA."""
        return now >= self.created_at + timedelta(seconds=self.expires_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Money of a send that its receiver gave back."""

    e2e_id: str
    return_id: str
    amount: Decimal
    returned_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """`fate` is how it will end; `returns_due` what its receiver will give back, in order; `told` what the
    bank says of it where that is not what happened."""

    id_envio: str
    e2e_id: str
    amount: Decimal
    key: str
    message: str | None
    requested_at: datetime
    fee: Decimal
    fate: SendStatus
    returns_due: tuple[Decimal, ...] = ()
    status: SendStatus = SendStatus.PROCESSING
    settled_at: datetime | None = None
    returns: tuple[Return, ...] = ()
    told: SendStatus | None = None

    @property
    def shown(self) -> SendStatus:
        return self.told or self.status


class StatementKind(StrEnum):
    PIX_RECEIVED = "PIX_RECEBIDO"
    PIX_SENT = "PIX_ENVIADO"
    REFUND_SENT = "DEVOLUCAO_ENVIADA"
    RETURN_RECEIVED = "DEVOLUCAO_RECEBIDA"
    FEE = "TARIFA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A statement that was ordered: the movements of `day` that `records` (Efí's names) ask for."""

    id: str
    day: date
    records: tuple[str, ...]
    ready_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    key: str
    url: str
    created_at: datetime


class NoticeKind(StrEnum):
    RECEIVED = "received"
    REFUND = "refund"
    SEND = "send"
    RETURN = "return"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell the webhook of `key`; `item` is the entry of its `pix` list.

    `once`: no second attempt follows a failed first one. `number` tells notices apart.
    """

    key: str
    kind: NoticeKind
    item: Mapping[str, Any] = field(repr=False)
    once: bool = False
    number: int = 0
