"""Lists: `{"data": […], "has_more": bool, "next_cursor": str|null}`, walked by an opaque cursor."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query

from kernel.refusals import FieldError, Invalid
from web.models import View

X = TypeVar("X")
DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100
_MAX_CURSOR: Final = 1000


class InvalidCursor(Invalid):
    """The cursor was not made by this list."""

    code = "invalid_cursor"
    pt = "O cursor não é válido. Comece a lista de novo."
    en = "The cursor is not valid. Start the list again."

    def __init__(self) -> None:
        super().__init__(errors=[FieldError(pointer="/query/cursor", code=self.code, detail=self.en)])


class Page(View, Generic[X]):
    """One page of a list: the response model of a list operation, `web.Page[RideView]`."""

    data: list[X]
    has_more: bool
    next_cursor: str | None


async def _limit(limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT) -> int:
    return limit


async def _cursor(
    cursor: Annotated[str | None, Query(max_length=_MAX_CURSOR)] = None,
) -> str | None:
    return cursor


Limit = Annotated[int, Depends(_limit)]
"""How many items a page holds: 1 to 100, 20 when not given."""

Cursor = Annotated[str | None, Depends(_cursor)]
"""Where the next page starts, as `next_cursor` said; see `decode_cursor`."""


def page(
    rows: Sequence[X],
    *,
    limit: int,
    cursor_of: Callable[[X], tuple[Any, ...]],
    view: Callable[[X], Any] | None = None,
) -> dict[str, Any]:
    """A page from up to `limit + 1` rows: ask the database for one more than you show.

    `cursor_of` gives the sort key of a row: datetimes, UUIDs, decimals, integers and texts.
    """
    shown = rows[:limit]
    has_more = len(rows) > limit
    return {
        "data": [view(row) if view else row for row in shown],
        "has_more": has_more,
        "next_cursor": encode_cursor(cursor_of(shown[-1])) if has_more else None,
    }


def encode_cursor(key: tuple[Any, ...]) -> str:
    """A sort key as an opaque text."""
    parts = [[tag, write(part)] for part in key for tag, write in [_TAGS[_kind_of(part)]]]
    return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def _kind_of(part: Any) -> type:
    """Drivers subclass: asyncpg's UUID is a UUID."""
    return next(kind for kind in type(part).__mro__ if kind in _TAGS)


def decode_cursor(
    cursor: str | None, *, types: tuple[type, ...] = (datetime, UUID)
) -> tuple[Any, ...] | None:
    """The sort key in a cursor, None without one. Raises InvalidCursor when it is not a key of `types`."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(urlsafe_b64decode(padded.encode("ascii")))
        key = tuple(_READERS[tag](text) for tag, text in parts)
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise InvalidCursor from error
    if tuple(type(part) for part in key) != types:
        raise InvalidCursor
    return key


def _read_time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("naive")
    # OverflowError within a day of the calendar's ends: a database could not compare with it either.
    return at.astimezone(UTC)


def _read_whole(text: str) -> int:
    number = int(text)
    if abs(number) >= 2**63:
        raise ValueError("beyond a bigint")
    return number


def _read_decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError("not finite")
    return number


def _read_text(text: str) -> str:
    if not isinstance(text, str) or "\x00" in text:
        raise ValueError("not a text")
    return text


_TAGS: Final[dict[type, tuple[str, Callable[[Any], str]]]] = {
    datetime: ("t", datetime.isoformat),
    UUID: ("u", str),
    int: ("i", str),
    Decimal: ("d", str),
    str: ("s", str),
}
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "t": _read_time,
    "u": UUID,
    "i": _read_whole,
    "d": _read_decimal,
    "s": _read_text,
}
