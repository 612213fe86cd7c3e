"""Identity, the one home of Pix keys and CPFs (the decided synchronous call between services)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import httpx

from payout.domain.bank_details import BankDetails, Payee
from payout.ports import DirectoryAway
from telemetry.tracing import CLIENT, current_headers, span

ACTIVE: Final = "active"


class IdentityDirectory:
    """`token` gives the services' shared token, read again when its file changes."""

    def __init__(self, client: httpx.AsyncClient, *, token: Callable[[], str]) -> None:
        self._client = client
        self._token = token

    async def payee(self, driver_id: UUID) -> Payee | None:
        path = f"/internal/drivers/{driver_id}/bank-details"
        try:
            with span("GET bank-details", kind=CLIENT):
                headers = {"Authorization": f"Bearer {self._token()}", **current_headers()}
                response = await self._client.get(path, headers=headers)
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise DirectoryAway(type(error).__name__) from error
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.status_code != httpx.codes.OK:
            raise DirectoryAway(str(response.status_code))
        return _payee(response)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _payee(response: httpx.Response) -> Payee:
    try:
        body = response.json()
        changed_at = body.get("pix_key_changed_at")
        return Payee(
            details=_details(body),
            active=body.get("status", ACTIVE) == ACTIVE,
            pix_key_changed_at=datetime.fromisoformat(changed_at) if changed_at else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DirectoryAway("malformed answer") from error


def _details(body: Mapping[str, Any]) -> BankDetails | None:
    pix_key, kind, cpf = body["pix_key"], body["pix_key_type"], body["cpf"]
    return BankDetails(pix_key=pix_key, pix_key_type=kind, cpf=cpf) if pix_key else None
