"""Identifiers sort by the time at which they were made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from kernel.ids import id_time, new_id


def test_an_id_is_a_plain_version_7_uuid() -> None:
    made = new_id()
    assert type(made) is UUID
    assert made.version == 7


def test_ids_are_distinct_and_in_order() -> None:
    made = [new_id() for _ in range(5_000)]
    assert len(set(made)) == len(made)
    assert made == sorted(made)


def test_an_id_tells_when_it_was_made() -> None:
    before = datetime.now(UTC)
    made = id_time(new_id())
    after = datetime.now(UTC)
    # The id keeps whole milliseconds only.
    assert before - timedelta(milliseconds=1) <= made <= after


def test_the_time_of_a_known_id_is_read_to_the_millisecond() -> None:
    # The example of RFC 9562, appendix A.6.
    known = UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
    assert id_time(known) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_another_version_tells_no_time() -> None:
    with pytest.raises(ValueError, match="not a UUIDv7"):
        id_time(uuid4())
