"""Who gets the next wave of offers: gates that count whom they drop, then the nearest. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from ride_dispatch.domain.search import SearchPolicy


class Gate(StrEnum):
    """Why a driver nearby got no offer (a metric label)."""

    BARRED = "barred"
    OFFLINE = "offline"
    BUSY = "busy"
    NOT_ELIGIBLE = "not_eligible"
    OTHER_CATEGORY = "other_category"
    CAPPED = "capped"
    BEYOND_WAVE = "beyond_wave"


NOT_FREE: Final = frozenset({Gate.OFFLINE, Gate.BUSY, Gate.NOT_ELIGIBLE, Gate.OTHER_CATEGORY})
"""An index that was up to date would not have found them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A driver that the index found, and the distance of their last true position from the pickup."""

    driver_id: UUID
    distance_m: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A driver nearby with what Postgres says of them, read under their row's lock."""

    driver_id: UUID
    distance_m: int
    online: bool
    busy: bool
    eligible: bool
    same_category: bool
    open_offers: int
    rating: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The drivers of the wave, nearest first, how many each gate dropped, and who is not free at all."""

    chosen: tuple[Candidate, ...]
    dropped: Counter[Gate]
    gone: tuple[UUID, ...] = ()


def choose(candidates: Iterable[Candidate], *, barred: Collection[UUID], policy: SearchPolicy) -> Choice:
    """The next wave: free, eligible drivers by distance, then rating (unrated last), then id."""
    dropped: Counter[Gate] = Counter()
    fit: list[Candidate] = []
    gone: list[UUID] = []
    for candidate in candidates:
        gate = gate_of(candidate, barred=barred, policy=policy)
        if gate is None:
            fit.append(candidate)
            continue
        dropped[gate] += 1
        if gate in NOT_FREE:
            gone.append(candidate.driver_id)
    fit.sort(key=_rank)
    if len(fit) > policy.wave_size:
        dropped[Gate.BEYOND_WAVE] = len(fit) - policy.wave_size
    return Choice(chosen=tuple(fit[: policy.wave_size]), dropped=dropped, gone=tuple(gone))


def gate_of(candidate: Candidate, *, barred: Collection[UUID], policy: SearchPolicy) -> Gate | None:
    """The first gate that keeps this driver out, None when they may be offered the ride."""
    gates = (
        (Gate.BARRED, candidate.driver_id in barred),
        (Gate.OFFLINE, not candidate.online),
        (Gate.BUSY, candidate.busy),
        (Gate.NOT_ELIGIBLE, not candidate.eligible),
        (Gate.OTHER_CATEGORY, not candidate.same_category),
        (Gate.CAPPED, candidate.open_offers >= policy.inflight_cap),
    )
    return next((gate for gate, closed in gates if closed), None)


def short(pool: Sequence[Near], *, barred: Collection[UUID], policy: SearchPolicy) -> bool:
    """Whether the pool cannot fill a wave, so that the radius should grow."""
    return sum(near.driver_id not in barred for near in pool) < policy.wave_size


def _rank(candidate: Candidate) -> tuple[int, Decimal, UUID]:
    return (candidate.distance_m, -(candidate.rating or Decimal(0)), candidate.driver_id)
