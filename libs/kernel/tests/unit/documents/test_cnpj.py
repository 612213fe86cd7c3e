"""CNPJ, numeric and alphanumeric, against validate-docbr."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from validate_docbr import CNPJ

from kernel.documents import InvalidDocument, parse_cnpj

numeric = st.text(string.digits, min_size=12, max_size=12)
alphanumeric = st.text(string.digits + string.ascii_uppercase, min_size=12, max_size=12)
check_digits = st.text(string.digits, min_size=2, max_size=2)


@given(st.one_of(numeric, alphanumeric), check_digits)
def test_any_base_is_judged_as_by_validate_docbr(base: str, digits: str) -> None:
    assert _accepts(base + digits) == CNPJ().validate(base + digits)


@given(st.one_of(numeric, alphanumeric).filter(lambda base: len(set(base)) > 1))
def test_exactly_one_pair_of_check_digits_fits(base: str) -> None:
    fitting = [f"{pair:02}" for pair in range(100) if _accepts(f"{base}{pair:02}")]
    assert len(fitting) == 1
    assert CNPJ().validate(base + fitting[0])


@pytest.mark.parametrize(
    ("text", "cnpj"),
    [
        ("11.222.333/0001-81", "11222333000181"),
        ("11222333000181", "11222333000181"),
        # The example that Receita Federal published with the new form.
        ("12.ABC.345/01DE-35", "12ABC34501DE35"),
        (" 12abc34501de35 ", "12ABC34501DE35"),
    ],
)
def test_a_cnpj_is_read_with_or_without_punctuation_and_in_either_case(text: str, cnpj: str) -> None:
    assert parse_cnpj(text) == cnpj


@pytest.mark.parametrize(
    "text",
    [
        "",
        "11222333000180",
        "1122233300018",
        "112223330001811",
        "12ABC34501DE3A",
        "0" * 14,
        "12ABC34501DEı5",
        "１1222333000181",
        "12ABC3450ſDE35",
    ],
)
def test_what_is_not_a_cnpj_in_ascii_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse_cnpj(text)
    assert refused.value.code == "invalid_cnpj"


def _accepts(text: str) -> bool:
    try:
        return parse_cnpj(text) == text
    except InvalidDocument:
        return False
