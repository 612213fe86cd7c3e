"""Money is `Decimal` with exactly two places. Never a float; never a lost centavo."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

CENTAVO: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")
BPS: Final = 10_000


class NotMoney(ValueError):
    """The value is not an exact amount with at most two decimals."""


def money(value: str | int | Decimal) -> Decimal:
    """An amount with exactly two places; NotMoney for floats, NaN or a third decimal."""
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        raise NotMoney(f"not an exact amount: {value!r}")
    try:
        amount = Decimal(value)
        exact = amount.quantize(CENTAVO)
    except InvalidOperation as error:
        raise NotMoney(f"not an amount: {value!r}") from error
    if exact != amount:
        raise NotMoney(f"more than two decimals: {value!r}")
    return exact


def round_money(value: Decimal) -> Decimal:
    """Round a computed amount half-even to the centavo. Only for prices, never for money that exists."""
    return value.quantize(CENTAVO, rounding=ROUND_HALF_EVEN)


def take_bps(amount: Decimal, *, bps: int) -> tuple[Decimal, Decimal]:
    """Split `amount` into (the part of `bps` basis points rounded down to the centavo, the rest).

    The two always add up to `amount`: the odd centavo stays in the rest.
    """
    if not 0 <= bps <= BPS:
        raise ValueError(f"basis points out of range: {bps}")
    part = (amount * bps / BPS).quantize(CENTAVO, rounding=ROUND_DOWN)
    return part, amount - part


def split(amount: Decimal, *, weights: Sequence[Decimal | int]) -> list[Decimal]:
    """Share `amount` in proportion to `weights`; the shares add up to it exactly.

    Centavos left by rounding down go one each to the largest remainders (earliest first on a tie).
    """
    total = sum((Decimal(weight) for weight in weights), Decimal(0))
    if not weights or total <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative and add up to more than zero")
    centavos = int(money(amount) / CENTAVO)
    exact = [centavos * Decimal(weight) / total for weight in weights]
    shares = [int(share.to_integral_value(rounding=ROUND_DOWN)) for share in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: centavos - sum(shares)]:
        shares[i] += 1
    return [share * CENTAVO for share in shares]
