"""Which headers pass, and which are ours to say."""

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Header = tuple[bytes, bytes]
Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
MAX_AGENT: Final = 300

# Each is a claim about the client that only a proxy in front may make, and that somebody behind may believe.
CLAIMS: Final = frozenset(
    {
        b"forwarded",
        b"true-client-ip",
        b"cf-connecting-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-http-method-override",
        b"x-original-url",
        b"x-real-ip",
        b"x-request-id",
        b"x-rewrite-url",
        b"x-role",
        b"x-roles",
    }
)
CLAIM_PREFIXES: Final = (b"x-ibora-", b"x-forwarded-", b"x-user-", b"x-auth-", b"x-original-")

# RFC 9110 §7.6.1, and what the client library writes itself.
HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
REWRITTEN: Final = frozenset(
    {b"host", b"content-length", b"expect", b"traceparent", b"tracestate", b"baggage"}
)


def without_claims(headers: Iterable[Header]) -> Iterator[Header]:
    """The headers that an outsider may send, whatever spelling the others come in."""
    for name, value in headers:
        # Some servers read X_Ibora_Gateway as X-Ibora-Gateway.
        bare = name.lower().replace(b"_", b"-")
        if bare not in CLAIMS and not bare.startswith(CLAIM_PREFIXES):
            yield name, value


def end_to_end(headers: Sequence[Header]) -> Iterator[Header]:
    """The headers that are meant for the other end, not for us."""
    named = {
        token.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for token in value.split(b",")
    }
    for name, value in headers:
        lower = name.lower()
        if lower not in HOP_BY_HOP and lower not in named:
            yield lower, value


def to_service(headers: Sequence[Header]) -> Iterator[Header]:
    """What a service gets of a request's headers."""
    return ((name, value) for name, value in end_to_end(headers) if name not in REWRITTEN)


def to_client(headers: Sequence[Header]) -> Iterator[Header]:
    """What a client gets of an answer's headers."""
    return (
        (name, value)
        for name, value in end_to_end(headers)
        if not name.startswith(b"x-ibora-") and name not in {b"server", b"date", b"x-request-id"}
    )


def to_service_socket(headers: Sequence[Header]) -> Iterator[Header]:
    """What a service gets of a handshake's headers; the library writes the socket's own."""
    return ((name, value) for name, value in to_service(headers) if not name.startswith(b"sec-websocket-"))


def well_formed_request_id(headers: Sequence[Header]) -> str | None:
    """The one request id that a client sent, if it is one that may be logged."""
    told = [value for name, value in headers if name.lower() == b"x-request-id"]
    return told[0].decode() if len(told) == 1 and REQUEST_ID.fullmatch(told[0]) else None


def client_address(headers: Sequence[Header], *, peer: str | None, trusted: Sequence[Network]) -> str | None:
    """Who is at the other end: the peer, or what trusted proxies say in X-Forwarded-For.

    Read from the right, for each proxy appends what it saw: the first address that is no proxy of ours is the
    client. What stands further left is the client's own invention.
    """
    address = _parsed(peer)
    if address is None:
        return None
    chain = [
        part
        for name, value in headers
        if name.lower() == b"x-forwarded-for"
        for part in value.decode("latin-1").split(",")
    ]
    while chain and _is_trusted(address, trusted):
        told = _parsed(chain.pop())
        if told is None:
            break
        address = told
    return str(address)


def client_agent(headers: Sequence[Header]) -> str | None:
    """The user agent, printable and bounded."""
    told = next((value for name, value in headers if name.lower() == b"user-agent"), b"")
    printable = "".join(character for character in told.decode("latin-1") if character.isprintable())
    return printable.encode("ascii", "ignore").decode()[:MAX_AGENT] or None


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks in CIDR form; ValueError."""
    return tuple(ip_network(text, strict=False) for text in texts)


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _parsed(text: str | None) -> Address | None:
    try:
        address = ip_address((text or "").strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
