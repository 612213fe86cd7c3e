"""`/health` (is this process alive and moving), `/ready` (may it have traffic), `/metrics` (Prometheus)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from telemetry import get_logger
from web.problems import problem_response

log = get_logger(__name__)

CHECK_TIMEOUT_S: Final = 2.0
Check = Callable[[], Awaitable[None]]
router = APIRouter(include_in_schema=False)


@router.get("/health")
async def health(request: Request) -> Response:
    """200 while every background part moves; else 503, naming those that do not: a reason to restart."""
    reasons = {
        type(part).__name__: reason
        for part in request.app.state.background
        if (reason := part.unhealthy()) is not None
    }
    if not reasons:
        return JSONResponse({"status": "ok"})
    return _unfit(request, code="unhealthy", parts=reasons)


@router.get("/ready")
async def ready(request: Request) -> Response:
    """200 when traffic is welcome; 503 while draining or while a part that requests need is away."""
    if request.app.state.draining:
        return _unfit(request, code="draining", parts={})
    outcomes = await _run(request.app.state.checks)
    failed = {name: outcome for name, outcome in outcomes.items() if outcome != "ok"}
    if not failed:
        return JSONResponse({"status": "ready", "checks": outcomes})
    return _unfit(request, code="not_ready", parts=failed)


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _run(checks: Mapping[str, Check]) -> dict[str, str]:
    outcomes = await asyncio.gather(*(_outcome(name, check) for name, check in checks.items()))
    return dict(zip(checks, outcomes, strict=True))


async def _outcome(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except Exception as error:  # noqa: BLE001  # whatever it is, the service is not ready
        log.warning("not_ready", check=name, reason=type(error).__name__)
        return type(error).__name__
    return "ok"


def _unfit(request: Request, *, code: str, parts: Mapping[str, Any]) -> Response:
    return problem_response(
        request,
        status=503,
        code=code,
        sentences=("O serviço não está pronto.", "The service is not ready."),
        extensions={"parts": dict(parts)},
    )
