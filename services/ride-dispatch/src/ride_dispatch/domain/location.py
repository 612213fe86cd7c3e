"""The gate that a driver's points pass: accuracy, age, order, rate and speed. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ride_dispatch.domain.place import Place, distance_m


class Drop(StrEnum):
    """Why a point was dropped (a metric label)."""

    INACCURATE = "inaccurate"
    STALE = "stale"
    FUTURE = "future"
    OUT_OF_ORDER = "out_of_order"
    TOO_OFTEN = "too_often"
    TOO_FAST = "too_fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationPolicy:
    """What a believable point is."""

    max_accuracy_m: float = 50.0
    max_age_s: float = 120.0
    max_ahead_s: float = 10.0
    min_interval_s: float = 0.2
    max_speed_mps: float = 70.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    place: Place
    recorded_at: datetime
    accuracy_m: float | None = None
    heading_deg: float | None = None
    speed_mps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """`anchor` is the last believed point, `suspect` a later one that was too far away to believe."""

    anchor: Point | None = None
    suspect: Point | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The believed points in order, the trail to go on with, and what was dropped."""

    points: tuple[Point, ...]
    trail: Trail
    dropped: Counter[Drop] = field(default_factory=Counter)


def admit(points: Iterable[Point], *, trail: Trail, policy: LocationPolicy, now: datetime) -> Admitted:
    """Pass a batch through the gate, oldest first."""
    believed: list[Point] = []
    dropped: Counter[Drop] = Counter()
    for point in sorted(points, key=lambda point: point.recorded_at):
        drop = why_dropped(point, trail=trail, policy=policy, now=now)
        if drop is None:
            believed.append(point)
            trail = Trail(anchor=point)
            continue
        dropped[drop] += 1
        if drop is Drop.TOO_FAST:
            trail = Trail(anchor=trail.anchor, suspect=point)
    return Admitted(points=tuple(believed), trail=trail, dropped=dropped)


def why_dropped(point: Point, *, trail: Trail, policy: LocationPolicy, now: datetime) -> Drop | None:
    """The rule that `point` breaks, None when it is believed.

    A jump is believed once a second point confirms it: then it was the anchor that was wrong (a first fix
    in a garage), and refusing for ever would hide the driver.
    """
    alone = _why_dropped_alone(point, policy=policy, now=now)
    if alone is not None or trail.anchor is None:
        return alone
    since_s = (point.recorded_at - trail.anchor.recorded_at).total_seconds()
    if since_s <= 0:
        return Drop.OUT_OF_ORDER
    if since_s < policy.min_interval_s:
        return Drop.TOO_OFTEN
    if _plausible(trail.anchor, point, policy=policy):
        return None
    if trail.suspect is not None and _plausible(trail.suspect, point, policy=policy):
        return None
    return Drop.TOO_FAST


def _why_dropped_alone(point: Point, *, policy: LocationPolicy, now: datetime) -> Drop | None:
    age_s = (now - point.recorded_at).total_seconds()
    if point.accuracy_m is not None and point.accuracy_m > policy.max_accuracy_m:
        return Drop.INACCURATE
    if age_s > policy.max_age_s:
        return Drop.STALE
    return Drop.FUTURE if -age_s > policy.max_ahead_s else None


def _plausible(start: Point, end: Point, *, policy: LocationPolicy) -> bool:
    elapsed_s = (end.recorded_at - start.recorded_at).total_seconds()
    return elapsed_s > 0 and distance_m(start.place, end.place) <= policy.max_speed_mps * elapsed_s
