"""Ids of the driver's class are what the standard library's are."""

from uuid import UUID, uuid4

import pytest

from kernel.ids import id_time, new_id
from storage import id_text, new_row_id, read_id


def test_a_new_row_id_is_a_uuid_of_this_moment_that_sorts_after_the_last() -> None:
    before, made, after = new_id(), [new_row_id() for _ in range(50)], new_id()
    assert all(isinstance(id_, UUID) and id_.version == 7 for id_ in made)
    assert made == sorted(set(made))
    assert id_time(before) <= id_time(made[0]) <= id_time(made[-1]) <= id_time(after)


def test_an_id_that_was_read_equals_the_standard_librarys() -> None:
    for plain in (uuid4(), UUID(int=0), UUID(int=2**128 - 1)):
        read = read_id(str(plain))
        assert (read, hash(read), str(read), read.bytes) == (plain, hash(plain), str(plain), plain.bytes)
        assert {plain: "found"}[read] == "found"
        assert id_text(plain.int) == str(plain)
    assert read_id(str(plain).upper()) == plain


@pytest.mark.parametrize("text", ["", "x", "1", "01a20edd-6a0e-7354-95d7-197287a0d9eg", "0" * 31, "0" * 33])
def test_a_text_that_names_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"UUID|uuid"):
        read_id(text)
