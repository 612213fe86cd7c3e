"""A driver: documents, where the money goes, the approval, and the vehicles."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from contracts.identity import ApprovalStatus, DriverApproved, DriverPixKeyChanged, DriverRejected, Vehicle
from identity.domain.rating import Rating
from identity.domain.user import IllegalTransition
from kernel.documents import PixKeyType

MOVES: Final[Mapping[ApprovalStatus, frozenset[ApprovalStatus]]] = {
    ApprovalStatus.PENDING: frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}),
    ApprovalStatus.APPROVED: frozenset(),
    # What was missing may have been shown since: a rejection is not for life.
    ApprovalStatus.REJECTED: frozenset({ApprovalStatus.APPROVED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """`id` is the user's id. Documents and the Pix key are canonical and, at rest, encrypted."""

    id: UUID
    full_name: str
    cpf: str = field(repr=False)
    cnh_number: str = field(repr=False)
    pix_key: str = field(repr=False)
    pix_key_type: PixKeyType
    pix_key_changed_at: datetime
    approval_status: ApprovalStatus = ApprovalStatus.PENDING
    rejection_reason: str | None = None
    rating: Rating = field(default_factory=Rating)
    total_rides: int = 0
    vehicles: tuple[Vehicle, ...] = ()

    def approve(self, *, now: datetime) -> tuple[Self, DriverApproved]:
        moved = self._move(ApprovalStatus.APPROVED, reason=None)
        return moved, DriverApproved(user_id=self.id, approved_at=now)

    def reject(self, *, reason: str, now: datetime) -> tuple[Self, DriverRejected]:
        moved = self._move(ApprovalStatus.REJECTED, reason=reason)
        return moved, DriverRejected(user_id=self.id, reason=reason, rejected_at=now)

    def change_pix_key(
        self, *, pix_key: str, pix_key_type: PixKeyType, now: datetime
    ) -> tuple[Self, DriverPixKeyChanged]:
        changed = replace(self, pix_key=pix_key, pix_key_type=pix_key_type, pix_key_changed_at=now)
        fact = DriverPixKeyChanged(user_id=self.id, pix_key_type=pix_key_type.value, changed_at=now)
        return changed, fact

    def _move(self, to: ApprovalStatus, *, reason: str | None) -> Self:
        if to not in MOVES[self.approval_status]:
            raise IllegalTransition(f"driver {self.id} cannot go from {self.approval_status} to {to}")
        return replace(self, approval_status=to, rejection_reason=reason)
