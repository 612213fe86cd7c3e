"""Applications are checked whole, field by field."""

from dataclasses import replace

import pytest
from identity_fakes import NOON, driver_application, passenger_application

from identity.domain.application import Application, check_application, check_pix_key
from identity.domain.email import parse_email
from identity.domain.login import Login
from identity.domain.registration import new_account
from kernel.documents import InvalidDocument, PixKeyType
from kernel.ids import new_id
from kernel.refusals import Invalid


def errors_of(application: Application) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        check_application(application, this_year=2026)
    return {error.pointer: error.code for error in refused.value.errors}


def test_a_checked_application_is_canonical() -> None:
    application = driver_application(
        email=" Davi@Exemplo.COM.BR ", phone="(11) 98765-4321", cpf="529.982.247-25", full_name=" Davi Lima "
    )
    checked = check_application(application, this_year=2026)
    assert (checked.email, checked.phone) == ("davi@exemplo.com.br", "+5511987654321")
    assert (checked.cpf, checked.full_name) == ("52998224725", "Davi Lima")


def test_every_wrong_field_is_told_at_once() -> None:
    vehicle = replace(
        driver_application().vehicle,  # type: ignore[type-var]
        license_plate="AB12",
        year=1950,
        brand=" ",
        model="A\x00",
    )
    wrong = driver_application(
        email="nada",
        phone="123",
        cpf="11111111111",
        cnh_number="1",
        pix_key="x",
        full_name="\x07",
        vehicle=vehicle,
    )
    assert errors_of(wrong) == {
        "/email": "invalid_email",
        "/phone": "invalid_phone",
        "/full_name": "invalid_text",
        "/cpf": "invalid_cpf",
        "/cnh_number": "invalid_cnh",
        "/pix_key": "invalid_pix_key",
        "/vehicle/year": "invalid_year",
        "/vehicle/license_plate": "invalid_plate",
        "/vehicle/brand": "invalid_text",
        "/vehicle/model": "invalid_text",
    }


def test_a_driver_needs_all_of_a_drivers_fields() -> None:
    bare = driver_application(cnh_number=None, pix_key=None, pix_key_type=None, vehicle=None)
    assert errors_of(bare) == {
        "/cnh_number": "missing",
        "/pix_key": "missing",
        "/pix_key_type": "missing",
        "/vehicle": "missing",
    }


def test_a_pix_key_without_its_type_is_not_guessed() -> None:
    assert errors_of(driver_application(pix_key_type=None)) == {"/pix_key_type": "missing"}


def test_a_passenger_has_none_of_a_drivers_fields() -> None:
    assert errors_of(passenger_application(cnh_number="1", pix_key="x")) == {
        "/cnh_number": "unexpected",
        "/pix_key": "unexpected",
    }


def test_a_passengers_application_passes() -> None:
    assert check_application(passenger_application(), this_year=2026).cpf == passenger_application().cpf


@pytest.mark.parametrize(("year", "right"), [(1979, False), (1980, True), (2027, True), (2028, False)])
def test_a_car_is_neither_a_wreck_nor_from_the_future(year: int, right: bool) -> None:
    application = driver_application(vehicle=replace(driver_application().vehicle, year=year))  # type: ignore[type-var]
    if right:
        check_application(application, this_year=2026)
    else:
        assert errors_of(application) == {"/vehicle/year": "invalid_year"}


def test_an_unchecked_drivers_application_opens_no_account() -> None:
    for lacking in ({"cnh_number": None}, {"vehicle": None}):
        with pytest.raises(ValueError, match="not checked"):
            new_account(driver_application(**lacking), user_id=new_id(), vehicle_id=new_id(), now=NOON)


def test_a_pix_key_is_checked_as_its_type() -> None:
    assert check_pix_key("(11) 98765-4321", pix_key_type=PixKeyType.PHONE) == "+5511987654321"
    with pytest.raises(Invalid) as refused:
        check_pix_key("(11) 98765-4321", pix_key_type=PixKeyType.CPF)
    assert refused.value.errors[0].pointer == "/pix_key"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@",
        "@b.c",
        "a@b",
        "a b@c.d",
        "a@b..c",
        ".a@b.c",
        "a@b.c.",
        "a@@b.c",
        "a@b.c\x00",
        f"{'a' * 65}@b.c",
        f"a@{'b' * 252}.c",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument, match="invalid_email"):
        parse_email(text)


@pytest.mark.parametrize("text", ["a@b.c", "Ana.Souza+ibora@Exemplo.test", "joão@exemplo.com.br"])
def test_an_address_is_lower_cased(text: str) -> None:
    assert parse_email(f" {text} ") == text.lower()


def test_a_login_is_an_address_a_phone_or_nobodys() -> None:
    assert Login.parse("ANA@exemplo.com").canonical == "ana@exemplo.com"
    assert Login.parse("11 98765-4321").canonical == "+5511987654321"
    assert Login.parse("ninguém").canonical == ""
    assert Login.parse("a@b@").canonical == ""
