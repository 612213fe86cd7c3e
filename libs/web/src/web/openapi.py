"""The OpenAPI document: stable operation ids, roles, and a problem for every way an operation can fail."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kernel.refusals import Invalid, NotAllowed, Refusal
from web.idempotency import HEADER, _required_key
from web.problems import MEDIA_TYPE, Problem, ProblemError
from web.refusals import InvalidToken, MalformedJson, PayloadTooLarge, Unauthenticated
from web.routes import OrderedRoute, _calls, roles_of

_SCHEMA: Final = {"$ref": "#/components/schemas/Problem"}
_WITH_BODY: Final = (MalformedJson, PayloadTooLarge, Invalid)
_WITH_ROLES: Final = (Unauthenticated, InvalidToken, NotAllowed)
_PYDANTICS: Final = ("HTTPValidationError", "ValidationError")


def errors(*refusals: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """`responses=` of an operation: one problem response a status, naming the codes it may carry."""
    by_status: dict[int, list[type[Refusal]]] = {}
    for refusal in refusals:
        by_status.setdefault(refusal.status, []).append(refusal)
    return {status: _response(status, kinds) for status, kinds in sorted(by_status.items())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. `roles` None: no token is asked for. `public`: part of the published API."""

    method: str
    path: str
    operation_id: str
    roles: tuple[str, ...] | None
    public: bool


def operations(app: FastAPI) -> Iterator[Operation]:
    """Every operation of an app, also those that the document leaves out."""
    for route in app.routes:
        if isinstance(route, OrderedRoute):
            for method in sorted(route.methods or ()):
                yield Operation(
                    method=method,
                    path=route.path,
                    operation_id=route.unique_id,
                    roles=roles_of(route.dependant),
                    public=route.include_in_schema,
                )


def install(app: FastAPI, *, public_url: str) -> None:
    """Refuse repeated operation ids and let the app describe itself our way."""
    _refuse_repeated_ids(app)

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, public_url=public_url)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way


def _refuse_repeated_ids(app: FastAPI) -> None:
    seen: dict[str, str] = {}
    for operation in operations(app):
        where = f"{operation.method} {operation.path}"
        if operation.operation_id in seen:
            raise ValueError(f"{operation.operation_id} names {seen[operation.operation_id]} and {where}")
        seen[operation.operation_id] = where


def _document(app: FastAPI, *, public_url: str) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, routes=app.routes, servers=[{"url": public_url}]
    )
    for route in app.routes:
        if isinstance(route, OrderedRoute) and route.include_in_schema:
            for method in route.methods or ():
                _complete(document["paths"][route.path_format][method.lower()], route)
    _add_problem(document)
    return document


def _complete(operation: dict[str, Any], route: OrderedRoute) -> None:
    responses = operation.setdefault("responses", {})
    if "422" in responses and MEDIA_TYPE not in responses["422"].get("content", {}):
        del responses["422"]
        _default(responses, errors(Invalid))
    if route.body_field is not None:
        _default(responses, errors(*_WITH_BODY))
    if roles_of(route.dependant) is not None:
        _default(responses, errors(*_WITH_ROLES))
    responses.setdefault("default", _response(None, []))
    if _required_key in _calls(route.dependant):
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == HEADER:
                parameter["required"] = True


def _default(responses: dict[str, Any], more: dict[int | str, dict[str, Any]]) -> None:
    for status, response in more.items():
        responses.setdefault(str(status), response)


def _response(status: int | None, kinds: list[type[Refusal]]) -> dict[str, Any]:
    codes = ", ".join(dict.fromkeys(f"`{kind.code}`" for kind in kinds))
    phrase = HTTPStatus(status).phrase if status else "Any other error"
    return {
        "description": f"{phrase}: {codes}" if codes else phrase,
        "content": {MEDIA_TYPE: {"schema": _SCHEMA}},
    }


def _add_problem(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _PYDANTICS:
        schemas.pop(name, None)
    template = "#/components/schemas/{model}"
    problem = Problem.model_json_schema(ref_template=template)
    problem.pop("$defs", None)
    schemas["Problem"] = problem
    schemas["ProblemError"] = ProblemError.model_json_schema(ref_template=template)
