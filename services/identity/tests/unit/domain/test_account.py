"""An account, its rating and its public profile."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_fakes import NOON, driver, passenger

from contracts.identity import ApprovalStatus, UserType
from identity.domain.account import ADMIN_NAME, Account
from identity.domain.rating import Rating
from identity.domain.registration import new_admin, registration_facts
from kernel.ids import new_id
from kernel.refusals import NotFound


def admin() -> Account:
    return new_admin(user_id=new_id(), email="root@ibora.com.br", phone=None, now=NOON)


def test_the_profile_holds_no_personal_data_but_the_name() -> None:
    account = driver()
    profile = account.profile(now=NOON).model_dump_json()
    person = account.the_driver()
    for secret in (person.cpf, person.cnh_number, person.pix_key, account.user.email, account.user.phone):
        assert str(secret) not in profile
    assert person.full_name in profile


def test_a_drivers_profile_says_approval_and_vehicles() -> None:
    profile = driver().profile(now=NOON)
    assert profile.approval_status is ApprovalStatus.PENDING
    assert [car.model for car in profile.vehicles] == ["Argo"]
    assert profile.pix_key_changed_at == NOON


def test_a_passengers_profile_has_neither() -> None:
    profile = passenger().profile(now=NOON)
    assert (profile.approval_status, profile.vehicles, profile.pix_key_changed_at) == (None, (), None)


def test_an_administrators_profile_has_a_name_all_the_same() -> None:
    profile = admin().profile(now=NOON)
    assert (profile.full_name, profile.total_rides, profile.average_rating) == (ADMIN_NAME, 0, None)


def test_an_administrator_is_no_driver_and_is_not_rated() -> None:
    with pytest.raises(NotFound):
        admin().the_driver()
    with pytest.raises(NotFound):
        admin().rated(5)


@pytest.mark.parametrize("account", [driver(), passenger()])
def test_every_change_is_a_new_version(account: Account) -> None:
    changed = account.rated(5).rode()
    assert changed.user.version == account.user.version + 2
    assert changed.average_rating == Decimal("5.00")
    assert changed.profile(now=NOON).total_rides == 1


def test_only_an_active_account_is_active() -> None:
    suspended, _ = passenger().user.suspend(reason="r", now=NOON)
    assert passenger().active
    assert not passenger().with_user(suspended).active


def test_a_driver_is_submitted_besides_being_registered() -> None:
    assert [fact.fact for fact in registration_facts(driver(), now=NOON)] == [
        "user.registered",
        "driver.submitted",
    ]
    assert [fact.fact for fact in registration_facts(passenger(), now=NOON)] == ["user.registered"]


def test_an_administrator_starts_active() -> None:
    assert (admin().user.user_type, admin().active) == (UserType.ADMIN, True)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=50))
def test_the_average_is_the_average(stars: list[int]) -> None:
    rating = Rating()
    for each in stars:
        rating = rating.rated(each)
    assert rating.average is not None
    assert abs(rating.average - Decimal(sum(stars)) / len(stars)) <= Decimal("0.005")


def test_nobody_has_an_average_before_the_first_rating() -> None:
    assert Rating().average is None


@pytest.mark.parametrize("stars", [0, 6, -1])
def test_stars_are_one_to_five(stars: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        Rating().rated(stars)
