"""What only the gateway may tell: the request's id, the client's address and agent.

The gateway proves itself with `X-Ibora-Gateway`, a shared secret in a file. From anyone else these headers
are not read, so nobody can forge an address into an audit record.
"""

import hmac
import re
from ipaddress import ip_address
from typing import Final

from starlette.requests import HTTPConnection

from kernel.actor import Actor
from telemetry import get_logger
from web.principals import Principal
from web.problems import request_id_of
from web.secret_files import SecretFile

log = get_logger(__name__)

GATEWAY_HEADER: Final = "X-Ibora-Gateway"
ADDRESS_HEADER: Final = "X-Ibora-Client-Address"
AGENT_HEADER: Final = "X-Ibora-Client-Agent"
REQUEST_ID_HEADER: Final = "X-Request-Id"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_MAX_AGENT: Final = 300


def actor(request: HTTPConnection, principal: Principal) -> Actor:
    """Who acts, for an audit record. Address and agent are None unless the gateway told them."""
    trusted = from_gateway(request)
    return Actor(
        user_id=principal.user_id,
        user_type=principal.user_type,
        ip_address=_address(request.headers.get(ADDRESS_HEADER)) if trusted else None,
        user_agent=_agent(request.headers.get(AGENT_HEADER)) if trusted else None,
        request_id=request_id_of(request) or None,
    )


def from_gateway(connection: HTTPConnection) -> bool:
    """Whether the gateway sent this request, decided once a request."""
    state = connection.scope.setdefault("state", {})
    if "from_gateway" not in state:
        secret: SecretFile | None = connection.app.state.gateway_token
        state["from_gateway"] = _knows(secret, connection.headers.getlist(GATEWAY_HEADER))
    return bool(state["from_gateway"])


def told_request_id(connection: HTTPConnection) -> str | None:
    """The gateway's request id, when the gateway sent a well-formed one."""
    told = connection.headers.get(REQUEST_ID_HEADER)
    if told is None or not _REQUEST_ID.fullmatch(told) or not from_gateway(connection):
        return None
    return told


def _knows(secret: SecretFile | None, sent: list[str]) -> bool:
    if secret is None or len(sent) != 1:
        return False
    try:
        expected = secret.value()
    except (OSError, ValueError) as error:
        log.error("gateway_token_unreadable", reason=type(error).__name__)
        return False
    return hmac.compare_digest(sent[0].encode(), expected.encode())


def _address(text: str | None) -> str | None:
    try:
        return str(ip_address((text or "").strip()))
    except ValueError:
        return None


def _agent(text: str | None) -> str | None:
    printable = "".join(character for character in (text or "") if character.isprintable())
    return printable[:_MAX_AGENT] or None
