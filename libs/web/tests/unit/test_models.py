"""Requests are strict, and money in them is exact."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import web


class Pay(web.Body):
    amount: web.MoneyIn


@pytest.mark.parametrize(
    ("given_value", "amount"),
    [
        ("50.00", "50.00"), ("50", "50.00"), ("0.1", "0.10"), (50, "50.00"), (10.1, "10.10"), (0.01, "0.01"),
        (19.99, "19.99"), (1e2, "100.00"), ("99999999.99", "99999999.99"), (99999999.99, "99999999.99"),
        (Decimal("1.5"), "1.50"),
    ],
)  # fmt: skip
def test_an_exact_amount_is_taken(given_value: Any, amount: str) -> None:
    assert str(Pay(amount=given_value).amount) == amount


@pytest.mark.parametrize(
    "value",
    [
        "0", "0.00", 0, -1, "-1.00", "1.001", 1.001, 0.001, "1,00", "1e2", "1E400", " 1.00", "1.00 ", "+1",
        ".5", "1.", "",
        "NaN", "Infinity", float("nan"), float("inf"), 1e300, 10**4000, "9" * 4000, "100000000.00", True,
        None, [], {},
        "١.٠٠", b"1.00", "1_000",
    ],
)  # fmt: skip
def test_anything_else_is_no_amount(value: Any) -> None:
    with pytest.raises(ValidationError):
        Pay(amount=value)


@given(st.integers(1, 9_999_999_999))
def test_every_centavo_survives_as_text_and_as_number(centavos: int) -> None:
    amount = Decimal(centavos) / 100
    text = f"{amount:.2f}"

    assert Pay(amount=text).amount == amount
    assert Pay.model_validate_json(f'{{"amount": {text}}}').amount == amount
    assert Pay(amount=text).model_dump_json() == f'{{"amount":"{text}"}}'


def test_a_body_refuses_unknown_fields_and_endless_texts_and_cannot_be_changed() -> None:
    class Note(web.Body):
        text: str

    for wrong in ({"text": "x", "role": "admin"}, {"text": "x" * 10_001}, {}):
        with pytest.raises(ValidationError):
            Note.model_validate(wrong)
    with pytest.raises(ValidationError):
        Note(text="x").text = "y"  # type: ignore[misc]


def test_a_view_is_filled_from_attributes_and_shows_only_its_fields() -> None:
    class Row:
        id = 7
        cpf = "52998224725"

    class RowView(web.View):
        id: int

    assert RowView.model_validate(Row()).model_dump() == {"id": 7}


class Since(web.Body):
    since: web.UtcTime


def test_a_time_in_a_request_is_in_utc() -> None:
    assert Since.model_validate({"since": "2026-01-01T00:00:00-03:00"}).since == datetime(
        2026, 1, 1, 3, tzinfo=UTC
    )


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_its_zone_takes_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="time_out_of_range"):
        Since.model_validate({"since": text})
