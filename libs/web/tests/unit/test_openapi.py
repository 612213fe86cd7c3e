"""The document tells roles, keys and every way to fail."""

from typing import Any

import pytest
from fastapi import APIRouter
from web_samples import make_app

import web

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.fixture
def document() -> dict[str, Any]:
    return make_app().openapi()


def test_operations_are_named_after_their_functions(document: dict[str, Any]) -> None:
    assert document["paths"]["/things/{thing_id}"]["post"]["operationId"] == "make_thing"


def test_internal_operations_and_probes_are_left_out_but_listed(document: dict[str, Any]) -> None:
    assert not [
        path for path in document["paths"] if path.startswith(("/internal", "/health", "/metrics", "/ready"))
    ]

    listed = {operation.operation_id: operation for operation in web.operations(make_app())}
    assert not listed["read_internals"].public
    assert listed["make_thing"].public
    assert listed["make_thing"].roles == ("passenger",)
    assert listed["get_thing"].roles is None
    assert (listed["use_key"].method, listed["use_key"].path) == ("POST", "/keyed")


def test_roles_and_the_security_scheme_are_told(document: dict[str, Any]) -> None:
    make = document["paths"]["/things/{thing_id}"]["post"]
    read = document["paths"]["/things/{thing_id}"]["get"]

    assert make["x-roles"] == ["passenger"]
    assert make["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert "security" not in read
    assert "x-roles" not in read


def test_every_failure_is_a_problem(document: dict[str, Any]) -> None:
    responses = document["paths"]["/things/{thing_id}"]["post"]["responses"]

    assert set(responses) == {"200", "400", "401", "403", "404", "409", "413", "422", "default"}
    assert all(responses[status]["content"] == PROBLEM for status in responses if status != "200")
    assert "`thing_is_taken`" in responses["409"]["description"]
    assert "ProblemError" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_refusals_of_one_status_share_a_response() -> None:
    responses = web.errors(web.Unauthenticated, web.InvalidToken)

    assert responses[401]["description"] == "Unauthorized: `unauthenticated`, `invalid_token`"


def test_a_required_key_is_a_required_header(document: dict[str, Any]) -> None:
    (parameter,) = document["paths"]["/keyed"]["post"]["parameters"]

    assert (parameter["name"], parameter["in"], parameter["required"]) == ("Idempotency-Key", "header", True)


def test_two_operations_of_one_name_are_refused() -> None:
    again = APIRouter()

    @again.get("/other", operation_id="make_thing")
    async def other() -> None: ...

    with pytest.raises(ValueError, match="make_thing names"):
        make_app(routers=[*_routers(), again])


def _routers() -> list[APIRouter]:
    from web_samples import router

    return [router]


def test_prefixes_tags_and_sockets_of_nested_routers_are_kept() -> None:
    inner, outer = APIRouter(prefix="/inner", tags=["inner"]), APIRouter(prefix="/outer")

    @inner.get("/leaf")
    async def pick_leaf(_user: web.DriverOnly) -> None: ...

    @inner.websocket("/ws")
    async def listen() -> None: ...

    outer.include_router(inner, tags=["outer"])
    app = make_app(routers=[outer])

    operation = app.openapi()["paths"]["/outer/inner/leaf"]["get"]
    assert operation["tags"] == ["outer", "inner"]
    assert operation["x-roles"] == ["driver"]
    assert "/outer/inner/ws" in [getattr(route, "path", None) for route in app.routes]


def test_unknown_roles_are_a_mistake_of_the_programmer() -> None:
    for roles in ((), ("root",)):
        with pytest.raises(ValueError, match="unknown roles"):
            web.requires(*roles)
