"""What the payment provider answers, in our words; the adapter translates Efí's."""

from dataclasses import dataclass
from enum import StrEnum

from payment.domain.devolution import ProviderRefund, RefundState
from payment.domain.received import Received

__all__ = [
    "ChargeState",
    "ProviderCharge",
    "ProviderError",
    "ProviderRefund",
    "ProviderRefused",
    "ProviderUnclear",
    "RefundState",
]


class ProviderError(Exception):
    """The provider did not do what was asked."""


class ProviderRefused(ProviderError):
    """A definite no: nothing happened. `code` is the provider's name for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ProviderUnclear(ProviderError):
    """No answer, or one that proves nothing: it may have happened. Ask again with the same id."""


class ChargeState(StrEnum):
    ACTIVE = "active"
    PAID = "paid"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCharge:
    state: ChargeState
    received: tuple[Received, ...] = ()
