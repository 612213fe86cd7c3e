"""Health, readiness and metrics, on both doors."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from efi_simulator.api.deps import DepsDep

router = APIRouter(include_in_schema=False)


@router.get("/health")
@router.get("/ready")
async def health(deps: DepsDep, response: Response) -> dict[str, str]:
    reason = deps.unhealthy()
    response.status_code = 503 if reason else 200
    return {"status": reason or "ok"}


@router.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
