"""The app factory: every service's HTTP door is built here and looks alike."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from telemetry import tracing
from web import failures, openapi, probes, traces
from web.background import Background, start_all, stop_all
from web.clients import REQUEST_ID_HEADER
from web.edge import Edge
from web.idempotency import REPLAYED
from web.keys import RemoteKeys
from web.probes import Check
from web.revocations import Revocations
from web.routes import mount
from web.secret_files import SecretFile
from web.settings import WebSettings
from web.tokens import TokenVerifier


def create_app(
    *,
    service: str,
    title: str,
    settings: WebSettings,
    routers: Sequence[APIRouter],
    deps: object | None = None,
    verifier: TokenVerifier | None = None,
    background: Sequence[Background] = (),
    checks: Mapping[str, Check] | None = None,
    version: str = "1",
) -> FastAPI:
    """An app with the routers, /health, /ready and /metrics. Opens nothing until its lifespan starts.

    Without a `verifier`, one is made from the settings when `jwks_url` is set. The verifier's revocations run
    with the app, as does every `background`. Raises ValueError when two operations share an id.
    """
    verifier = verifier or make_verifier(settings)
    app = FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        # `traces.instrument` does it; FastAPI's own spans would be a second set.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.service = service
    app.state.web_settings = settings
    app.state.deps = deps
    app.state.verifier = verifier
    app.state.background = _all_background(verifier, background)
    app.state.checks = dict(checks or {})
    app.state.draining = False
    app.state.gateway_token = SecretFile(settings.gateway_token_file) if settings.gateway_token_file else None
    for router in (probes.router, *routers):
        mount(app, router)
    failures.install(app)
    openapi.install(app, public_url=settings.public_url)
    _add_layers(app, settings)
    traces.instrument(app)
    return app


def make_verifier(settings: WebSettings) -> TokenVerifier | None:
    """A verifier of identity's tokens, or None without a `jwks_url`."""
    if settings.jwks_url is None:
        return None
    return TokenVerifier(
        RemoteKeys(settings.jwks_url),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        revocations=Revocations(valkey_url=settings.valkey_url, identity_url=settings.identity_url),
    )


def _all_background(verifier: TokenVerifier | None, background: Sequence[Background]) -> list[Background]:
    revocations = verifier.revocations if verifier is not None else None
    if revocations is None or any(part is revocations for part in background):
        return list(background)
    return [revocations, *background]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: list[Background] = app.state.background
    await start_all(parts)
    try:
        yield
    finally:
        app.state.draining = True
        await stop_all(parts)
        if app.state.verifier is not None:
            await app.state.verifier.close()
        tracing.flush()


def _add_layers(app: FastAPI, settings: WebSettings) -> None:
    """From the inside out: an answer of the last resort still gets CORS headers and a request id."""
    app.add_middleware(failures.LastResort)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, **_cors(settings))
    app.add_middleware(Edge)


def _cors(settings: WebSettings) -> dict[str, Any]:
    return {
        "allow_origins": list(settings.cors_origins),
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": [
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "Accept-Language",
            "traceparent",
        ],
        "expose_headers": [REQUEST_ID_HEADER, REPLAYED, "Retry-After", "RateLimit", "RateLimit-Policy"],
        "max_age": 600,
    }
