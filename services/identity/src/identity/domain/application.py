"""An application to register, checked field by field into canonical form."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from contracts.identity import UserType, VehicleCategory
from identity.domain.email import parse_email
from kernel.documents import (
    InvalidDocument,
    PixKeyType,
    parse_cnh,
    parse_cpf,
    parse_phone,
    parse_pix_key,
    parse_plate,
)
from kernel.refusals import FieldError, Invalid

OLDEST_YEAR: Final = 1980
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleApplication:
    license_plate: str
    brand: str
    model: str
    year: int
    category: VehicleCategory


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """`user_type` is passenger or driver; the last four fields are a driver's."""

    user_type: UserType
    email: str = field(repr=False)
    phone: str = field(repr=False)
    full_name: str = field(repr=False)
    cpf: str = field(repr=False)
    cnh_number: str | None = field(default=None, repr=False)
    pix_key: str | None = field(default=None, repr=False)
    pix_key_type: PixKeyType | None = None
    vehicle: VehicleApplication | None = None


def check_application(application: Application, *, this_year: int) -> Application:
    """The application in canonical form; Invalid with one FieldError a wrong field."""
    checks = _Checks()
    checked = replace(
        application,
        email=checks.parse("/email", parse_email, application.email),
        phone=checks.parse("/phone", parse_phone, application.phone),
        full_name=checks.parse("/full_name", _parse_text, application.full_name),
        cpf=checks.parse("/cpf", parse_cpf, application.cpf),
    )
    if application.user_type is UserType.DRIVER:
        checked = _check_driver(checked, checks=checks, this_year=this_year)
    else:
        checks.none_of(_driver_fields(application))
    checks.finish()
    return checked


def check_pix_key(pix_key: str, *, pix_key_type: PixKeyType) -> str:
    """The key in canonical form; Invalid `invalid_pix_key` at /pix_key."""
    checks = _Checks()
    parsed = checks.parse("/pix_key", lambda text: parse_pix_key(pix_key_type, text), pix_key)
    checks.finish()
    return parsed


def _driver_fields(application: Application) -> dict[str, object | None]:
    return {
        "/cnh_number": application.cnh_number,
        "/pix_key": application.pix_key,
        "/pix_key_type": application.pix_key_type,
        "/vehicle": application.vehicle,
    }


def _check_driver(application: Application, *, checks: "_Checks", this_year: int) -> Application:
    checks.all_of(_driver_fields(application))
    changed = application
    if application.cnh_number is not None:
        changed = replace(changed, cnh_number=checks.parse("/cnh_number", parse_cnh, application.cnh_number))
    kind = application.pix_key_type
    if application.pix_key is not None and kind is not None:
        pix_key = checks.parse("/pix_key", lambda text: parse_pix_key(kind, text), application.pix_key)
        changed = replace(changed, pix_key=pix_key)
    if application.vehicle is not None:
        vehicle = _check_vehicle(application.vehicle, checks=checks, this_year=this_year)
        changed = replace(changed, vehicle=vehicle)
    return changed


def _check_vehicle(vehicle: VehicleApplication, *, checks: "_Checks", this_year: int) -> VehicleApplication:
    # Next year's models are sold in this one.
    if not OLDEST_YEAR <= vehicle.year <= this_year + 1:
        checks.refuse("/vehicle/year", "invalid_year")
    return replace(
        vehicle,
        license_plate=checks.parse("/vehicle/license_plate", parse_plate, vehicle.license_plate),
        brand=checks.parse("/vehicle/brand", _parse_text, vehicle.brand),
        model=checks.parse("/vehicle/model", _parse_text, vehicle.model),
    )


def _parse_text(text: str) -> str:
    """Without spaces around; InvalidDocument `invalid_text` for nothing, or for control characters."""
    stripped = text.strip()
    if not stripped or CONTROL.search(stripped):
        raise InvalidDocument("invalid_text")
    return stripped


class _Checks:
    """Collects every error of an application, so that a person corrects them all at once."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def parse(self, pointer: str, parse: Callable[[str], str], text: str) -> str:
        try:
            return parse(text)
        except InvalidDocument as error:
            self.refuse(pointer, error.code)
            return text

    def all_of(self, fields: Mapping[str, object | None]) -> None:
        for pointer, value in fields.items():
            if value is None:
                self.refuse(pointer, "missing")

    def none_of(self, fields: Mapping[str, object | None]) -> None:
        for pointer, value in fields.items():
            if value is not None:
                self.refuse(pointer, "unexpected")

    def refuse(self, pointer: str, code: str) -> None:
        # The sentence is the edge's: it knows the reader's language.
        self._errors.append(FieldError(pointer=pointer, code=code, detail=""))

    def finish(self) -> None:
        if self._errors:
            raise Invalid(errors=self._errors)
