"""CNPJ: the company's tax number, 14 characters of which the last two, always digits, check the others.

Since July 2026 the first twelve may hold letters (Instrução Normativa RFB 2.229/2024).
"""

import re
from typing import Final

from kernel.documents.check_digits import all_equal, weighted_sum
from kernel.documents.invalid import InvalidDocument

SHAPE: Final = re.compile(r"([0-9A-Z]{2})\.?([0-9A-Z]{3})\.?([0-9A-Z]{3})/?([0-9A-Z]{4})-?([0-9]{2})")
FIRST: Final = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
SECOND: Final = (6, *FIRST)


def parse_cnpj(text: str) -> str:
    """The 14 characters of a CNPJ, upper case and without punctuation; InvalidDocument `invalid_cnpj`."""
    stripped = text.strip()
    # Only ASCII may be upper-cased: "ı".upper() is an honest-looking "I".
    match = SHAPE.fullmatch(stripped.upper()) if stripped.isascii() else None
    if match is None:
        raise InvalidDocument("invalid_cnpj")
    characters = "".join(match.groups())
    if all_equal(characters) or characters[12:] != _check_digits(characters[:12]):
        raise InvalidDocument("invalid_cnpj")
    return characters


def _check_digits(base: str) -> str:
    first = _check_digit(weighted_sum(base, weights=FIRST))
    second = _check_digit(weighted_sum(f"{base}{first}", weights=SECOND))
    return f"{first}{second}"


def _check_digit(total: int) -> int:
    remainder = total % 11
    return 0 if remainder < 2 else 11 - remainder
