"""A cursor is opaque, exact, and refused when it was not made by us."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_samples import client_of, make_app, passenger

from web.pages import InvalidCursor, decode_cursor, encode_cursor, page

PART = (
    st.datetimes(timezones=st.just(UTC))
    | st.uuids()
    | st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", codec="utf-8"))
)


@given(st.lists(PART, max_size=4).map(tuple))
def test_a_cursor_gives_back_its_key(key: tuple[Any, ...]) -> None:
    assert decode_cursor(encode_cursor(key), types=tuple(type(part) for part in key)) == key


@given(st.text(max_size=100) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_what_we_did_not_make_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(text)


@pytest.mark.parametrize(
    ("key", "types"),
    [
        ((datetime.now(UTC),), (datetime, UUID)),
        ((uuid4(), datetime.now(UTC)), (datetime, UUID)),
        (("x",), (int,)),
        ((1,), (datetime, UUID)),
        ((datetime.now(),), (datetime,)),  # noqa: DTZ005
        ((datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),), (datetime,)),
        ((datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))),), (datetime,)),
        (("a\x00b",), (str,)),
        ((2**63,), (int,)),
        ((Decimal("NaN"),), (Decimal,)),
    ],
)
def test_a_cursor_of_another_list_is_refused(key: tuple[Any, ...], types: tuple[type, ...]) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(key), types=types)


def test_no_cursor_is_the_start() -> None:
    assert decode_cursor(None) is None


@given(st.integers(0, 30), st.integers(1, 10))
def test_walking_the_pages_visits_every_row_once(count: int, limit: int) -> None:
    rows, seen, cursor = list(range(count)), list[int](), None
    while True:
        after = decode_cursor(cursor, types=(int,))
        start = 0 if after is None else after[0] + 1
        answer = page(rows[start : start + limit + 1], limit=limit, cursor_of=lambda row: (row,))
        assert len(answer["data"]) <= limit
        seen += answer["data"]
        cursor = answer["next_cursor"]
        assert (cursor is not None) is answer["has_more"]
        if cursor is None:
            break
    assert seen == rows


def test_a_page_shows_views() -> None:
    assert page([1, 2], limit=2, cursor_of=lambda row: (row,), view=str)["data"] == ["1", "2"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200), ("?limit=1", 200), ("?limit=100", 200), ("?limit=0", 422), ("?limit=101", 422),
        ("?limit=x", 422),
        ("?cursor=x", 422), ("?cursor=", 422), ("?cursor=" + "A" * 2000, 422),
    ],
)  # fmt: skip
async def test_limit_and_cursor_are_checked_at_the_door(query: str, status: int) -> None:
    async with client_of(make_app()) as client:
        response = await client.get(f"/things{query}", headers=passenger())

    assert response.status_code == status
    if status == 200:
        assert response.json() == {"data": [], "has_more": False, "next_cursor": None}
