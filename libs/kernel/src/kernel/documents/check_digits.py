"""Weighted modulo-11 sums, which all these documents share."""

from collections.abc import Iterable


def weighted_sum(text: str, *, weights: Iterable[int]) -> int:
    """Sum of each character's value times its weight, up to the shorter of the two.

    A character is worth its ASCII code less 48: a digit is itself, a letter as IN RFB 2.229/2024 says.
    """
    return sum((ord(character) - 48) * weight for character, weight in zip(text, weights, strict=False))


def all_equal(text: str) -> bool:
    """Numbers such as 111.111.111-11 pass the sums and belong to nobody."""
    return len(set(text)) == 1
