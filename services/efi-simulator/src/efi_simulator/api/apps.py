"""The two applications, on one set of books."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI

from efi_simulator.api import (
    account,
    charges,
    control,
    errors,
    mischief,
    oauth,
    probes,
    received,
    sends,
    webhooks,
)
from efi_simulator.api.deps import Deps
from efi_simulator.api.faults import Keeping, Misbehaving, Nudging

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


def api_app(deps: Deps | None = None, *, lifespan: Lifespan | None = None) -> FastAPI:
    """Efí's API. Without `deps` it only describes itself."""
    app = FastAPI(title="Efí simulator", version="1", lifespan=lifespan, redoc_url=None)
    app.state.deps = deps
    for part in (oauth, charges, received, sends, webhooks, account, probes):
        app.include_router(part.router)
    errors.install(app)
    app.add_middleware(Keeping)
    app.add_middleware(Nudging)
    app.add_middleware(Misbehaving)
    return app


def control_app(deps: Deps) -> FastAPI:
    """The control door."""
    app = FastAPI(title="Efí simulator: control", version="1", redoc_url=None)
    app.state.deps = deps
    for part in (control, mischief, probes):
        app.include_router(part.router)
    app.add_middleware(Keeping)
    app.add_middleware(Nudging)
    return app
