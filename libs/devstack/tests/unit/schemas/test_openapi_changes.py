"""What an app would miss is named."""

from copy import deepcopy
from typing import Any

import pytest

from devstack.schemas.openapi_changes import broken_promises

Node = dict[str, Any]

RIDE = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "driver": {"anyOf": [{"$ref": "#/components/schemas/Driver"}, {"type": "null"}]},
        "next": {"$ref": "#/components/schemas/Ride"},
    },
}
DRIVER = {
    "type": "object",
    "properties": {"vehicles": {"type": "array", "items": {"properties": {"plate": {}}}}},
}
REQUEST = {"type": "object", "required": ["lat"], "properties": {"lat": {}, "note": {}}}


def json_body(name: str) -> Node:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


OLD: Node = {
    "paths": {
        "/v1/rides": {
            "post": {
                "parameters": [],
                "requestBody": json_body("Request"),
                "responses": {"201": json_body("Ride")},
            },
            "parameters": [],
        },
        "/v1/me": {"get": {"responses": {"200": json_body("Driver"), "401": json_body("Ride")}}},
    },
    "components": {"schemas": {"Ride": RIDE, "Driver": DRIVER, "Request": REQUEST}},
}


def changed(*steps: str, to: object = None) -> Node:
    """OLD with the node at `steps` replaced, or removed when `to` is None."""
    new = deepcopy(OLD)
    node = new
    for step in steps[:-1]:
        node = node[step]
    if to is None:
        del node[steps[-1]]
    else:
        node[steps[-1]] = to
    return new


def test_nothing_is_missed_when_nothing_changed() -> None:
    assert broken_promises(OLD, deepcopy(OLD)) == []


def test_additions_are_welcome() -> None:
    new = changed("paths", "/v1/new", to=OLD["paths"]["/v1/me"])
    new["components"]["schemas"]["Ride"]["properties"]["more"] = {"type": "string"}
    new["components"]["schemas"]["Request"]["properties"]["more"] = {"type": "string"}
    new["paths"]["/v1/rides"]["post"]["parameters"] = [{"in": "query", "name": "x", "required": False}]
    assert broken_promises(OLD, new) == []


@pytest.mark.parametrize(
    ("new", "missed"),
    [
        (changed("paths", "/v1/me"), "GET /v1/me: removed"),
        (changed("paths", "/v1/rides", "post"), "POST /v1/rides: removed"),
        (changed("paths", "/v1/me", "get", "responses", "200"), "GET /v1/me: no longer answers 200"),
        (
            changed("components", "schemas", "Ride", "properties", "id"),
            "POST /v1/rides: 201 no longer has /id",
        ),
        (
            changed("components", "schemas", "Driver", "properties", "vehicles", "items", to={}),
            "POST /v1/rides: 201 no longer has /driver/vehicles[]/plate",
        ),
        (
            changed("components", "schemas", "Request", "properties", "note"),
            "POST /v1/rides: the request no longer takes /note",
        ),
        (
            changed("components", "schemas", "Request", "required", to=["lat", "note"]),
            "POST /v1/rides: the request must have /note now",
        ),
        (
            changed(
                "paths",
                "/v1/rides",
                "post",
                "parameters",
                to=[{"in": "header", "name": "X", "required": True}],
            ),
            "POST /v1/rides: needs a new header parameter X",
        ),
    ],
)
def test_what_an_app_would_miss_is_named(new: Node, missed: str) -> None:
    assert missed in broken_promises(OLD, new)
