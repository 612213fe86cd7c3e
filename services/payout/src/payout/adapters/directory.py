"""Identity, the one home of Pix keys and CPFs (the decided synchronous call between services)."""

from collections.abc import Callable
from uuid import UUID

import httpx

from payout.domain.bank_details import BankDetails
from payout.ports import DirectoryAway
from telemetry.tracing import CLIENT, current_headers, span


class IdentityDirectory:
    """`token` gives the services' shared token, read again when its file changes."""

    def __init__(self, client: httpx.AsyncClient, *, token: Callable[[], str]) -> None:
        self._client = client
        self._token = token

    async def bank_details(self, driver_id: UUID) -> BankDetails | None:
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
        return _details(response)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _details(response: httpx.Response) -> BankDetails | None:
    try:
        body = response.json()
        pix_key, kind, cpf = body["pix_key"], body["pix_key_type"], body["cpf"]
    except (ValueError, KeyError, TypeError) as error:
        raise DirectoryAway("malformed answer") from error
    return BankDetails(pix_key=pix_key, pix_key_type=kind, cpf=cpf) if pix_key else None
