"""CNH against validate-docbr and the other computation in public use."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from validate_docbr import CNH

from kernel.documents import InvalidDocument, parse_cnh

bases = st.text("0123456789", min_size=9, max_size=9)


@given(bases.filter(lambda base: len(set(base)) > 1), st.integers(min_value=0, max_value=99))
def test_every_licence_that_validate_docbr_accepts_is_accepted(base: str, other: int) -> None:
    fitting = [f"{base}{pair:02}" for pair in range(100) if CNH().validate(f"{base}{pair:02}")]
    assert all(_accepts(number) for number in fitting)
    assert _accepts(f"{base}{other:02}") == (f"{base}{other:02}" in {*fitting, *_other_variant(base)})


@given(bases.filter(lambda base: len(set(base)) > 1))
@example("000000051")
@example("000000140")
def test_one_or_two_pairs_of_check_digits_fit(base: str) -> None:
    fitting = [pair for pair in range(100) if _accepts(f"{base}{pair:02}")]
    assert 1 <= len(fitting) <= 2
    assert len({pair // 10 for pair in fitting}) == 1


def test_the_two_computations_disagree_on_some_number_and_both_are_accepted() -> None:
    bases_ = [f"{n:09}" for n in range(1, 2_000)]
    both = [base for base in bases_ if sum(_accepts(f"{base}{pair:02}") for pair in range(100)) == 2]
    assert both


@pytest.mark.parametrize("text", ["62472927637", "624 729 276 37", " 62472927637 "])
def test_a_cnh_is_read_with_or_without_spaces(text: str) -> None:
    assert parse_cnh(text) == "62472927637"


@pytest.mark.parametrize(
    "text", ["", "6247292763", "62472927638", "11111111111", "624.729.276-37", "٦٢٤٧٢٩٢٧٦٣٧"]
)
def test_what_is_not_a_cnh_in_ascii_digits_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse_cnh(text)
    assert refused.value.code == "invalid_cnh"


def _accepts(text: str) -> bool:
    try:
        return parse_cnh(text) == text
    except InvalidDocument:
        return False


def _other_variant(base: str) -> set[str]:
    """Written out as it is found in public, without sharing a line with the code under test."""
    first, discount = sum(int(base[i]) * (9 - i) for i in range(9)) % 11, 0
    if first >= 10:
        first, discount = 0, 2
    remainder = sum(int(base[i]) * (1 + i) for i in range(9)) % 11
    second = 0 if remainder >= 10 else remainder - discount
    return {f"{base}{first}{second}"} if second >= 0 else set()
