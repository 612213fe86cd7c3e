from datetime import timedelta

from dispatch_builders import NOW, POLICY
from hypothesis import given
from hypothesis import strategies as st

from ride_dispatch.domain.search import Search, wider


def test_a_search_is_due_at_once_and_then_every_interval() -> None:
    search = Search.begin(POLICY, now=NOW)
    assert search.due(POLICY, now=NOW)

    waved = search.waved(POLICY, radius_m=4000, now=NOW)

    assert not waved.due(POLICY, now=NOW)
    assert waved.due(POLICY, now=NOW + timedelta(seconds=POLICY.wave_interval_s))
    assert (waved.wave, waved.radius_m) == (1, 4000)


def test_no_wave_goes_out_when_nobody_could_answer_it() -> None:
    search = Search.begin(POLICY, now=NOW)
    assert not search.due(POLICY, now=search.ends_at - timedelta(seconds=POLICY.offer_min_s / 2))
    assert search.due(POLICY, now=search.ends_at - timedelta(seconds=POLICY.offer_min_s))


def test_an_offer_never_outlives_its_search() -> None:
    search = Search.begin(POLICY, now=NOW)
    assert search.offer_until(POLICY, now=NOW) == NOW + timedelta(seconds=POLICY.offer_ttl_s)
    assert search.offer_until(POLICY, now=search.ends_at - timedelta(seconds=2)) == search.ends_at


def test_an_idle_wave_opens_a_new_try_only_when_the_pool_is_used_up() -> None:
    search = Search.begin(POLICY, now=NOW)
    assert search.idled(POLICY, radius_m=8000, used_up=False, now=NOW).try_no == 1
    again = search.idled(POLICY, radius_m=8000, used_up=True, now=NOW)
    assert (again.try_no, again.wave, again.radius_m) == (2, 0, 8000)
    assert again.next_wave_at > NOW


@given(st.integers(1, 20_000))
def test_the_circle_widens_step_by_step_to_the_widest(radius_m: int) -> None:
    next_m = wider(POLICY, radius_m=radius_m)
    if radius_m >= POLICY.max_radius_m:
        assert next_m is None
    else:
        assert next_m is not None
        assert radius_m < next_m <= POLICY.max_radius_m
