"""AsyncAPI: the registry and the listeners, and every reference leads somewhere."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from schema_mutants import Stamp, parcel

from contracts.base import Model
from contracts.registry import FACTS, PUBLISHERS
from contracts.topics import TOPICS
from devstack.schemas.asyncapi import AmbiguousName, asyncapi

LISTENERS = {
    "payment": ("br.ibora.ride.completed.v1",),
    "backoffice": tuple(fact.type_name() for fact in FACTS),
}


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(asyncapi(publishers=PUBLISHERS, topics=TOPICS, listeners=LISTENERS))


def test_every_topic_is_a_channel_with_its_partitions(document: Any) -> None:
    channels = document["channels"]
    assert list(channels) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        assert channels[topic.name]["bindings"]["kafka"]["partitions"] == topic.partitions


def test_every_fact_is_a_message_of_its_topic_alone(document: Any) -> None:
    for fact in FACTS:
        holding = [
            name for name, channel in document["channels"].items() if fact.type_name() in channel["messages"]
        ]
        assert holding == [fact.topic.name]


def test_each_publisher_sends_and_each_listener_receives(document: Any) -> None:
    operations = document["operations"]
    assert operations["payment.sends.ibora.payment.charges.v1"]["action"] == "send"
    received = operations["payment.receives.ibora.ride-dispatch.rides.v1"]
    assert received["messages"] == [
        {"$ref": "#/channels/ibora.ride-dispatch.rides.v1/messages/br.ibora.ride.completed.v1"}
    ]
    heard = [name for name in operations if name.startswith("backoffice.receives.")]
    assert len(heard) == len(TOPICS)
    assert operations["audit.sends.ibora.audit.records.v1"]["x-service"] == "every service with a database"


def test_a_message_names_its_key_and_its_listeners(document: Any) -> None:
    message = document["components"]["messages"]["br.ibora.ride.completed.v1"]
    assert message["x-key"] == "ride_id"
    assert message["x-listeners"] == ["backoffice", "payment"]
    assert document["components"]["messages"]["br.ibora.ride.paid.v1"]["x-listeners"] == ["backoffice"]


def test_every_reference_leads_somewhere(document: Any) -> None:
    found = list(references(document))
    assert len(found) > 3 * len(FACTS)
    for reference in found:
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_example_fits_its_payload(document: Any) -> None:
    components = document["components"]
    for message in components["messages"].values():
        schema = {**message["payload"], "components": components}
        Draft202012Validator(schema).validate(message["examples"][0]["payload"])


def test_one_name_for_two_models_is_refused() -> None:
    class Other(Model):
        number: int

    Other.__name__ = Other.__qualname__ = "Stamp"
    first, second = parcel(), parcel(return_stamp=(Other | None, None), stamps=(tuple[Other, ...], ()))
    assert first.model_fields["return_stamp"].annotation == Stamp | None
    with pytest.raises(AmbiguousName):
        asyncapi(publishers={"post": [first, second]}, topics=[first.topic], listeners={})


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
