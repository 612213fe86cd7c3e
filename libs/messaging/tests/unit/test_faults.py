"""Which errors pass by themselves, and when parking stops."""

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from kernel.refusals import NotYetKnown, Refusal
from messaging.faults import FEW, ParkingGuard, is_permanent


class DriverError(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def refused_by(kind: type, sqlstate: str) -> Exception:
    error: Exception = kind("statement", None, DriverError(sqlstate))
    return error


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (Refusal(), True),
        (NotYetKnown(), False),
        (ValueError(), True),
        (KeyError(), True),
        (OSError(), False),
        (TimeoutError(), False),
        (refused_by(OperationalError, "40P01"), False),
        (refused_by(OperationalError, "57014"), False),
        (refused_by(ProgrammingError, "42P01"), True),
        (refused_by(ProgrammingError, "22003"), True),
        (asyncpg.DeadlockDetectedError("40P01"), False),
        (asyncpg.ConnectionDoesNotExistError("gone"), False),
        (asyncpg.InterfaceError("connection is closed"), False),
        (asyncpg.UndefinedTableError("42P01"), True),
        (asyncpg.NumericValueOutOfRangeError("22003"), True),
        (asyncpg.DataError("not a number"), True),
    ],
)
def test_an_error_passes_or_stays(error: Exception, permanent: bool) -> None:
    assert is_permanent(error) is permanent


def test_a_broken_constraint_is_looked_at_again() -> None:
    for error in (refused_by(IntegrityError, "23505"), asyncpg.UniqueViolationError("23505")):
        assert [is_permanent(error, tries=tries) for tries in (1, 2, 3)] == [False, False, True]


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_few_failing_keys_are_always_parked() -> None:
    guard = ParkingGuard(monotonic=Ticks())
    assert all(guard.may_park(f"k{n}") for n in range(FEW))


def test_many_failing_keys_block_until_they_are_few_again() -> None:
    ticks = Ticks()
    guard = ParkingGuard(monotonic=ticks)
    assert [guard.may_park(f"k{n}") for n in range(FEW + 5)] == [True] * FEW + [False] * 5
    ticks.now = 61
    assert guard.may_park("k0")


def test_a_fifth_of_busy_traffic_may_fail() -> None:
    guard = ParkingGuard(monotonic=Ticks())
    for n in range(1000):
        guard.saw(f"good{n}")
    assert all(guard.may_park(f"bad{n}") for n in range(200))
    assert not all(guard.may_park(f"bad{n}") for n in range(200, 300))


def test_the_window_is_forgotten() -> None:
    ticks = Ticks()
    guard = ParkingGuard(monotonic=ticks)
    for n in range(1000):
        guard.saw(f"good{n}")
    ticks.now = 120
    guard.relax()
    assert [guard.may_park(f"k{n}") for n in range(FEW + 1)] == [True] * FEW + [False]
