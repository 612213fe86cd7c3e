"""Telephones in E.164."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.documents import InvalidDocument, parse_phone

mobiles = st.from_regex(r"9[6-9][0-9]{7}", fullmatch=True)


@pytest.mark.parametrize(
    "text",
    [
        "(11) 98765-4321",
        "11987654321",
        "+55 11 98765-4321",
        "5511987654321",
        "011 98765.4321",
        " +5511987654321 ",
    ],
)
def test_a_number_without_a_country_is_brazilian(text: str) -> None:
    assert parse_phone(text) == "+5511987654321"


def test_a_foreign_number_is_kept() -> None:
    assert parse_phone("+1 (415) 555-2671") == "+14155552671"


@given(st.sampled_from(["11", "21", "31", "48", "71", "92"]), mobiles)
def test_what_is_accepted_is_valid_and_parsing_it_again_changes_nothing(area: str, number: str) -> None:
    phone = parse_phone(area + number)
    assert phone == f"+55{area}{number}" == parse_phone(phone)
    assert phonenumbers.is_valid_number(phonenumbers.parse(phone, None))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123",
        "11 8765",
        "+999 123456789",
        "00 98765-4321",
        "0800-FLORES",
        "11987654321 ext 2",
        "١١٩٨٧٦٥٤٣٢١",
        "tel:11987654321",
        "+" + "1" * 30,
    ],
)
def test_what_is_not_a_number_in_ascii_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse_phone(text)
    assert refused.value.code == "invalid_phone"
