"""What comes in."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, StringConstraints

import web
from contracts.identity import UserType, VehicleCategory
from identity.domain.application import Application, VehicleApplication
from kernel.documents import PixKeyType
from telemetry import mask_text

Short = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Secret = Annotated[str, Field(max_length=128, repr=False)]

# Somebody types a reason, and it goes into facts and audit records: what looks like a document is masked.
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(mask_text),
]


class VehicleBody(web.Body):
    license_plate: Short
    brand: Short
    model: Short
    year: StrictInt
    category: VehicleCategory


class RegisterBody(web.Body):
    """The last four fields are a driver's, and required of one."""

    user_type: Literal["passenger", "driver"]
    email: Annotated[str, Field(max_length=254, repr=False)]
    phone: Annotated[str, Field(max_length=30, repr=False)]
    password: Annotated[str, Field(min_length=8, max_length=128, repr=False)]
    full_name: Annotated[Short, Field(repr=False)]
    cpf: Annotated[str, Field(max_length=20, repr=False)]
    cnh_number: Annotated[str | None, Field(max_length=20, repr=False)] = None
    pix_key: Annotated[str | None, Field(max_length=100, repr=False)] = None
    pix_key_type: PixKeyType | None = None
    vehicle: VehicleBody | None = None

    def application(self) -> Application:
        vehicle = VehicleApplication(**self.vehicle.model_dump()) if self.vehicle else None
        return Application(
            user_type=UserType(self.user_type),
            email=self.email,
            phone=self.phone,
            full_name=self.full_name,
            cpf=self.cpf,
            cnh_number=self.cnh_number,
            pix_key=self.pix_key,
            pix_key_type=self.pix_key_type,
            vehicle=vehicle,
        )


class LoginBody(web.Body):
    login: Annotated[str, Field(max_length=254, repr=False)]
    password: Secret


class RefreshBody(web.Body):
    refresh_token: Secret


class LogoutBody(web.Body):
    refresh_token: Annotated[str | None, Field(max_length=128, repr=False)] = None


class PixKeyBody(web.Body):
    pix_key: Annotated[str, Field(max_length=100, repr=False)]
    pix_key_type: PixKeyType


class ReasonBody(web.Body):
    reason: Reason
