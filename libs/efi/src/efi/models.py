"""What Efí tells us, in our words. Amounts are `Decimal` with two places, times are aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from kernel.money import ZERO


class ChargeStatus(StrEnum):
    """Efí has no "expired": that follows from `created_at` and `expires_s`."""

    ACTIVE = "ATIVA"
    COMPLETED = "CONCLUIDA"
    REMOVED_BY_RECEIVER = "REMOVIDA_PELO_USUARIO_RECEBEDOR"
    REMOVED_BY_PSP = "REMOVIDA_PELO_PSP"


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
    """Money of a received Pix going back. `return_id` is the `rtrId` ("D…"), `reason` why it was rejected."""

    refund_id: str
    return_id: str | None
    amount: Decimal
    status: RefundStatus
    reason: str | None = None
    requested_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Money of a Pix that we sent coming back from its receiver.

    `id` tells the returns of one Pix apart from the start; `return_id` (rtrId) is told when the bank has it.
    """

    return_id: str | None
    amount: Decimal
    status: RefundStatus
    settled_at: datetime | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPix:
    """A Pix that arrived. `fee` is what Efí kept, 0.00 when it says none."""

    e2e_id: str
    txid: str | None
    key: str | None = field(repr=False)
    amount: Decimal
    paid_at: datetime
    fee: Decimal = ZERO
    refunds: tuple[Refund, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """An immediate charge (cob). `copy_paste` is the BR Code, "" when Efí leaves it out."""

    txid: str
    status: ChargeStatus
    amount: Decimal
    key: str = field(repr=False)
    copy_paste: str = field(repr=False)
    created_at: datetime
    expires_s: int
    revision: int = 0
    received: tuple[ReceivedPix, ...] = ()

    @property
    def expires_at(self) -> datetime:
        """From when on it can no longer be paid."""
        return self.created_at + timedelta(seconds=self.expires_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """A Pix that we sent. `error_code` ("AC03") and `error_reason`: why the other bank rejected it."""

    id_envio: str
    e2e_id: str | None
    status: SendStatus
    amount: Decimal
    key: str | None = field(default=None, repr=False)
    error_code: str | None = None
    error_reason: str | None = None
    returns: tuple[Return, ...] = ()
    fee: Decimal = ZERO
    requested_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where Efí reports what happens to `key`, which some answers leave out."""

    url: str = field(repr=False)
    created_at: datetime
    key: str | None = field(default=None, repr=False)


class ReplayKind(StrEnum):
    """What Efí is asked to report again."""

    PIX_RECEIVED = "PIX_RECEBIDO"
    PIX_SENT = "PIX_ENVIADO"
    REFUND_SENT = "DEVOLUCAO_ENVIADA"
    RETURN_RECEIVED = "DEVOLUCAO_RECEBIDA"


class StatementKind(StrEnum):
    """What moved on the account. A fee that Efí gives back is a positive FEE."""

    PIX_RECEIVED = "PIX_RECEBIDO"
    PIX_SENT = "PIX_ENVIADO"
    REFUND_SENT = "DEVOLUCAO_ENVIADA"
    RETURN_RECEIVED = "DEVOLUCAO_RECEBIDA"
    FEE = "TARIFA"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """A line of the statement; a positive `amount` came in, a negative one went out."""

    kind: StatementKind
    amount: Decimal
    occurred_at: datetime
    e2e_id: str | None = None
    txid: str | None = None
    id_envio: str | None = None
    return_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """`total` is what is in the account, in reais; of it a court or a fraud case may have blocked a part."""

    total: Decimal
    blocked: Decimal = ZERO
    blocked_by_court: Decimal = ZERO
    blocked_by_med: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        return self.total - self.blocked


class WebhookKind(StrEnum):
    RECEIVED = "received"
    REFUND = "refund"
    SEND = "send"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookItem:
    """One entry of a webhook's `pix` list: a hint, to be checked by asking Efí.

    `refunds` are refunds that we made (kind refund) or returns of what we sent (kind send); `status` is
    Efí's word for a send; `raw` the entry as it came (personal data: never log it).
    """

    kind: WebhookKind
    e2e_id: str | None = None
    txid: str | None = None
    id_envio: str | None = None
    key: str | None = field(default=None, repr=False)
    amount: Decimal | None = None
    occurred_at: datetime | None = None
    status: str | None = None
    error_code: str | None = None
    fee: Decimal = ZERO
    refunds: tuple[Refund, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
