"""AsyncAPI 3.0 of the whole system: every topic, fact, publisher and listener.

Source of the form: the AsyncAPI specification 3.0.0 and its Kafka bindings 0.5.0; the headers are those of
the CloudEvents Kafka binding 1.0.2 in binary mode.
"""

from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Any, Final

import yaml

from contracts.base import Fact
from contracts.topics import Topic
from devstack.schemas.fact_schema import Schema, fact_schema
from devstack.schemas.samples import golden_samples
from devstack.schemas.topics import topic_config

Node = dict[str, Any]

HEADER: Final = "# Generated from contracts and the services' consumers by `make schemas`.\n"
ALL_SERVICES: Final = "audit"
TEXT: Final = {"type": "string"}
CLOUD_EVENT: Final[Node] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
    "properties": {
        "content-type": {"const": "application/json"},
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            "type": "string",
            "format": "uuid",
            "description": "UUIDv7; unique together with ce_source.",
        },
        "ce_source": {"type": "string", "examples": ["/services/ride-dispatch"]},
        "ce_type": TEXT,
        "ce_subject": TEXT,
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_dataschema": TEXT,
        "ce_partitionkey": {"type": "string", "description": "Equal to the record's key."},
        "ce_sequence": {"type": "string", "description": "The aggregate's version."},
        "ce_correlationid": TEXT,
        "ce_causationid": TEXT,
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
        "tracestate": TEXT,
    },
}


class AmbiguousName(Exception):
    """Two modules of `contracts` call different models by one name."""


def asyncapi(
    *,
    publishers: Mapping[str, Sequence[type[Fact]]],
    topics: Sequence[Topic],
    listeners: Mapping[str, Sequence[str]],
) -> str:
    """The document as YAML. `listeners` are the CloudEvents types that each service consumes."""
    facts = [fact for published in publishers.values() for fact in published]
    document = {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic, facts=facts) for topic in topics},
        "operations": _operations(publishers, listeners=listeners, facts=facts),
        "components": _components(facts, listeners=listeners),
    }
    return HEADER + yaml.dump(document, Dumper=PlainDumper, sort_keys=False, allow_unicode=True, width=110)


class PlainDumper(yaml.SafeDumper):
    """YAML without anchors: what is repeated is written again, as readers and diffs like it."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _info() -> Node:
    return {
        "title": "Ibora events",
        "version": "1",
        "description": (
            "The facts that Ibora's services tell each other through Kafka: CloudEvents in binary mode, at "
            "least once, in order per key. A consumer ignores fields that it does not know."
        ),
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    }


def _channel(topic: Topic, *, facts: Sequence[type[Fact]]) -> Node:
    return {
        "address": topic.name,
        "messages": {
            fact.type_name(): _ref("messages", fact.type_name()) for fact in _on(topic, facts=facts)
        },
        "bindings": {
            "kafka": {"topic": topic.name, "partitions": topic.partitions, "bindingVersion": "0.5.0"}
        },
        "x-config": topic_config(topic),
        "x-lossy": topic.lossy,
    }


def _operations(
    publishers: Mapping[str, Sequence[type[Fact]]],
    *,
    listeners: Mapping[str, Sequence[str]],
    facts: Sequence[type[Fact]],
) -> Node:
    sends = {
        f"{service}.sends.{topic.name}": _operation("send", service, topic, facts=_on(topic, facts=published))
        for service, published in publishers.items()
        for topic in _topics_of(published)
    }
    heard = {
        service: [fact for fact in facts if fact.type_name() in types] for service, types in listeners.items()
    }
    receives = {
        f"{service}.receives.{topic.name}": _operation(
            "receive", service, topic, facts=_on(topic, facts=known)
        )
        for service, known in sorted(heard.items())
        for topic in _topics_of(known)
    }
    return sends | receives


def _operation(action: str, service: str, topic: Topic, *, facts: Sequence[type[Fact]]) -> Node:
    channel = f"#/channels/{topic.name}"
    # Audit records are the one topic that every service with a database publishes on.
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{fact.type_name()}"} for fact in facts],
        "x-service": "every service with a database" if service == ALL_SERVICES else service,
    }


def _components(facts: Sequence[type[Fact]], *, listeners: Mapping[str, Sequence[str]]) -> Node:
    schemas: Node = {"CloudEventHeaders": CLOUD_EVENT}
    for fact in facts:
        for name, schema in _schemas_of(fact).items():
            if schemas.setdefault(name, schema) != schema:
                raise AmbiguousName(f"two models are called {name}")
    messages = {fact.type_name(): _message(fact, listeners=listeners) for fact in facts}
    return {"messages": messages, "schemas": schemas}


def _message(fact: type[Fact], *, listeners: Mapping[str, Sequence[str]]) -> Node:
    payload = golden_samples(fact_schema(fact))[0]
    return {
        "name": fact.type_name(),
        "title": fact.fact,
        **({"description": cleandoc(fact.__doc__)} if fact.__doc__ else {}),
        "headers": _ref("schemas", "CloudEventHeaders"),
        "payload": _ref("schemas", fact.__name__),
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
        "examples": [{"payload": payload}],
        "x-key": fact.key_field,
        "x-listeners": [name for name, types in sorted(listeners.items()) if fact.type_name() in types],
    }


def _schemas_of(fact: type[Fact]) -> Node:
    """The fact's schema and those that it refers to, under names of their own in the document."""
    schema = fact_schema(fact)
    own = {key: value for key, value in schema.items() if not key.startswith(("$", "x-"))}
    parts = {name: _moved(part) for name, part in schema.get("$defs", {}).items()}
    return {fact.__name__: _moved(own), **parts}


def _moved(node: Any) -> Any:
    if isinstance(node, list):
        return [_moved(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _moved_reference(value) if key == "$ref" else _moved(value) for key, value in node.items()}


def _moved_reference(reference: str) -> str:
    return reference.replace("#/$defs/", "#/components/schemas/")


def _on(topic: Topic, *, facts: Sequence[type[Fact]]) -> list[type[Fact]]:
    return [fact for fact in facts if fact.topic == topic]


def _topics_of(facts: Sequence[type[Fact]]) -> list[Topic]:
    return list(dict.fromkeys(fact.topic for fact in facts))


def _ref(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}
