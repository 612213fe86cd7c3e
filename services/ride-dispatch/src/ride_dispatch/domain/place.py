"""A place on the Earth, and how far another one is."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import asin, cos, degrees, radians, sin, sqrt
from typing import Final

EARTH_RADIUS_M: Final = 6_371_008.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """WGS 84 degrees: `lat` −90 to 90, `lon` −180 to 180; ValueError outside."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):
            raise ValueError("a place lies within ±90 and ±180 degrees")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in degrees that holds a circle; `west` > `east` when it crosses the date line."""

    south: float
    north: float
    west: float
    east: float


def distance_m(start: Place, end: Place) -> float:
    """The great-circle distance (haversine), in metres."""
    lat = radians(end.lat - start.lat)
    lon = radians(end.lon - start.lon)
    chord = sin(lat / 2) ** 2 + cos(radians(start.lat)) * cos(radians(end.lat)) * sin(lon / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))


def path_m(places: Iterable[Place], *, min_hop_m: float) -> float:
    """The length of a path, in metres. A hop shorter than `min_hop_m` is noise: the next is measured from
    the last place that was kept, so that a car which waits at a light travels nothing."""
    total = 0.0
    kept: Place | None = None
    for place in places:
        hop = distance_m(kept, place) if kept is not None else 0.0
        if kept is None or hop >= min_hop_m:
            total += hop
            kept = place
    return total


def box_around(center: Place, *, radius_m: float) -> Box:
    """The smallest rectangle around a circle; the whole turn of the Earth where a pole is inside."""
    lat = degrees(radius_m / EARTH_RADIUS_M)
    south, north = center.lat - lat, center.lat + lat
    if south <= -90 or north >= 90:
        return Box(south=max(south, -90.0), north=min(north, 90.0), west=-180.0, east=180.0)
    lon = degrees(asin(min(1.0, sin(radius_m / EARTH_RADIUS_M) / cos(radians(center.lat)))))
    return Box(south=south, north=north, west=_turn(center.lon - lon), east=_turn(center.lon + lon))


def _turn(lon: float) -> float:
    return (lon + 180.0) % 360.0 - 180.0
