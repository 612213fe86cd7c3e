"""Between rows and accounts: everything personal is sealed on the way in and opened on the way out."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping

from contracts.identity import ApprovalStatus, UserStatus, UserType, Vehicle, VehicleCategory
from identity.adapters.vault import Vault
from identity.domain.account import Account
from identity.domain.driver import Driver
from identity.domain.passenger import Passenger
from identity.domain.rating import Rating
from identity.domain.user import User
from kernel.documents import PixKeyType, to_mercosul


def user_values(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "phone": user.phone,
        "user_type": user.user_type.value,
        "status": user.status.value,
        "status_reason": user.status_reason,
        "version": user.version,
        "created_at": user.created_at,
    }


def person_values(person: Passenger | Driver, *, vault: Vault) -> dict[str, Any]:
    return {
        "id": person.id,
        "user_id": person.id,
        "full_name": person.full_name,
        "cpf": vault.seal(person.cpf),
        "cpf_index": vault.index("cpf", person.cpf),
        **standing_values(person),
    }


def driver_values(driver: Driver, *, vault: Vault) -> dict[str, Any]:
    return {
        **person_values(driver, vault=vault),
        "cnh_number": vault.seal(driver.cnh_number),
        "cnh_index": vault.index("cnh", driver.cnh_number),
        **approval_values(driver),
        **pix_key_values(driver, vault=vault),
    }


def standing_values(person: Passenger | Driver) -> dict[str, Any]:
    return {
        "average_rating": person.rating.average,
        "ratings_sum": person.rating.stars_sum,
        "ratings_count": person.rating.stars_count,
        "total_rides": person.total_rides,
    }


def approval_values(driver: Driver) -> dict[str, Any]:
    return {"approval_status": driver.approval_status.value, "rejection_reason": driver.rejection_reason}


def pix_key_values(driver: Driver, *, vault: Vault) -> dict[str, Any]:
    return {
        "pix_key": vault.seal(driver.pix_key),
        # The kind is part of it: eleven digits may be a CPF and, elsewhere, a telephone.
        "pix_key_index": vault.index(f"pix:{driver.pix_key_type}", driver.pix_key),
        "pix_key_type": driver.pix_key_type.value,
        "pix_key_changed_at": driver.pix_key_changed_at,
    }


def vehicle_values(vehicle: Vehicle, *, driver: Driver) -> dict[str, Any]:
    return {
        "id": vehicle.vehicle_id,
        "driver_id": driver.id,
        "license_plate": vehicle.license_plate,
        "mercosul_plate": to_mercosul(vehicle.license_plate),
        "brand": vehicle.brand,
        "model": vehicle.model,
        "year": vehicle.year,
        "category": vehicle.category.value,
        "status": vehicle.status,
    }


def account_of(
    user: RowMapping,
    *,
    passenger: RowMapping | None,
    driver: RowMapping | None,
    cars: Sequence[RowMapping],
    vault: Vault,
) -> Account:
    return Account(
        user=_user_of(user),
        passenger=_passenger_of(passenger, vault=vault) if passenger else None,
        driver=_driver_of(driver, cars=cars, vault=vault) if driver else None,
    )


def _user_of(row: RowMapping) -> User:
    return User(
        id=row["id"],
        user_type=UserType(row["user_type"]),
        status=UserStatus(row["status"]),
        status_reason=row["status_reason"],
        email=row["email"],
        phone=row["phone"],
        version=row["version"],
        created_at=row["created_at"],
    )


def _passenger_of(row: RowMapping, *, vault: Vault) -> Passenger:
    return Passenger(
        id=row["id"],
        full_name=row["full_name"],
        cpf=vault.open(row["cpf"]),
        rating=_rating_of(row),
        total_rides=row["total_rides"],
    )


def _driver_of(row: RowMapping, *, cars: Sequence[RowMapping], vault: Vault) -> Driver:
    return Driver(
        id=row["id"],
        full_name=row["full_name"],
        cpf=vault.open(row["cpf"]),
        cnh_number=vault.open(row["cnh_number"]),
        pix_key=vault.open(row["pix_key"]),
        pix_key_type=PixKeyType(row["pix_key_type"]),
        pix_key_changed_at=row["pix_key_changed_at"],
        approval_status=ApprovalStatus(row["approval_status"]),
        rejection_reason=row["rejection_reason"],
        rating=_rating_of(row),
        total_rides=row["total_rides"],
        vehicles=tuple(_vehicle_of(car) for car in cars),
    )


def _rating_of(row: RowMapping) -> Rating:
    return Rating(stars_sum=row["ratings_sum"], stars_count=row["ratings_count"])


def _vehicle_of(row: RowMapping) -> Vehicle:
    return Vehicle(
        vehicle_id=row["id"],
        license_plate=row["license_plate"],
        brand=row["brand"],
        model=row["model"],
        year=row["year"],
        category=VehicleCategory(row["category"]),
        status=row["status"],
    )
