"""Every fact survives the wire, and says nothing that it must not say."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from contracts.base import Fact, Model, Money, Time
from contracts.registry import BY_TYPE, FACTS, PUBLISHERS
from contracts.topics import TOPICS
from devstack.schemas.made_facts import made

EVERY_FACT = pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.fact)
SOME = settings(max_examples=20, deadline=None)
FORBIDDEN = re.compile(r"cpf|cnh(_number)?|pix_key|e?mail|phone|password|token|payer(_name)?|bank_details")


class Payment(Model):
    amount: Money
    at: Time


@EVERY_FACT
@given(data=st.data())
@SOME
def test_every_fact_survives_the_wire(fact: type[Fact], data: st.DataObject) -> None:
    event = data.draw(made(fact))
    assert fact.model_validate_json(event.model_dump_json()) == event


@EVERY_FACT
@given(data=st.data())
@SOME
def test_a_fact_says_the_same_whatever_order_its_fields_come_in(
    fact: type[Fact], data: st.DataObject
) -> None:
    event = data.draw(made(fact))
    wire = json.loads(event.model_dump_json())
    assert fact.model_validate(dict(reversed(wire.items()))) == event


@EVERY_FACT
@given(data=st.data())
@SOME
def test_a_reader_ignores_fields_that_it_does_not_know(fact: type[Fact], data: st.DataObject) -> None:
    event = data.draw(made(fact))
    wire = json.loads(event.model_dump_json()) | {"a_field_of_tomorrow": {"nested": [1]}}
    assert fact.model_validate(wire) == event


@EVERY_FACT
@given(data=st.data())
@SOME
def test_a_reader_finds_the_key_that_the_writer_used(fact: type[Fact], data: st.DataObject) -> None:
    event = data.draw(made(fact))
    assert fact.model_validate_json(event.model_dump_json()).key() == event.key() != "None"


@EVERY_FACT
def test_a_fact_cannot_be_changed(fact: type[Fact]) -> None:
    assert fact.model_config["frozen"] is True
    assert fact.model_config["extra"] == "ignore"


@EVERY_FACT
def test_no_fact_has_a_field_for_personal_data(fact: type[Fact]) -> None:
    assert [name for name in field_names(fact) if FORBIDDEN.fullmatch(name)] == []


@EVERY_FACT
def test_every_fact_names_itself_its_topic_and_a_key_that_it_has(fact: type[Fact]) -> None:
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", fact.fact)
    assert fact.type_name() == f"br.ibora.{fact.fact}.v{fact.major}"
    assert fact.topic in TOPICS
    assert fact.key_field in fact.model_fields


@EVERY_FACT
def test_every_fact_says_when_it_happened(fact: type[Fact]) -> None:
    assert [
        name
        for name, field in fact.model_fields.items()
        if name.endswith(("_at", "as_of")) and field.is_required()
    ]


def test_a_fact_is_published_by_the_service_after_which_its_topic_is_named() -> None:
    for service, facts in PUBLISHERS.items():
        for fact in facts:
            assert fact.topic.name.startswith(f"ibora.{service}."), fact


def test_types_are_unique() -> None:
    assert len(BY_TYPE) == len(FACTS)


def test_every_topic_carries_some_fact() -> None:
    assert {fact.topic for fact in FACTS} == set(TOPICS)


@given(st.decimals(-(10**12), 10**12, places=2))
def test_money_is_text_with_two_decimals_on_the_wire(amount: Decimal) -> None:
    wire = json.loads(Payment(amount=amount, at=datetime.now(UTC)).model_dump_json())
    assert re.fullmatch(r"-?\d+\.\d\d", wire["amount"])
    assert Decimal(wire["amount"]) == amount


@pytest.mark.parametrize(
    ("given_", "amount"), [("50", "50.00"), ("50.5", "50.50"), (7, "7.00"), (Decimal("-0.00"), "0.00")]
)
def test_money_is_read_exactly(given_: Any, amount: str) -> None:
    assert str(Payment(amount=given_, at=datetime.now(UTC)).amount) == amount


@pytest.mark.parametrize("given_", [50.5, "50.005", "50,00", "NaN", True, None, "1e3"])
def test_what_is_not_exact_money_is_refused(given_: Any) -> None:
    with pytest.raises(ValidationError):
        Payment(amount=given_, at=datetime.now(UTC))


def test_a_time_is_rfc_3339_in_utc_on_the_wire() -> None:
    payment = Payment(amount=Decimal("1.00"), at=datetime(2026, 11, 24, 12, 30, tzinfo=UTC))
    assert json.loads(payment.model_dump_json())["at"] == "2026-11-24T12:30:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        Payment.model_validate({"amount": "1.00", "at": "2026-11-24T12:30:00"})


def test_a_time_of_another_zone_is_the_same_instant() -> None:
    payment = Payment.model_validate({"amount": "1.00", "at": "2026-11-24T09:30:00-03:00"})
    assert payment.at == datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def field_names(model: type[BaseModel]) -> Iterator[str]:
    """The names of the fields of `model` and of every model inside it."""
    schema = model.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})
