"""Routes that check in the order of API.md.

FastAPI parses the body before a dependency can refuse, so an anonymous caller would learn that his JSON is
malformed. Here a matched route first counts the body (413), then authenticates and authorizes (401, 403 and
the object's 404), and only then lets FastAPI parse (400) and validate (422). Unknown paths and wrong methods
never match a route, so they come first by themselves.
"""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, cast

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from kernel.refusals import FieldError, Invalid, NotFound, Refusal
from web.bodies import JsonRequest, capped
from web.principals import BeforeBody, Requires
from web.settings import WebSettings

INTERNAL: Final = "/internal/"
_COPIED: Final = (
    "response_model", "status_code", "tags", "dependencies", "summary", "description",
    "response_description", "responses", "deprecated", "methods", "operation_id", "response_model_include",
    "response_model_exclude", "response_model_by_alias", "response_model_exclude_unset",
    "response_model_exclude_defaults", "response_model_exclude_none", "include_in_schema", "response_class",
    "name", "callbacks", "openapi_extra", "generate_unique_id_function", "strict_content_type",
)  # fmt: skip


class OrderedRoute(APIRoute):
    """An APIRoute with the checks in our order."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body before anything reads it; a wrong method is refused first."""
        if scope["method"] in (self.methods or ()):
            settings: WebSettings = scope["app"].state.web_settings
            receive = await capped(
                scope, receive, limit_bytes=settings.body_limit_bytes, timeout_s=settings.body_timeout_s
            )
        await super().handle(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Authorize, then look at the path and query, then let FastAPI parse and validate."""
        handle = super().get_route_handler()
        guards = tuple(guards_of(self.dependant))
        path_params = self.dependant.path_params

        async def ordered(request: Request) -> Response:
            strict = JsonRequest(request.scope, request.receive)
            overrides = request.app.dependency_overrides
            for guard in guards:
                if guard not in overrides:
                    await guard(strict)
            if path_params:
                _refuse_impossible_path(strict, path_params)
            _refuse_nul_in_query(strict)
            try:
                return await handle(strict)
            except HTTPException as error:
                # FastAPI wraps whatever a body parser raises in a bare 400.
                if isinstance(error.__cause__, Refusal):
                    raise error.__cause__ from None
                raise

        return ordered


def guards_of(dependant: Dependant) -> Iterator[BeforeBody[Any]]:
    """The dependencies that are decided before the body is parsed, authentication first."""
    found = [call for call in _calls(dependant) if isinstance(call, BeforeBody)]
    yield from sorted(found, key=lambda guard: not isinstance(guard, Requires))


def roles_of(dependant: Dependant) -> tuple[str, ...] | None:
    """The roles that an operation lets in; None when it asks for no token."""
    roles = [set(call.roles) for call in _calls(dependant) if isinstance(call, Requires)]
    return tuple(sorted(set.intersection(*roles))) if roles else None


def mount(app: FastAPI, router: APIRouter) -> None:
    """Add a router's routes to the app as OrderedRoutes. Raises ValueError for a repeated operation id."""
    for context in iter_route_contexts(router.routes):
        if isinstance(context.original_route, APIRoute):
            app.router.routes.append(_ordered(app, context))
        else:
            # With the prefixes of the routers around it; FastAPI offers no public name for that.
            app.router.routes.append(cast(BaseRoute, context._effective_route))


def _ordered(app: FastAPI, context: RouteContext) -> OrderedRoute:
    options = {name: getattr(context, name) for name in _COPIED}
    path, endpoint = context.path, context.endpoint
    assert path is not None
    assert endpoint is not None
    if path.startswith(INTERNAL):
        options["include_in_schema"] = False
    options["operation_id"] = options["operation_id"] or options["name"]
    route = OrderedRoute(path, endpoint, dependency_overrides_provider=app, **options)
    roles = roles_of(route.dependant)
    if roles is not None:
        route.openapi_extra = {**(route.openapi_extra or {}), "x-roles": list(roles)}
    return route


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _refuse_impossible_path(request: Request, path_params: list[Any]) -> None:
    """An id that cannot exist is like one that does not: 404, before the body is looked at."""
    _, errors = request_params_to_args(path_params, request.path_params)
    if errors or any(isinstance(value, str) and "\x00" in value for value in request.path_params.values()):
        raise NotFound


def _refuse_nul_in_query(request: Request) -> None:
    if b"%00" in request.scope["query_string"]:
        names = [
            name for name, value in request.query_params.multi_items() if "\x00" in value or "\x00" in name
        ]
        raise Invalid(
            errors=[
                FieldError(pointer=f"/query/{name}", code="nul_character", detail="") for name in names[:50]
            ]
        )
