"""Licence plates: the old form (ABC1234) and Mercosul's (ABC1D23).

A car that changed form keeps its plate with the second figure written as a letter, 0 to 9 as A to J
(Resolução Contran 969/2022), so the two are names of one car.
"""

import re
from typing import Final

from kernel.documents.invalid import InvalidDocument

OLD: Final = re.compile(r"[A-Z]{3}[0-9]{4}")
MERCOSUL: Final = re.compile(r"[A-Z]{3}[0-9][A-Z][0-9]{2}")
LETTERS: Final = "ABCDEFGHIJ"


def parse_plate(text: str) -> str:
    """The seven characters as written, upper case and without a hyphen; InvalidDocument `invalid_plate`."""
    stripped = text.strip()
    plate = re.sub(r"^(.{3})[- ]", r"\1", stripped).upper()
    if not stripped.isascii() or not (OLD.fullmatch(plate) or MERCOSUL.fullmatch(plate)):
        raise InvalidDocument("invalid_plate")
    return plate


def to_mercosul(plate: str) -> str:
    """The Mercosul form of either form: what to compare two plates by. InvalidDocument as `parse_plate`."""
    canonical = parse_plate(plate)
    if not OLD.fullmatch(canonical):
        return canonical
    return canonical[:4] + LETTERS[int(canonical[4])] + canonical[5:]


def to_old_plate(plate: str) -> str | None:
    """The old form of either form, or None for a plate that was born Mercosul (a letter beyond J)."""
    canonical = parse_plate(plate)
    if OLD.fullmatch(canonical):
        return canonical
    figure = LETTERS.find(canonical[4])
    return None if figure < 0 else f"{canonical[:4]}{figure}{canonical[5:]}"
