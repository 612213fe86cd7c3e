"""Waiting for a condition."""

import pytest

from testkit import eventually


async def test_the_first_true_answer_is_given_back() -> None:
    answers = iter([None, 0, "there"])

    assert await eventually(lambda: next(answers), every_s=0) == "there"


async def test_an_asynchronous_check_is_awaited() -> None:
    answers = iter([False, True])

    async def check() -> bool:
        return next(answers)

    assert await eventually(check, every_s=0)


async def test_an_assertion_that_fails_means_not_yet() -> None:
    counted = iter(range(5))

    def check() -> bool:
        assert next(counted) == 3
        return True

    assert await eventually(check, every_s=0)


async def test_the_last_assertion_is_raised_when_the_time_is_over() -> None:
    def check() -> None:
        raise AssertionError("the ride is still SEARCHING")

    with pytest.raises(AssertionError, match="SEARCHING"):
        await eventually(check, timeout_s=0.01, every_s=0)


async def test_another_error_is_not_waited_for() -> None:
    def check() -> None:
        raise LookupError("a bug")

    with pytest.raises(LookupError):
        await eventually(check)


async def test_what_was_waited_for_is_named() -> None:
    with pytest.raises(AssertionError, match="the relay to be empty"):
        await eventually(lambda: False, timeout_s=0.01, every_s=0, what="the relay to be empty")
