"""CNH: the driving licence's register number, 11 digits of which the last two check the others.

Two computations of the last digit are in public use and disagree on 2.5 % of numbers. No official text
was found, so either is accepted: the digits catch typing errors, they do not prove a licence.
"""

import re
from typing import Final

from kernel.documents.check_digits import all_equal, weighted_sum
from kernel.documents.invalid import InvalidDocument

SHAPE: Final = re.compile(r"([0-9]{3}) ?([0-9]{3}) ?([0-9]{3}) ?([0-9]{2})")


def parse_cnh(text: str) -> str:
    """The 11 digits of a CNH's register number; InvalidDocument `invalid_cnh`."""
    match = SHAPE.fullmatch(text.strip())
    if match is None:
        raise InvalidDocument("invalid_cnh")
    digits = "".join(match.groups())
    if all_equal(digits) or digits[9:] not in _check_digits(digits[:9]):
        raise InvalidDocument("invalid_cnh")
    return digits


def _check_digits(base: str) -> set[str]:
    first = weighted_sum(base, weights=range(9, 0, -1)) % 11
    discount = 2 if first == 10 else 0
    second = weighted_sum(base, weights=range(1, 10)) % 11
    wrapped = (second - discount) % 11 % 10
    clipped = 0 if second == 10 else second - discount
    # A negative `clipped` has two characters and so equals no digit, which is what that computation does.
    return {f"{first % 10}{wrapped}", f"{first % 10}{clipped}"}
