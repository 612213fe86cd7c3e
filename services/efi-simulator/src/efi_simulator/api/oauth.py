"""The token."""

from typing import Any

from fastapi import APIRouter, Request

from efi_simulator.api.answers import Token, answered
from efi_simulator.api.deps import DepsDep
from efi_simulator.api.requests import TokenSolicitado
from efi_simulator.api.tokens import SCOPES
from efi_simulator.domain.refusals import UnsupportedGrant

router = APIRouter()


@router.post("/oauth/token", operation_id="issue_token", responses=answered(200, Token))
async def issue_token(request: Request, body: TokenSolicitado, deps: DepsDep) -> dict[str, Any]:
    if body.grant_type != "client_credentials":
        raise UnsupportedGrant
    token = deps.tokens.issue(request.headers.get("Authorization", ""), now=deps.clock.now())
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": deps.tokens.ttl_s,
        "scope": " ".join(one for one in SCOPES.split() if one not in deps.bank.rules.missing_scopes),
    }
