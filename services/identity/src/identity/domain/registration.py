"""From a checked application to an account, and what is told about it."""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from contracts.identity import DriverSubmitted, UserFact, UserRegistered, UserType, Vehicle
from identity.domain.account import Account
from identity.domain.application import Application, VehicleApplication
from identity.domain.driver import Driver
from identity.domain.passenger import Passenger
from identity.domain.user import User

X = TypeVar("X")


def new_account(application: Application, *, user_id: UUID, vehicle_id: UUID, now: datetime) -> Account:
    """The account of a checked application: a passenger may ride at once, a driver starts pending."""
    user = User(
        id=user_id,
        user_type=application.user_type,
        email=application.email,
        phone=application.phone,
        created_at=now,
    )
    if application.user_type is UserType.DRIVER:
        return Account(
            user=user, driver=_driver(application, user_id=user_id, vehicle_id=vehicle_id, now=now)
        )
    passenger = Passenger(id=user_id, full_name=application.full_name, cpf=application.cpf)
    return Account(user=user, passenger=passenger)


def new_admin(*, user_id: UUID, email: str | None, phone: str | None, now: datetime) -> Account:
    """An administrator: no profile, and a login of either kind."""
    user = User(id=user_id, user_type=UserType.ADMIN, email=email, phone=phone, created_at=now)
    return Account(user=user)


def registration_facts(account: Account, *, now: datetime) -> tuple[UserFact, ...]:
    """user.registered, and driver.submitted for a driver."""
    user = account.user
    registered = UserRegistered(user_id=user.id, user_type=user.user_type, registered_at=now)
    if account.driver is None:
        return (registered,)
    return registered, DriverSubmitted(user_id=user.id, submitted_at=now)


def _driver(application: Application, *, user_id: UUID, vehicle_id: UUID, now: datetime) -> Driver:
    return Driver(
        id=user_id,
        full_name=application.full_name,
        cpf=application.cpf,
        cnh_number=_given(application.cnh_number),
        pix_key=_given(application.pix_key),
        pix_key_type=_given(application.pix_key_type),
        pix_key_changed_at=now,
        vehicles=(_vehicle(_given(application.vehicle), vehicle_id=vehicle_id),),
    )


def _vehicle(vehicle: VehicleApplication, *, vehicle_id: UUID) -> Vehicle:
    return Vehicle(
        vehicle_id=vehicle_id,
        license_plate=vehicle.license_plate,
        brand=vehicle.brand,
        model=vehicle.model,
        year=vehicle.year,
        category=vehicle.category,
    )


def _given(value: X | None) -> X:
    if value is None:
        raise ValueError("a driver's application was not checked")
    return value
