"""The keys that verify our access tokens."""

from typing import Any, Final

from fastapi import APIRouter, Response

from identity.api.deps import DepsDep

router = APIRouter(tags=["auth"])

# Shorter than the lead with which a new key is published, so that no verifier misses one.
CACHE: Final = "public, max-age=300, stale-while-revalidate=3600"


@router.get("/.well-known/jwks.json", operation_id="read_jwks")
async def get_jwks(response: Response, deps: DepsDep) -> dict[str, Any]:
    """A JWK Set (RFC 7517) with public members only."""
    response.headers["cache-control"] = CACHE
    return deps.tokens.jwks()
