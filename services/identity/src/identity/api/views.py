"""What goes out: explicit fields, documents masked."""

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

import web
from contracts.identity import ApprovalStatus, UserStatus, UserType, Vehicle, VehicleCategory
from identity.domain.account import Account
from identity.domain.driver import Driver
from identity.domain.passenger import Passenger
from kernel.documents import PixKeyType
from kernel.masking import mask_cnh, mask_cpf, mask_pix_key


class RegisteredView(web.View):
    user_id: UUID
    user_type: UserType
    status: UserStatus
    approval_status: ApprovalStatus | None = None

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(
            user_id=account.id,
            user_type=account.user.user_type,
            status=account.user.status,
            approval_status=account.approval_status,
        )


class TokensView(web.View):
    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105  # a scheme
    expires_in: int


class VehicleView(web.View):
    id: UUID
    license_plate: str
    brand: str
    model: str
    year: int
    category: VehicleCategory
    status: str

    @classmethod
    def of(cls, vehicle: Vehicle) -> Self:
        return cls(id=vehicle.vehicle_id, **vehicle.model_dump(exclude={"vehicle_id"}))


class PassengerView(web.View):
    id: UUID
    full_name: str
    cpf: str
    average_rating: Decimal | None
    total_rides: int

    @classmethod
    def of(cls, passenger: Passenger) -> Self:
        return cls(
            id=passenger.id,
            full_name=passenger.full_name,
            cpf=mask_cpf(passenger.cpf),
            average_rating=passenger.rating.average,
            total_rides=passenger.total_rides,
        )


class DriverView(web.View):
    id: UUID
    full_name: str
    cpf: str
    cnh_number: str
    pix_key: str
    pix_key_type: PixKeyType
    approval_status: ApprovalStatus
    rejection_reason: str | None
    average_rating: Decimal | None
    total_rides: int
    vehicles: list[VehicleView]

    @classmethod
    def of(cls, driver: Driver) -> Self:
        return cls(
            id=driver.id,
            full_name=driver.full_name,
            cpf=mask_cpf(driver.cpf),
            cnh_number=mask_cnh(driver.cnh_number),
            pix_key=mask_pix_key(driver.pix_key_type, driver.pix_key),
            pix_key_type=driver.pix_key_type,
            approval_status=driver.approval_status,
            rejection_reason=driver.rejection_reason,
            average_rating=driver.rating.average,
            total_rides=driver.total_rides,
            vehicles=[VehicleView.of(vehicle) for vehicle in driver.vehicles],
        )


class MeView(web.View):
    """A user's own account; `passenger` or `driver` is the profile, an administrator has neither."""

    id: UUID
    user_type: UserType
    status: UserStatus
    email: str | None
    phone: str | None
    full_name: str
    created_at: datetime
    approval_status: ApprovalStatus | None
    passenger: PassengerView | None
    driver: DriverView | None

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(
            id=account.id,
            user_type=account.user.user_type,
            status=account.user.status,
            email=account.user.email,
            phone=account.user.phone,
            full_name=account.full_name,
            created_at=account.user.created_at,
            approval_status=account.approval_status,
            passenger=PassengerView.of(account.passenger) if account.passenger else None,
            driver=DriverView.of(account.driver) if account.driver else None,
        )


class PixKeyView(web.View):
    driver_id: UUID
    pix_key: str
    pix_key_type: PixKeyType
    pix_key_changed_at: datetime

    @classmethod
    def of(cls, driver: Driver) -> Self:
        return cls(
            driver_id=driver.id,
            pix_key=mask_pix_key(driver.pix_key_type, driver.pix_key),
            pix_key_type=driver.pix_key_type,
            pix_key_changed_at=driver.pix_key_changed_at,
        )


class ReviewView(web.View):
    """An account as an administrator sees it when deciding about it."""

    id: UUID
    user_id: UUID
    user_type: UserType
    status: UserStatus
    status_reason: str | None
    full_name: str
    created_at: datetime
    approval_status: ApprovalStatus | None
    driver: DriverView | None

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(
            id=account.id,
            user_id=account.id,
            user_type=account.user.user_type,
            status=account.user.status,
            status_reason=account.user.status_reason,
            full_name=account.full_name,
            created_at=account.user.created_at,
            approval_status=account.approval_status,
            driver=DriverView.of(account.driver) if account.driver else None,
        )


class BankDetailsView(web.View):
    """In clear, for the payout service's sealed snapshot only; whether it may be paid to, too."""

    driver_id: UUID
    full_name: str
    cpf: str
    pix_key: str
    pix_key_type: PixKeyType
    pix_key_changed_at: datetime
    status: UserStatus

    @classmethod
    def of(cls, account: Account) -> Self:
        driver = account.the_driver()
        return cls(
            driver_id=driver.id,
            full_name=driver.full_name,
            cpf=driver.cpf,
            pix_key=driver.pix_key,
            pix_key_type=driver.pix_key_type,
            pix_key_changed_at=driver.pix_key_changed_at,
            status=account.user.status,
        )
