"""Money is `Decimal` with exactly two places. Never a float; never a lost centavo."""

import re
from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction
from math import floor
from typing import Final

CENTAVO: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")
BPS: Final = 10_000
# Thirteen digits before the point: what a fact's schema allows, and far within Decimal's 28.
LIMIT: Final = Decimal(10) ** 13
# Decimal itself also reads underscores, exponents and the digits of other scripts.
TEXT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# As we write it ourselves: nothing about it is left to find out.
WRITTEN: Final = re.compile(r"[0-9]{1,13}\.[0-9]{2}")


class NotMoney(ValueError):
    """The value is not an exact amount with at most two decimals."""


def money(value: str | int | Decimal) -> Decimal:
    """An amount with exactly two places; NotMoney for floats, NaN, a third decimal or more than 13 digits.

    Text is plain ASCII figures ("50", "50.0", "50.00"); minus zero is zero.
    """
    # Most that pass here were an amount before.
    if type(value) is Decimal and value.same_quantum(CENTAVO) and abs(value) < LIMIT:
        return value + ZERO
    if type(value) is str and WRITTEN.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        raise NotMoney(f"not an exact amount: {value!r}")
    if isinstance(value, str) and not TEXT.fullmatch(value):
        raise NotMoney(f"not an amount: {value!r}")
    try:
        amount = Decimal(value)
        exact = amount.quantize(CENTAVO)
    except InvalidOperation as error:
        raise NotMoney(f"not an amount: {value!r}") from error
    if exact != amount:
        raise NotMoney(f"more than two decimals: {value!r}")
    if abs(exact) >= LIMIT:
        raise NotMoney(f"out of range: {value!r}")
    return exact + ZERO


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

    Centavos left by rounding towards zero go one each to the largest remainders (earliest first on a tie),
    so a negative amount is shared as its opposite is. ValueError for weights that share nothing.
    """
    if not weights or any(weight < 0 for weight in weights) or not any(weights):
        raise ValueError("weights must be non-negative and add up to more than zero")
    centavos = int(money(amount) / CENTAVO)
    unit = CENTAVO.copy_sign(amount)
    total = sum(map(Fraction, weights))
    # Fractions: a quotient cut at 28 digits can round up to the next centavo and share one too many.
    exact = [abs(centavos) * Fraction(weight) / total for weight in weights]
    shares = [floor(share) for share in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: abs(centavos) - sum(shares)]:
        shares[i] += 1
    return [share * unit + ZERO for share in shares]
