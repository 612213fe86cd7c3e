"""What others think of a person: the sum and number of stars, and their average."""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, Self

MIN_STARS: Final = 1
MAX_STARS: Final = 5
HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """Kept as sum and count, because an average of averages drifts."""

    stars_sum: int = 0
    stars_count: int = 0

    @property
    def average(self) -> Decimal | None:
        """Two places, half-even (blueprint: Decimal(3,2)); None before the first rating."""
        if self.stars_count == 0:
            return None
        exact = Decimal(self.stars_sum) / Decimal(self.stars_count)
        return exact.quantize(HUNDREDTH, rounding=ROUND_HALF_EVEN)

    def rated(self, stars: int) -> Self:
        """One more rating; ValueError outside 1 to 5."""
        if not MIN_STARS <= stars <= MAX_STARS:
            raise ValueError(f"stars out of range: {stars}")
        return replace(self, stars_sum=self.stars_sum + stars, stars_count=self.stars_count + 1)
