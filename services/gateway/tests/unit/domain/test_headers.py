"""Headers: claims are dropped, hops end here, addresses are read from the right."""

import pytest

from gateway.domain.headers import (
    client_address,
    client_agent,
    end_to_end,
    parse_networks,
    to_client,
    to_service,
    to_service_socket,
    well_formed_request_id,
    without_claims,
)

PROXIES = parse_networks(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    "name",
    [
        b"X-Ibora-Gateway",
        b"x-ibora-client-address",
        b"X_Ibora_Gateway",
        b"X-Forwarded-For",
        b"x-forwarded-proto",
        b"Forwarded",
        b"X-User-Id",
        b"X-User-Type",
        b"X-Role",
        b"X-Real-IP",
        b"X-Request-Id",
        b"X-HTTP-Method-Override",
        b"X-Original-URL",
    ],
)
def test_a_clients_claims_are_dropped(name: bytes) -> None:
    assert list(without_claims([(name, b"x"), (b"accept", b"y")])) == [(b"accept", b"y")]


def test_what_an_app_may_say_passes() -> None:
    headers = [
        (b"authorization", b"Bearer x"),
        (b"accept-language", b"en"),
        (b"idempotency-key", b"k"),
        (b"content-type", b"application/json"),
    ]
    assert list(without_claims(headers)) == headers
    assert list(to_service(headers)) == headers


def test_headers_of_one_hop_end_here() -> None:
    headers = [
        (b"Connection", b"keep-alive, X-Hop"),
        (b"X-Hop", b"1"),
        (b"Keep-Alive", b"5"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Upgrade", b"h2c"),
        (b"TE", b"trailers"),
        (b"Accept", b"*/*"),
    ]
    assert list(end_to_end(headers)) == [(b"accept", b"*/*")]


def test_what_the_client_library_writes_is_left_to_it() -> None:
    headers = [
        (b"host", b"evil"),
        (b"content-length", b"5"),
        (b"traceparent", b"00"),
        (b"baggage", b"x"),
        (b"a", b"b"),
    ]
    assert list(to_service(headers)) == [(b"a", b"b")]
    socket = [(b"sec-websocket-key", b"k"), (b"origin", b"o")]
    assert list(to_service_socket(socket)) == [(b"origin", b"o")]


def test_a_client_hears_nothing_of_the_inside() -> None:
    headers = [(b"Server", b"uvicorn"), (b"X-Ibora-Inside", b"1"), (b"X-Request-Id", b"r"), (b"ETag", b"e")]
    assert list(to_client(headers)) == [(b"etag", b"e")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.1", [], "198.51.100.1"),
        ("198.51.100.1", ["203.0.113.9"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9, 10.2.2.2"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        (None, ["203.0.113.9"], None),
        ("testclient", [], None),
    ],
)
def test_a_clients_address_is_the_first_from_the_right_that_is_no_proxy_of_ours(
    peer: str | None, forwarded: list[str], address: str | None
) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert client_address(headers, peer=peer, trusted=PROXIES) == address


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ([b"abcd-1234"], "abcd-1234"),
        ([b"short"], None),
        ([b"x" * 65], None),
        ([b"abcd-1234\r\nx"], None),
        ([b"abcd 12345"], None),
        ([b"abcd-1234", b"abcd-5678"], None),
        ([], None),
    ],
)
def test_only_one_well_formed_request_id_is_kept(told: list[bytes], kept: str | None) -> None:
    assert well_formed_request_id([(b"X-Request-Id", value) for value in told]) == kept


def test_an_agent_is_printable_and_bounded() -> None:
    assert client_agent([(b"User-Agent", b"Ibora/1\x07\xff")]) == "Ibora/1"
    assert client_agent([(b"user-agent", b"x" * 400)]) == "x" * 300
    assert client_agent([]) is None
