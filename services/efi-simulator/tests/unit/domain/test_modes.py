"""A mode lasts for its count and then falls back."""

import pytest

from efi_simulator.domain.modes import ApiMode, Mode, SendMode, WebhookMode


@pytest.mark.parametrize("modes", [WebhookMode, SendMode, ApiMode])
def test_without_an_order_the_first_mode_stays(modes: type[WebhookMode | SendMode | ApiMode]) -> None:
    mode = Mode(modes)  # type: ignore[type-var]
    assert [mode.take() for _ in range(3)] == [next(iter(modes))] * 3


def test_a_mode_lasts_for_its_count() -> None:
    mode = Mode(ApiMode)
    mode.set(ApiMode.DOWN, count=2)
    assert [mode.take() for _ in range(3)] == [ApiMode.DOWN, ApiMode.DOWN, ApiMode.OK]


def test_a_new_mode_replaces_the_last() -> None:
    mode = Mode(ApiMode)
    mode.set(ApiMode.DOWN, count=5)
    mode.take()
    mode.set(ApiMode.SLOW, count=1, delay_ms=7)
    assert mode.delay_ms == 7
    assert [mode.take() for _ in range(2)] == [ApiMode.SLOW, ApiMode.OK]
    assert mode.delay_ms is None


def test_the_first_mode_ends_any_other_at_once() -> None:
    mode = Mode(ApiMode)
    mode.set(ApiMode.DOWN, count=5)
    mode.set(ApiMode.OK, count=1)
    assert mode.take() is ApiMode.OK
