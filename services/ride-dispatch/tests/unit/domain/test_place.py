from math import cos, degrees, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ride_dispatch.domain.place import Place, box_around, distance_m, path_m

places = st.builds(Place, lat=st.floats(-90, 90), lon=st.floats(-180, 180))


def test_a_known_distance() -> None:
    sao_paulo, rio = Place(lat=-23.5505, lon=-46.6333), Place(lat=-22.9068, lon=-43.1729)
    assert distance_m(sao_paulo, rio) == pytest.approx(360_700, rel=0.005)


@given(places, places)
def test_a_distance_is_symmetric_and_at_most_half_the_earth(a: Place, b: Place) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=1e-3)
    assert 0 <= distance_m(a, b) <= 20_015_115


@pytest.mark.parametrize(("lat", "lon"), [(91, 0), (-91, 0), (0, 181), (0, -181), (float("nan"), 0)])
def test_a_place_lies_on_the_earth(lat: float, lon: float) -> None:
    with pytest.raises(ValueError, match="degrees"):
        Place(lat=lat, lon=lon)


def test_a_car_that_waits_at_a_light_travels_nothing() -> None:
    jitter = [Place(lat=-23.5 + 1e-6 * n, lon=-46.6) for n in (0, 1, 0, 2, 0, 1)]
    assert path_m(jitter, min_hop_m=5) == 0


def test_short_hops_add_up_once_they_go_somewhere() -> None:
    creeping = [Place(lat=-23.5 + 2e-5 * n, lon=-46.6) for n in range(101)]
    assert path_m(creeping, min_hop_m=5) == pytest.approx(distance_m(creeping[0], creeping[-1]), rel=0.05)
    assert path_m([], min_hop_m=5) == 0


@given(places, st.floats(1, 20_000), st.floats(0, 360))
def test_a_box_holds_its_circle(center: Place, radius_m: float, bearing: float) -> None:
    step = degrees(radius_m * 0.99 / 6_371_008.8)
    lat = center.lat + step * cos(radians(bearing))
    shrink = max(cos(radians(max(abs(lat), abs(center.lat)))), 1e-9)
    lon = center.lon + step * sin(radians(bearing)) * min(1.0, 1.0 / shrink)
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return
    inside = Place(lat=lat, lon=lon)
    if distance_m(center, inside) > radius_m:
        return
    box = box_around(center, radius_m=radius_m)
    assert box.south <= inside.lat <= box.north
    if box.west <= box.east:
        assert box.west - 1e-9 <= inside.lon <= box.east + 1e-9
    else:
        assert inside.lon >= box.west - 1e-9 or inside.lon <= box.east + 1e-9


def test_a_box_over_the_date_line_turns_around() -> None:
    box = box_around(Place(lat=0, lon=179.99), radius_m=5000)
    assert box.west > box.east


@pytest.mark.parametrize("lat", [89.999, -89.999])
def test_a_box_over_a_pole_goes_all_around(lat: float) -> None:
    box = box_around(Place(lat=lat, lon=0), radius_m=5000)
    assert (box.west, box.east) == (-180.0, 180.0)
    assert box.south >= -90
    assert box.north <= 90
