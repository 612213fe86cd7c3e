"""Facts that identity publishes. None holds a CPF, CNH, Pix key, e-mail or phone."""

from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts.base import Fact, Model, Time
from contracts.topics import PROFILES, USERS


class UserType(StrEnum):
    PASSENGER = "passenger"
    DRIVER = "driver"
    ADMIN = "admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    BANNED = "banned"


class ApprovalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class VehicleCategory(StrEnum):
    STANDARD = "standard"
    COMFORT = "comfort"
    PREMIUM = "premium"
    XL = "xl"


class Vehicle(Model):
    """A driver's car, as passengers see it."""

    vehicle_id: UUID
    license_plate: str
    brand: str
    model: str
    year: int
    category: VehicleCategory
    status: str = "active"


class UserFact(Fact):
    """Base of the facts about one user; `version` of the user row orders them."""

    topic = USERS
    key_field = "user_id"
    user_id: UUID


class UserRegistered(UserFact):
    fact = "user.registered"
    user_type: UserType
    registered_at: Time


class UserSuspended(UserFact):
    fact = "user.suspended"
    user_type: UserType
    reason: str
    suspended_at: Time


class UserReinstated(UserFact):
    fact = "user.reinstated"
    user_type: UserType
    reason: str
    reinstated_at: Time


class UserBanned(UserFact):
    fact = "user.banned"
    user_type: UserType
    reason: str
    banned_at: Time


class UserErased(UserFact):
    fact = "user.erased"
    user_type: UserType
    erased_at: Time


class SessionRevoked(UserFact):
    """A session ended before its time; `session_id` None means every session of the user."""

    fact = "session.revoked"
    session_id: UUID | None = None
    reason: str
    revoked_at: Time


class DriverSubmitted(UserFact):
    fact = "driver.submitted"
    submitted_at: Time


class DriverApproved(UserFact):
    fact = "driver.approved"
    approved_at: Time


class DriverRejected(UserFact):
    fact = "driver.rejected"
    reason: str
    rejected_at: Time


class DriverPixKeyChanged(UserFact):
    """The key itself stays in identity."""

    fact = "driver.pix_key.changed"
    pix_key_type: str
    changed_at: Time


class VehicleChanged(UserFact):
    fact = "vehicle.changed"
    vehicle: Vehicle
    changed_at: Time


class Profile(Fact):
    """The full public state of one user: the compacted topic from which projections are rebuilt."""

    fact = "profile"
    topic = PROFILES
    key_field = "user_id"
    user_id: UUID
    version: int
    user_type: UserType
    status: UserStatus
    full_name: str
    approval_status: ApprovalStatus | None = None
    vehicles: tuple[Vehicle, ...] = ()
    average_rating: Decimal | None = None
    total_rides: int = 0
    pix_key_changed_at: Time | None = None
    updated_at: Time


FACTS: Final[tuple[type[Fact], ...]] = (
    UserRegistered,
    UserSuspended,
    UserReinstated,
    UserBanned,
    UserErased,
    SessionRevoked,
    DriverSubmitted,
    DriverApproved,
    DriverRejected,
    DriverPixKeyChanged,
    VehicleChanged,
    Profile,
)
