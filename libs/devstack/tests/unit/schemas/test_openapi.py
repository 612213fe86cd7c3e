"""The public document: what the gateway serves, of whom, and nothing else."""

import json
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from devstack.schemas.openapi import UnmergeableDocuments, public_openapi

Node = dict[str, Any]


def operation(name: str, *, answers: str = "Ride", more: Node | None = None) -> Node:
    schema = {"$ref": f"#/components/schemas/{answers}"}
    return {
        "operationId": name,
        "responses": {"200": {"content": {"application/json": {"schema": schema}}}},
        **(more or {}),
    }


def document(paths: Node, **schemas: Node) -> Node:
    return {"openapi": "3.1.0", "info": {}, "paths": paths, "components": {"schemas": schemas}}


RIDE: Node = {"type": "object", "properties": {"id": {"type": "string"}}}


def test_the_public_paths_come_together_under_v1_with_their_service() -> None:
    merged = public_openapi(
        {
            "ride-dispatch": document(
                {"/rides": {"post": operation("request_ride", more={"x-roles": ["passenger"]})}}, Ride=RIDE
            ),
            "ledger": document({"/balance": {"get": operation("get_balance")}}, Ride=RIDE),
        }
    )
    assert list(merged["paths"]) == ["/v1/balance", "/v1/rides"]
    post = merged["paths"]["/v1/rides"]["post"]
    assert (post["x-ibora-service"], post["x-roles"]) == ("ride-dispatch", ["passenger"])
    assert merged["components"]["schemas"] == {"Ride": RIDE}


@pytest.mark.parametrize(
    "path", ["/internal/bank-details", "/webhooks/efi", "/_control/state", "/health", "/ready", "/metrics"]
)
def test_what_is_not_for_apps_stays_out(path: str) -> None:
    merged = public_openapi({"payment": document({path: {"get": operation("x")}}, Ride=RIDE)})
    assert merged["paths"] == {}
    assert merged["components"] == {}


def test_a_marked_operation_and_the_simulator_stay_out() -> None:
    marked = document(
        {"/a": {"get": operation("a", more={"x-internal": True}), "put": operation("b")}}, Ride=RIDE
    )
    simulator = document({"/v2/cob": {"get": operation("c")}}, Ride=RIDE)
    merged = public_openapi({"payment": marked, "efi-simulator": simulator})
    assert {path: list(item) for path, item in merged["paths"].items()} == {"/v1/a": ["put"]}


def test_two_services_may_share_a_path_but_not_an_operation() -> None:
    get, put = operation("read"), operation("write")
    merged = public_openapi(
        {"a": document({"/x": {"get": get}}, Ride=RIDE), "b": document({"/x": {"put": put}}, Ride=RIDE)}
    )
    assert {key: value["x-ibora-service"] for key, value in merged["paths"]["/v1/x"].items()} == {
        "get": "a",
        "put": "b",
    }
    with pytest.raises(UnmergeableDocuments, match="GET /x"):
        public_openapi(
            {"a": document({"/x": {"get": get}}, Ride=RIDE), "b": document({"/x": {"get": put}}, Ride=RIDE)}
        )


def test_an_operation_id_is_unique_across_and_within_services() -> None:
    one = document({"/x": {"get": operation("read")}}, Ride=RIDE)
    with pytest.raises(UnmergeableDocuments, match="operationId read"):
        public_openapi({"a": one, "b": document({"/y": {"get": operation("read")}}, Ride=RIDE)})
    with pytest.raises(UnmergeableDocuments, match="operationId read"):
        public_openapi(
            {"a": document({"/x": {"get": operation("read")}, "/y": {"get": operation("read")}}, Ride=RIDE)}
        )


def test_a_name_that_two_services_mean_differently_gets_their_prefix() -> None:
    page = {"type": "array", "items": {"$ref": "#/components/schemas/Ride"}}
    other = {"type": "object", "properties": {"number": {"type": "integer"}}}
    merged = public_openapi(
        {
            "ride-dispatch": document({"/a": {"get": operation("a", answers="Page")}}, Ride=RIDE, Page=page),
            "ledger": document({"/b": {"get": operation("b", answers="Page")}}, Ride=other, Page=page),
        }
    )
    schemas = merged["components"]["schemas"]
    # The pages are written alike, but mean different rides.
    assert schemas.keys() == {"LedgerPage", "LedgerRide", "RideDispatchPage", "RideDispatchRide"}
    assert schemas["LedgerPage"]["items"]["$ref"] == "#/components/schemas/LedgerRide"
    assert "#/components/schemas/LedgerPage" in json.dumps(merged["paths"]["/v1/b"])
    assert dangling(merged) == []


def test_only_the_components_in_use_are_kept() -> None:
    secured = operation("a", more={"security": [{"Bearer": []}]})
    lone = document(
        {"/a": {"get": secured}, "/internal/b": {"get": operation("b", answers="Secret")}},
        Ride=RIDE,
        Secret=RIDE,
    )
    lone["components"]["securitySchemes"] = {"Bearer": {"type": "http", "scheme": "bearer"}, "Other": {}}
    merged = public_openapi({"a": lone})
    assert {kind: list(members) for kind, members in merged["components"].items()} == {
        "schemas": ["Ride"],
        "securitySchemes": ["Bearer"],
    }
    OAS31Validator.check_schema(merged["components"]["schemas"]["Ride"])


def dangling(merged: Node) -> list[str]:
    text = json.dumps(merged)
    names = [part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]]
    return [name for name in names if name not in merged["components"]["schemas"]]
