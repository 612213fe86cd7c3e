"""The only wiring place: `gateway api | all`."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.routing import Route, WebSocketRoute

import telemetry
import web
from gateway.adapters.limiter import LiftedLimiter, SharedLimiter
from gateway.adapters.services import HttpServices
from gateway.api import docs
from gateway.api.deps import Deps
from gateway.api.doorkeeper import Doorkeeper
from gateway.api.proxy import Proxy
from gateway.api.sockets import PATHS, open_socket
from gateway.domain.headers import parse_networks
from gateway.domain.limits import Limits, Window
from gateway.domain.routes import Table
from gateway.settings import Settings

SERVICE: Final = "gateway"
TITLE: Final = "Ibora gateway"
ROUTERS: Final[Sequence[APIRouter]] = (docs.router,)


def build(settings: Settings, *, mode: str = "all") -> FastAPI:
    """The app. Every mode is the same: a gateway has no worker."""
    services = HttpServices(
        settings.service_urls,
        connect_timeout_s=settings.connect_timeout_s,
        timeout_s=settings.upstream_timeout_s,
    )
    limiter = LiftedLimiter() if settings.rate_limits == "relaxed" else SharedLimiter(settings.valkey_url)
    deps = Deps(
        services=services,
        limiter=limiter,
        limits=_limits(settings),
        table=Table(),
        openapi_file=settings.openapi_file,
        browser_origins=settings.cors_origins,
    )
    app = web.create_app(
        service=SERVICE,
        title=TITLE,
        settings=settings,
        routers=ROUTERS,
        deps=deps,
        background=[services, limiter],
    )
    app.router.routes += [WebSocketRoute(path, open_socket) for path in PATHS]
    app.router.routes.append(Route("/{path:path}", Proxy(), include_in_schema=False))
    app.add_middleware(
        Doorkeeper,
        token=app.state.gateway_token,
        trusted_proxies=parse_networks(settings.trusted_proxies),
    )
    return app


def describe() -> FastAPI:
    """The gateway's own operations: none is public API, which is what its routes pass on."""
    return web.create_app(service=SERVICE, title=TITLE, settings=web.WebSettings(), routers=ROUTERS)


def _limits(settings: Settings) -> Limits:
    return Limits(
        address=Window(name="address", limit=settings.address_per_minute),
        user=Window(name="user", limit=settings.user_per_minute),
        accept=Window(name="accept", limit=settings.accept_per_minute, exact=True),
    )


def _serve() -> None:
    settings = Settings()
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings), settings)


cli = web.cli(SERVICE, {"api": _serve, "all": _serve})

if __name__ == "__main__":
    raise SystemExit(cli())
