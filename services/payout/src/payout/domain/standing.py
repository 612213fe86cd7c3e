"""Whether a driver may be paid out, and since when their Pix key is the one on file."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from uuid import UUID

from contracts.identity import UserStatus
from kernel.refusals import NotAllowed, Refusal
from payout.domain.bank_details import Payee
from payout.domain.step import FailureReason


class AccountNotActive(NotAllowed):
    """The driver is suspended or banned; either can be lifted."""

    code = "account_not_active"
    final = False
    pt = "Sua conta não está ativa."
    en = "Your account is not active."


class PixKeyCoolingDown(Refusal):
    """The Pix key changed too recently: whoever took the account over must not empty it at once."""

    code = "pix_key_cooling_down"
    final = False
    pt = "Sua chave Pix mudou há pouco tempo. Por segurança, espere antes de pedir um repasse."
    en = "Your Pix key changed recently. For your safety, wait before you ask for a payout."


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Identity's word on a driver, as told by the profiles; `version` orders what it says."""

    driver_id: UUID
    status: UserStatus = UserStatus.ACTIVE
    pix_key_changed_at: datetime | None = None
    version: int = 1

    @property
    def active(self) -> bool:
        """Neither suspended nor banned. Approval to drive is another matter: what was earned is owed."""
        return self.status is UserStatus.ACTIVE

    def require_active(self) -> None:
        """AccountNotActive."""
        if not self.active:
            raise AccountNotActive

    def require_settled_key(self, *, now: datetime, cooling_s: float) -> None:
        """PixKeyCoolingDown, saying how long still."""
        left_s = cooling_left_s(self.pix_key_changed_at, now=now, cooling_s=cooling_s)
        if left_s > 0:
            raise PixKeyCoolingDown(f"{left_s} s left", retry_after_s=left_s)


def cooling_left_s(changed_at: datetime | None, *, now: datetime, cooling_s: float) -> int:
    """Seconds until a key that changed then may be paid to; 0 when it may."""
    if changed_at is None:
        return 0
    return max(0, ceil(cooling_s - (now - changed_at).total_seconds()))


def obstacle(
    payee: Payee | None, standing: Standing | None, *, now: datetime, cooling_s: float
) -> FailureReason | None:
    """Why this driver is not paid now, None when nothing is in the way.

    Either source may be the fresher one: identity's answer is of this moment, but an identity of an older
    release tells neither status nor time.
    """
    if payee is None or payee.details is None:
        return FailureReason.NO_PIX_KEY
    if not payee.active or (standing is not None and not standing.active):
        return FailureReason.ACCOUNT_NOT_ACTIVE
    changes = (payee.pix_key_changed_at, standing.pix_key_changed_at if standing is not None else None)
    if any(cooling_left_s(changed_at, now=now, cooling_s=cooling_s) for changed_at in changes):
        return FailureReason.PIX_KEY_COOLING_DOWN
    return None
