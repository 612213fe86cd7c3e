"""CPF: the natural person's tax number, 11 digits of which the last two check the others."""

import re
from typing import Final

from kernel.documents.check_digits import all_equal, weighted_sum
from kernel.documents.invalid import InvalidDocument

# [0-9] and not \d: other scripts' digits match \d and would slip through.
SHAPE: Final = re.compile(r"([0-9]{3})\.?([0-9]{3})\.?([0-9]{3})-?([0-9]{2})")


def parse_cpf(text: str) -> str:
    """The 11 digits of a CPF written with or without its punctuation; InvalidDocument `invalid_cpf`."""
    match = SHAPE.fullmatch(text.strip())
    if match is None:
        raise InvalidDocument("invalid_cpf")
    digits = "".join(match.groups())
    if all_equal(digits) or digits[9:] != _check_digits(digits[:9]):
        raise InvalidDocument("invalid_cpf")
    return digits


def _check_digits(base: str) -> str:
    first = weighted_sum(base, weights=range(10, 1, -1)) * 10 % 11 % 10
    second = weighted_sum(f"{base}{first}", weights=range(11, 1, -1)) * 10 % 11 % 10
    return f"{first}{second}"
