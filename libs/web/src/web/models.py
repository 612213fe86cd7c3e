"""Bases of what comes in and what goes out, and money and times in a request."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

MAX_TEXT: Final = 10_000
_AMOUNT: Final = re.compile(r"\d{1,8}(?:\.\d{1,2})?")


class Body(BaseModel):
    """A request. Unknown fields are refused, numbers are finite, texts are bounded."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_max_length=MAX_TEXT)


class View(BaseModel):
    """A response: an explicit list of fields, filled from a dict or from an object's attributes."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def parse_amount(value: Any) -> Decimal:
    """A positive amount, at most two decimals and 99,999,999.99, from a JSON string or number."""
    # repr() of a float is the shortest text that reads back as it: what the client wrote.
    text = value if isinstance(value, str) else _number_text(value)
    if not _AMOUNT.fullmatch(text) or not text.isascii():
        raise PydanticCustomError("invalid_money", "not a positive amount with at most two decimals")
    amount = Decimal(text).quantize(Decimal("0.01"))
    if amount <= 0:
        raise PydanticCustomError("invalid_money", "not a positive amount with at most two decimals")
    return amount


def _number_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return ""
    if isinstance(value, int):
        # A Python int may have thousands of digits, and turning those into text is slow.
        return str(value) if abs(value) < 10**9 else ""
    return repr(value) if isinstance(value, float) else str(value)


MoneyIn = Annotated[
    Decimal,
    BeforeValidator(parse_amount),
    PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\d{1,8}(\.\d{1,2})?$"},
                {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01},
            ],
            "examples": ["50.00"],
        }
    ),
]
"""An amount in BRL in a request: string or number, positive, at most two decimals. Decimal in Python."""


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("time_out_of_range", "beyond the calendar in UTC") from error


UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An RFC 3339 time in a request, in UTC: one whose zone takes it beyond year 1 or 9999 is refused, for no
database could compare with it."""
