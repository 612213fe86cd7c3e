"""The search for a driver: tries, timed waves, and a radius that grows only when the pool is short."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPolicy:
    """How a search goes. Times in seconds, distances in metres; `inflight_cap` open offers a driver.

    `offer_min_s`: no further wave when less than this is left of the search, as nobody could answer it.
    """

    offer_ttl_s: float = 15.0
    wave_size: int = 5
    wave_interval_s: float = 4.0
    radius_m: int = 2000
    radius_step_m: int = 2000
    max_radius_m: int = 8000
    search_ttl_s: float = 120.0
    inflight_cap: int = 2
    offer_min_s: float = 1.0
    fresh_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where the search stands. A try ends when its driver gives up or when its pool is used up; `wave`
    counts on over all tries."""

    try_no: int
    wave: int
    radius_m: int
    started_at: datetime
    ends_at: datetime
    next_wave_at: datetime

    @classmethod
    def begin(cls, policy: SearchPolicy, *, now: datetime) -> Self:
        """The first try, due at once."""
        ends_at = now + timedelta(seconds=policy.search_ttl_s)
        return cls(
            try_no=1, wave=0, radius_m=policy.radius_m, started_at=now, ends_at=ends_at, next_wave_at=now
        )

    def again(self, policy: SearchPolicy, *, now: datetime) -> Self:
        """A new try with all of its time, after a driver gave the ride up."""
        fresh = type(self).begin(policy, now=now)
        return replace(fresh, try_no=self.try_no + 1, wave=self.wave)

    def waved(self, policy: SearchPolicy, *, radius_m: int, now: datetime) -> Self:
        """A wave went out."""
        next_wave_at = now + timedelta(seconds=policy.wave_interval_s)
        return replace(self, wave=self.wave + 1, radius_m=radius_m, next_wave_at=next_wave_at)

    def idled(self, policy: SearchPolicy, *, radius_m: int, used_up: bool, now: datetime) -> Self:
        """A wave found nobody. `used_up`: those nearby all had their offer, so a new try may ask again."""
        return replace(
            self,
            try_no=self.try_no + 1 if used_up else self.try_no,
            radius_m=radius_m,
            next_wave_at=now + timedelta(seconds=policy.wave_interval_s),
        )

    def due(self, policy: SearchPolicy, *, now: datetime) -> bool:
        """Whether a wave may go out now."""
        left_s = (self.ends_at - now).total_seconds()
        return self.next_wave_at <= now and left_s >= policy.offer_min_s

    def offer_until(self, policy: SearchPolicy, *, now: datetime) -> datetime:
        """When an offer made now expires: never after the search."""
        return min(now + timedelta(seconds=policy.offer_ttl_s), self.ends_at)


def wider(policy: SearchPolicy, *, radius_m: int) -> int | None:
    """The next radius, None at the widest."""
    if radius_m >= policy.max_radius_m:
        return None
    return min(radius_m + policy.radius_step_m, policy.max_radius_m)
