"""Plates: both forms, and one car's two names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.documents import InvalidDocument, parse_plate, to_mercosul, to_old_plate

old_plates = st.from_regex(r"[A-Z]{3}[0-9]{4}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "plate"),
    [("ABC1234", "ABC1234"), ("abc-1234", "ABC1234"), (" ABC 1D23 ", "ABC1D23"), ("abc1d23", "ABC1D23")],
)
def test_a_plate_is_read_as_people_write_it(text: str, plate: str) -> None:
    assert parse_plate(text) == plate


@pytest.mark.parametrize(
    "text",
    ["", "ABC123", "ABCD123", "AB12345", "ABC12345", "ABC1DD3", "ABC-1-234", "ÀBC1234", "ABC١234", "ſBC1234"],
)
def test_what_is_not_a_plate_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse_plate(text)
    assert refused.value.code == "invalid_plate"


@pytest.mark.parametrize(
    ("old", "mercosul"), [("ABC4567", "ABC4F67"), ("AAA0000", "AAA0A00"), ("ZZZ9999", "ZZZ9J99")]
)
def test_the_second_figure_becomes_a_letter(old: str, mercosul: str) -> None:
    assert to_mercosul(old) == mercosul
    assert to_old_plate(mercosul) == old


@given(old_plates)
def test_the_conversion_goes_both_ways(plate: str) -> None:
    mercosul = to_mercosul(plate)
    assert to_old_plate(mercosul) == to_old_plate(plate) == plate
    assert to_mercosul(mercosul) == mercosul == parse_plate(mercosul)


def test_a_plate_born_mercosul_has_no_old_form() -> None:
    assert to_old_plate("ABC1K23") is None
