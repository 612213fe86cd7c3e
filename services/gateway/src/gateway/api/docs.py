"""`/openapi.json` and `/docs`, from files that we carry: nothing is fetched from another host."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from gateway.api.proxy import deps_of
from kernel.refusals import NotFound

router = APIRouter(include_in_schema=False)

ASSETS: Final = Path(__file__).parent / "assets"
SERVED: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "docs.js": "text/javascript",
}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/openapi.json")
@router.get("/v1/openapi.json", operation_id="read_openapi_v1")
async def read_openapi(request: Request) -> Response:
    """The merged document of all public operations."""
    file = deps_of(request).openapi_file
    if file is None or not file.is_file():
        raise NotFound
    document = _document(file, file.stat().st_mtime_ns)
    return Response(document, media_type="application/json", headers={"cache-control": "no-cache"})


@router.get("/docs")
async def read_docs() -> Response:
    """The same for people."""
    return FileResponse(
        ASSETS / "docs.html",
        media_type="text/html",
        headers={"content-security-policy": POLICY, "x-content-type-options": "nosniff"},
    )


@router.get("/docs/assets/{name}")
async def read_docs_asset(name: str) -> Response:
    if name not in SERVED:
        raise NotFound
    headers = {"cache-control": "public, max-age=86400", "x-content-type-options": "nosniff"}
    return FileResponse(ASSETS / name, media_type=SERVED[name], headers=headers)


@lru_cache(maxsize=1)
def _document(file: Path, changed_ns: int) -> bytes:
    """The file as compact JSON; read again when it changes."""
    return json.dumps(json.loads(file.read_text()), separators=(",", ":"), ensure_ascii=False).encode()
