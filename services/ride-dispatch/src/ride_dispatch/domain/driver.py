"""A driver as dispatch sees one: on duty or not, on a trip or not, where and since when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from contracts.identity import ApprovalStatus, Profile, UserStatus, UserType, Vehicle, VehicleCategory
from contracts.ride_dispatch import DriverCard
from kernel.refusals import NotAllowed
from ride_dispatch.domain.place import Place


class DriverStatus(StrEnum):
    AVAILABLE = "available"
    ON_TRIP = "on_trip"
    OFFLINE = "offline"


class DriverNotApproved(NotAllowed):
    """The driver's documents are not approved (yet): the same request may succeed tomorrow."""

    code = "driver_not_approved"
    final = False
    pt = "Seu cadastro de motorista ainda não foi aprovado."
    en = "Your driver account is not approved yet."


class AccountNotActive(NotAllowed):
    """The account is suspended or banned; either can be lifted."""

    code = "account_not_active"
    final = False
    pt = "Sua conta não está ativa."
    en = "Your account is not active."


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverState:
    """`place` and `located_at` are the last known position, None before the first one."""

    driver_id: UUID
    online: bool = False
    current_ride_id: UUID | None = None
    place: Place | None = None
    located_at: datetime | None = None

    @property
    def status(self) -> DriverStatus:
        """A driver who goes offline during a trip stays on it until it ends."""
        if self.current_ride_id is not None:
            return DriverStatus.ON_TRIP
        return DriverStatus.AVAILABLE if self.online else DriverStatus.OFFLINE


def require_active(profile: Profile) -> None:
    """Raise AccountNotActive for a suspended or banned user."""
    if profile.status is not UserStatus.ACTIVE:
        raise AccountNotActive


def require_active_driver(profile: Profile) -> None:
    """Raise unless `profile` is an active driver whose documents are approved."""
    require_active(profile)
    if not may_drive(profile):
        raise DriverNotApproved


def may_drive(profile: Profile) -> bool:
    """Whether offers may go to this user."""
    approved = profile.approval_status is ApprovalStatus.APPROVED
    return profile.user_type is UserType.DRIVER and profile.status is UserStatus.ACTIVE and approved


def active_vehicle(profile: Profile) -> Vehicle | None:
    """The car that the driver is on the road with: the newest active one."""
    return next((vehicle for vehicle in reversed(profile.vehicles) if vehicle.status == "active"), None)


def served_category(profile: Profile) -> VehicleCategory | None:
    """The category whose rides this driver is offered, None while no car is active."""
    vehicle = active_vehicle(profile)
    return vehicle.category if vehicle is not None and may_drive(profile) else None


def card_of(profile: Profile) -> DriverCard:
    """What the passenger sees of the driver, frozen into the ride when it is accepted."""
    return DriverCard(
        full_name=profile.full_name,
        average_rating=profile.average_rating,
        vehicle=active_vehicle(profile),
    )
