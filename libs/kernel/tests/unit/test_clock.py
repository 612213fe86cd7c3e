"""The machine's clock tells UTC."""

from datetime import UTC, datetime

from kernel.actor import SYSTEM
from kernel.clock import Clock, SystemClock


def test_the_system_clock_is_aware_and_in_utc() -> None:
    clock: Clock = SystemClock()
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().tzinfo is UTC


def test_the_system_acts_as_nobody() -> None:
    assert (SYSTEM.user_id, SYSTEM.user_type) == (None, "system")
