"""CPF against validate-docbr, and what it lets through that we do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from validate_docbr import CPF

from kernel.documents import InvalidDocument, parse_cpf

digits = st.text("0123456789", min_size=11, max_size=11)


@given(digits)
def test_any_eleven_digits_are_judged_as_by_validate_docbr(text: str) -> None:
    assert _accepts(text) == CPF().validate(text)


@given(st.text("0123456789", min_size=9, max_size=9).filter(lambda base: len(set(base)) > 1))
def test_exactly_one_pair_of_check_digits_fits(base: str) -> None:
    fitting = [f"{pair:02}" for pair in range(100) if _accepts(f"{base}{pair:02}")]
    assert len(fitting) == 1
    assert CPF().validate(base + fitting[0])


@pytest.mark.parametrize("text", ["11144477735", "111.444.777-35", " 111.444.777-35\n", "111444777-35"])
def test_a_cpf_is_read_with_or_without_punctuation(text: str) -> None:
    assert parse_cpf(text) == "11144477735"


@pytest.mark.parametrize("digit", "0123456789")
def test_one_digit_eleven_times_is_nobodys_cpf(digit: str) -> None:
    assert not _accepts(digit * 11)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1114447773",
        "111444777350",
        "11144477734",
        "111 444 777 35",
        "١١١٤٤٤٧٧٧٣٥",
        "1114447773²",
        "111.444.777-3５",
    ],
)
def test_what_is_not_a_cpf_in_ascii_digits_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse_cpf(text)
    assert refused.value.code == "invalid_cpf"


def test_the_refusal_does_not_repeat_the_number() -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse_cpf("11144477734")
    assert str(refused.value) == "invalid_cpf"


def _accepts(text: str) -> bool:
    try:
        return parse_cpf(text) == text
    except InvalidDocument:
        return False
