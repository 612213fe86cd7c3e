"""Who is calling, and which roles an operation lets in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar, cast
from uuid import UUID

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.requests import Request

from kernel.refusals import NotAllowed, Unavailable
from telemetry import bind
from web.refusals import InvalidToken, Unauthenticated

USER_TYPES: Final = ("passenger", "driver", "admin")
_MAX_TOKEN: Final = 4096

X = TypeVar("X")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated user: what a verified access token says. `user_type` is passenger, driver or admin."""

    user_id: UUID
    user_type: str
    session_id: UUID
    token_id: str
    issued_at: datetime
    expires_at: datetime


class BeforeBody(Generic[X]):
    """A dependency decided before the body is parsed, so that 401, 403 and 404 come before 400 and 422.

    `check` sees the request without its body and is run once a request.
    """

    def __init__(self, check: Callable[[Request], Awaitable[X]]) -> None:
        self._check = check

    async def __call__(self, request: Request) -> X:
        done: dict[int, Any] = request.scope.setdefault("ibora.before_body", {})
        if id(self) not in done:
            done[id(self)] = await self._check(request)
        return cast(X, done[id(self)])


def before_body(check: Callable[[Request], Awaitable[X]]) -> BeforeBody[X]:
    """Wrap an ownership check for `Depends`: it runs after authentication and before the body is parsed."""
    return BeforeBody(check)


class Requires(HTTPBearer, BeforeBody[Principal]):
    """Lets the named roles in; made by `requires`. Also the security scheme in OpenAPI."""

    def __init__(self, roles: tuple[str, ...]) -> None:
        HTTPBearer.__init__(self, bearerFormat="JWT", scheme_name="bearer", auto_error=False)
        BeforeBody.__init__(self, self._authorize)
        self.roles = roles

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]
        return await BeforeBody.__call__(self, request)

    async def _authorize(self, request: Request) -> Principal:
        principal = await authenticate(request)
        if principal.user_type not in self.roles:
            raise NotAllowed
        return principal


def requires(*roles: str) -> Requires:
    """A dependency that answers 401 without a good token and 403 to other roles; gives the Principal."""
    unknown = set(roles) - set(USER_TYPES)
    if unknown or not roles:
        raise ValueError(f"unknown roles: {sorted(unknown)}")
    return Requires(roles)


AnyUser = Annotated[Principal, Depends(requires(*USER_TYPES))]
PassengerOnly = Annotated[Principal, Depends(requires("passenger"))]
DriverOnly = Annotated[Principal, Depends(requires("driver"))]
AdminOnly = Annotated[Principal, Depends(requires("admin"))]


async def authenticate(request: Request) -> Principal:
    """The verified principal of a request, whatever its role. Raises Unauthenticated or InvalidToken."""
    known = request.scope.get("ibora.principal")
    if known is not None:
        return cast(Principal, known)
    token = bearer_token(request)
    verifier = request.app.state.verifier
    if verifier is None:
        raise Unavailable("no token verifier is configured")
    principal: Principal = await verifier.verify(token)
    request.scope["ibora.principal"] = principal
    bind(user_id=str(principal.user_id))
    return principal


def bearer_token(request: Request) -> str:
    """The token of the one Authorization header. Raises Unauthenticated or InvalidToken."""
    headers = request.headers.getlist("authorization")
    if not headers:
        raise Unauthenticated
    scheme, _, token = headers[0].partition(" ")
    token = token.strip()
    if len(headers) > 1 or scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN:
        raise InvalidToken
    return token
