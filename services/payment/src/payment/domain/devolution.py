"""What Efí says of a `devolucao`: money of a received Pix on its way back to the payer."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class RefundState(StrEnum):
    PROCESSING = "processing"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefund:
    """`return_id` is Efí's rtrId, or the id of the request where Efí names none."""

    state: RefundState
    return_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Devolution:
    """One entry of a Pix's `devolucoes`. `efi_id` is the id of the request, ours or somebody else's."""

    efi_id: str
    amount: Decimal
    answer: ProviderRefund
