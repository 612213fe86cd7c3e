"""Something that must keep running."""

import time
from collections.abc import Callable

from devstack.supervised import Supervised


class Fragile:
    """A runnable that a test lets die."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.launches = 0

    def launch(self) -> None:
        self.launches += 1
        self.pid = self.launches

    def running(self) -> bool:
        return self.pid is not None

    def answers(self) -> bool:
        return self.running()

    def stop(self) -> None:
        self.pid = None


def supervised() -> tuple[Supervised, Fragile, list[str]]:
    fragile, said = Fragile(), list[str]()
    watched = Supervised("ledger", fragile, say=said.append)
    watched.launch()
    return watched, fragile, said


def test_one_that_runs_is_left_alone() -> None:
    watched, fragile, said = supervised()

    watched.tick()

    assert (fragile.launches, said) == (1, [])


def test_one_that_died_is_started_again_after_a_pause() -> None:
    watched, fragile, said = supervised()
    fragile.stop()

    watched.tick()
    assert fragile.launches == 1
    _tick_until(watched, lambda: fragile.launches == 2)

    assert fragile.pid == 2
    assert said == ["✗ ledger died; starting it again in 0.2 s"]


def test_the_pause_doubles_while_it_dies_young() -> None:
    watched, fragile, said = supervised()
    for launches in (2, 3):
        fragile.stop()
        _tick_until(watched, lambda launches=launches: fragile.launches == launches)

    assert [line.rpartition("in ")[2] for line in said] == ["0.2 s", "0.4 s"]


def test_one_that_rests_is_not_missed_until_it_is_taken_back() -> None:
    watched, fragile, said = supervised()
    watched.rest()

    watched.tick()
    assert not fragile.running()

    watched.resume()
    assert fragile.running()
    assert said == []


def _tick_until(watched: Supervised, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline, "it was never started again"
        watched.tick()
        time.sleep(0.01)
