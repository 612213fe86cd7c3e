"""The JSON Schema of a fact, as it looks on the wire."""

from enum import Enum
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from contracts.base import Fact

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
PROSE: Final = frozenset({"title", "description", "examples", "$schema", "$defs"})
UNKNOWN: Final = "UNKNOWN"


def fact_schema(fact: type[Fact]) -> Schema:
    """The schema of `fact`, with its type, topic and key: consumers rely on them as much as on its fields."""
    body = fact.model_json_schema(mode="serialization", schema_generator=WireSchema)
    promised = {"x-type": fact.type_name(), "x-topic": fact.topic.name, "x-key": fact.key_field}
    return {"$schema": DIALECT, **promised, **body}


def promise(schema: Schema) -> Schema:
    """What `schema` promises: no prose, references resolved, so that two are equal when nothing changed."""
    promised: Schema = _resolved(schema, definitions=schema.get("$defs", {}))
    return promised


class WireSchema(GenerateJsonSchema):
    """Pydantic's generator, told of two forms of ours."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["4.75"]}

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        closed = super().enum_schema(schema)
        if not is_open(schema["cls"]):
            return closed
        values = [member.value for member in schema["members"]]
        # No "enum": a consumer with this schema must let through the values that it will learn later.
        return {"type": "string", "title": closed["title"], "x-known-values": values}


def is_open(enumeration: type[Enum]) -> bool:
    """Whether a consumer reads a value that it does not know as UNKNOWN, instead of failing on it."""
    if UNKNOWN not in enumeration.__members__:
        return False
    try:
        return enumeration("a value that nobody has thought of yet") is enumeration[UNKNOWN]
    except ValueError:
        return False


def _resolved(node: Any, *, definitions: Schema) -> Any:
    if isinstance(node, list):
        return [_resolved(item, definitions=definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _resolved({**definitions[node["$ref"].rpartition("/")[2]], **beside}, definitions=definitions)
    return _without_prose(node, definitions=definitions)


def _without_prose(node: Schema, *, definitions: Schema) -> Schema:
    kept: Schema = {}
    for key, value in node.items():
        if key == "properties":
            # A property may well be called "title".
            kept[key] = {name: _resolved(each, definitions=definitions) for name, each in value.items()}
        elif key == "const":
            kept["enum"] = [value]
        elif key not in PROSE:
            kept[key] = sorted(value) if key == "required" else _resolved(value, definitions=definitions)
    return kept
