"""Golden samples: two examples of each revision, kept for ever, that later code must still read."""

from typing import Any, Final

from devstack.schemas.fact_schema import Schema

BY_FORMAT: Final = {
    "uuid": "01938a3c-6c00-7cc3-98c4-dc0c0c07398f",
    "date-time": "2026-11-24T12:30:00.123456Z",
    "date": "2026-11-24",
}


def golden_samples(schema: Schema) -> list[Any]:
    """A sample with every field and one with the required ones only; the same on every run."""
    definitions = schema.get("$defs", {})
    full = _sample(schema, name="", definitions=definitions, full=True)
    least = _sample(schema, name="", definitions=definitions, full=False)
    return [full] if full == least else [full, least]


def _sample(schema: Schema, *, name: str, definitions: Schema, full: bool) -> Any:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    for keyword in ("examples", "enum", "x-known-values"):
        if keyword in schema:
            return schema[keyword][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0], name=name, definitions=definitions, full=full)
    if schema["type"] == "object":
        return _object(schema, definitions=definitions, full=full)
    if schema["type"] == "array":
        return [_sample(schema["items"], name=name, definitions=definitions, full=full)] if full else []
    return _scalar(schema, name=name)


def _object(schema: Schema, *, definitions: Schema, full: bool) -> Schema:
    if "properties" not in schema:
        return {"field": "value"}
    names = schema["properties"] if full else schema.get("required", [])
    return {
        name: _sample(schema["properties"][name], name=name, definitions=definitions, full=full)
        for name in names
    }


def _scalar(schema: Schema, *, name: str) -> Any:
    if schema["type"] == "string":
        return BY_FORMAT.get(schema.get("format", ""), name)
    return {"integer": schema.get("minimum", 1), "number": -23.5, "boolean": True, "null": None}[
        schema["type"]
    ]
