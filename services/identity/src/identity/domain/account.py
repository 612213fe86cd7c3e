"""An account: a user with its passenger or driver profile, changed and published as one."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Self
from uuid import UUID

from contracts.identity import ApprovalStatus, Profile, UserStatus, Vehicle
from identity.domain.driver import Driver
from identity.domain.passenger import Passenger
from identity.domain.user import User
from kernel.refusals import NotFound, Refusal

ADMIN_NAME: Final = "Administração"
"""Administrators have no profile of their own and no name in the blueprint."""


class AlreadyRegistered(Refusal):
    """Something of this registration belongs to somebody: the answer never says what."""

    code = "already_registered"
    pt = "Já existe um cadastro com esses dados."
    en = "These details are already registered."


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A passenger has `passenger`, a driver `driver`, an administrator neither."""

    user: User
    passenger: Passenger | None = None
    driver: Driver | None = None

    @property
    def id(self) -> UUID:
        return self.user.id

    @property
    def person(self) -> Passenger | Driver | None:
        return self.passenger or self.driver

    @property
    def full_name(self) -> str:
        return self.person.full_name if self.person else ADMIN_NAME

    @property
    def average_rating(self) -> Decimal | None:
        return self.person.rating.average if self.person else None

    @property
    def approval_status(self) -> ApprovalStatus | None:
        return self.driver.approval_status if self.driver else None

    @property
    def vehicles(self) -> tuple[Vehicle, ...]:
        return self.driver.vehicles if self.driver else ()

    @property
    def active(self) -> bool:
        return self.user.status is UserStatus.ACTIVE

    def the_driver(self) -> Driver:
        """The driver profile; NotFound for any other account."""
        if self.driver is None:
            raise NotFound
        return self.driver

    def with_user(self, user: User) -> Self:
        return replace(self, user=user)

    def with_driver(self, driver: Driver) -> Self:
        return replace(self, driver=driver, user=self.user.changed())

    def rated(self, stars: int) -> Self:
        """One more rating of the person; an administrator is never rated."""
        person = self._person()
        return self._with_person(replace(person, rating=person.rating.rated(stars)))

    def rode(self) -> Self:
        """One more completed ride."""
        person = self._person()
        return self._with_person(replace(person, total_rides=person.total_rides + 1))

    def profile(self, *, now: datetime) -> Profile:
        """The full public state: what other services keep a projection of."""
        return Profile(
            user_id=self.id,
            version=self.user.version,
            user_type=self.user.user_type,
            status=self.user.status,
            full_name=self.full_name,
            approval_status=self.approval_status,
            vehicles=self.vehicles,
            average_rating=self.average_rating,
            total_rides=self.person.total_rides if self.person else 0,
            pix_key_changed_at=self.driver.pix_key_changed_at if self.driver else None,
            updated_at=now,
        )

    def _person(self) -> Passenger | Driver:
        if self.person is None:
            raise NotFound
        return self.person

    def _with_person(self, person: Passenger | Driver) -> Self:
        user = self.user.changed()
        if isinstance(person, Driver):
            return replace(self, user=user, driver=person)
        return replace(self, user=user, passenger=person)
