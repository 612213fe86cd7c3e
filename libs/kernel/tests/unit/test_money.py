"""Money: exact, two places, nothing lost."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import CENTAVO, ZERO, NotMoney, money, round_money, split, take_bps

amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=2).map(lambda amount: amount + ZERO)
non_negative = st.decimals(min_value=0, max_value=10**12, places=2)
weights = st.lists(
    st.one_of(
        st.integers(min_value=0, max_value=10**15), st.decimals(min_value=0, max_value=10**6, places=6)
    ),
    min_size=1,
    max_size=20,
).filter(any)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("50", "50.00"),
        ("50.0", "50.00"),
        ("-3.75", "-3.75"),
        (7, "7.00"),
        (Decimal("10.000000"), "10.00"),
        ("9999999999999.99", "9999999999999.99"),
    ],
)
def test_an_exact_amount_gets_two_places(value: str | int | Decimal, amount: str) -> None:
    assert str(money(value)) == amount


@pytest.mark.parametrize("value", [1.5, True, None, b"1.00", [1]])
def test_what_is_not_exact_is_not_money(value: object) -> None:
    with pytest.raises(NotMoney):
        money(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    ["", " 1.00", "1,00", "1_000", "1e3", "NaN", "Infinity", "1.", ".5", "+1", "١.00", "1.00\n", "1.001"],
)
def test_only_plain_ascii_figures_are_money(value: str) -> None:
    with pytest.raises(NotMoney):
        money(value)


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), Decimal("1E+40"), "10000000000000.00", 10**13]
)
def test_what_no_fact_could_carry_is_not_money(value: str | int | Decimal) -> None:
    with pytest.raises(NotMoney):
        money(value)


@pytest.mark.parametrize("value", ["-0.00", Decimal("-0")])
def test_minus_zero_is_zero(value: str | Decimal) -> None:
    assert str(money(value)) == "0.00"


@given(amounts)
def test_money_survives_its_own_text(amount: Decimal) -> None:
    assert money(str(amount)) == amount
    assert str(money(amount)) == str(amount)


@pytest.mark.parametrize(
    ("computed", "rounded"), [("0.005", "0.00"), ("0.015", "0.02"), ("0.0151", "0.02"), ("-0.025", "-0.02")]
)
def test_a_computed_price_rounds_half_to_even(computed: str, rounded: str) -> None:
    assert str(round_money(Decimal(computed))) == rounded


def test_the_odd_centavo_of_a_commission_stays_in_the_rest() -> None:
    assert take_bps(Decimal("10.99"), bps=2000) == (Decimal("2.19"), Decimal("8.80"))


@given(non_negative, st.integers(min_value=0, max_value=10_000))
def test_a_part_in_basis_points_loses_no_centavo(amount: Decimal, bps: int) -> None:
    part, rest = take_bps(amount, bps=bps)
    assert part + rest == amount
    assert 0 <= part * 10_000 <= amount * bps
    assert amount * bps - part * 10_000 < 100
    assert part.as_tuple().exponent == rest.as_tuple().exponent == -2


@pytest.mark.parametrize("bps", [-1, 10_001])
def test_basis_points_stay_between_nothing_and_everything(bps: int) -> None:
    with pytest.raises(ValueError, match="basis points"):
        take_bps(Decimal("1.00"), bps=bps)


def test_a_split_gives_the_odd_centavos_to_the_largest_remainders_and_the_earliest() -> None:
    assert split(Decimal("1.00"), weights=[1, 1, 1]) == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]
    assert split(Decimal("0.05"), weights=[1, 2]) == [Decimal("0.02"), Decimal("0.03")]


@given(amounts, weights)
def test_a_split_loses_no_centavo(amount: Decimal, weights: list[Decimal | int]) -> None:
    assert sum(split(amount, weights=weights), ZERO) == amount


@given(amounts, weights)
def test_no_share_is_a_whole_centavo_away_from_its_due(amount: Decimal, weights: list[Decimal | int]) -> None:
    total = sum(map(Fraction, weights))
    for share, weight in zip(split(amount, weights=weights), weights, strict=True):
        assert abs(Fraction(share) - Fraction(amount) * Fraction(weight) / total) < Fraction(CENTAVO)
        assert weight or not share


@given(amounts, weights)
def test_a_reversal_is_split_as_its_original(amount: Decimal, weights: list[Decimal | int]) -> None:
    shares = split(amount, weights=weights)
    assert split(-amount, weights=weights) == [-share for share in shares]
    assert not any(str(share).startswith("-0.00") for share in shares)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [Decimal("-0.5"), 2]])
def test_weights_that_share_nothing_are_a_mistake(weights: list[Decimal | int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split(Decimal("1.00"), weights=weights)


def test_a_split_of_what_is_not_money_is_refused() -> None:
    with pytest.raises(NotMoney):
        split(Decimal("0.001"), weights=[1])
