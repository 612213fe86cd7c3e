"""The outermost layer: whatever a client claims about itself is replaced by what we know.

Behind it, a request looks as if it came from the gateway, because it does: it carries our token, the client's
address and agent as we see them, and a request id.
"""

from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.domain.headers import (
    Header,
    Network,
    client_address,
    client_agent,
    well_formed_request_id,
    without_claims,
)
from kernel.ids import new_id
from telemetry import get_logger
from web.clients import ADDRESS_HEADER, AGENT_HEADER, GATEWAY_HEADER, REQUEST_ID_HEADER
from web.secret_files import SecretFile

log = get_logger(__name__)

ADDRESS_STATE: Final = "client_address"


class Doorkeeper:
    """ASGI middleware. `token` proves to services that the gateway speaks."""

    def __init__(self, app: ASGIApp, *, token: SecretFile | None, trusted_proxies: Sequence[Network]) -> None:
        self._app = app
        self._token = token
        self._trusted = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            vouched = self._vouched(scope)
            scope = {**scope, "headers": vouched}
        await self._app(scope, receive, send)

    def _vouched(self, scope: Scope) -> list[Header]:
        sent: list[Header] = list(scope["headers"])
        peer = scope["client"][0] if scope.get("client") else None
        address = client_address(sent, peer=peer, trusted=self._trusted)
        scope.setdefault("state", {})[ADDRESS_STATE] = address
        ours = {
            REQUEST_ID_HEADER: well_formed_request_id(sent) or str(new_id()),
            GATEWAY_HEADER: self._secret(),
            ADDRESS_HEADER: address,
            AGENT_HEADER: client_agent(sent),
        }
        return [
            *without_claims(sent),
            *((name.lower().encode(), value.encode()) for name, value in ours.items() if value),
        ]

    def _secret(self) -> str | None:
        if self._token is None:
            return None
        try:
            return self._token.value()
        except (OSError, ValueError) as error:
            log.error("gateway_token_unreadable", reason=type(error).__name__)
            return None
