from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from dispatch_builders import POLICY
from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import new_id
from ride_dispatch.domain.matching import Candidate, Gate, Near, choose, gate_of, short


def a_candidate(**changes: Any) -> Candidate:
    values: dict[str, Any] = {
        "driver_id": new_id(),
        "distance_m": 500,
        "online": True,
        "busy": False,
        "eligible": True,
        "same_category": True,
        "open_offers": 0,
    }
    return Candidate(**(values | changes))


@pytest.mark.parametrize(
    ("gate", "changes"),
    [
        (Gate.OFFLINE, {"online": False}),
        (Gate.BUSY, {"busy": True}),
        (Gate.NOT_ELIGIBLE, {"eligible": False}),
        (Gate.OTHER_CATEGORY, {"same_category": False}),
        (Gate.CAPPED, {"open_offers": POLICY.inflight_cap}),
        (None, {"open_offers": POLICY.inflight_cap - 1}),
    ],
)
def test_each_gate_keeps_out_whom_it_should(gate: Gate | None, changes: dict[str, Any]) -> None:
    candidate = a_candidate(**changes)
    assert gate_of(candidate, barred=(), policy=POLICY) is gate
    choice = choose([candidate], barred=(), policy=POLICY)
    assert dict(choice.dropped) == ({gate: 1} if gate else {})
    not_free = {Gate.OFFLINE, Gate.BUSY, Gate.NOT_ELIGIBLE, Gate.OTHER_CATEGORY}
    assert choice.gone == ((candidate.driver_id,) if gate in not_free else ())


def test_a_barred_driver_is_not_asked_again() -> None:
    candidate = a_candidate()
    assert gate_of(candidate, barred={candidate.driver_id}, policy=POLICY) is Gate.BARRED


def test_the_nearest_go_first_then_the_best_rated() -> None:
    far, near = a_candidate(distance_m=900), a_candidate(distance_m=100)
    good = a_candidate(rating=Decimal("4.90"))
    fair, unrated = a_candidate(rating=Decimal("4.10")), a_candidate()

    choice = choose([far, unrated, fair, near, good], barred=(), policy=POLICY)

    assert choice.chosen == (near, good, fair, unrated, far)


@given(st.lists(st.integers(0, 5000), max_size=30), st.integers(1, 10))
def test_a_wave_is_never_larger_than_its_size(distances: list[int], wave_size: int) -> None:
    policy = replace(POLICY, wave_size=wave_size)
    candidates = [a_candidate(distance_m=distance) for distance in distances]

    choice = choose(candidates, barred=(), policy=policy)

    assert len(choice.chosen) == min(wave_size, len(candidates))
    assert [c.distance_m for c in choice.chosen] == sorted(distances)[:wave_size]
    assert choice.dropped[Gate.BEYOND_WAVE] == max(0, len(candidates) - wave_size)


def test_a_pool_is_short_when_it_cannot_fill_a_wave() -> None:
    pool = [Near(driver_id=new_id(), distance_m=1) for _ in range(POLICY.wave_size)]
    assert not short(pool, barred=(), policy=POLICY)
    assert short(pool, barred={pool[0].driver_id}, policy=POLICY)
