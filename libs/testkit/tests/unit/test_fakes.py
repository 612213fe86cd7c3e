"""The clock, the tokens and the certificates that tests are given."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cryptography import x509

from testkit import FakeClock, Tokens
from testkit.certificates import Certificates


def test_a_clock_stands_still_until_it_is_advanced(clock: FakeClock) -> None:
    before = clock.now()
    assert clock.now() == before

    assert clock.advance(90) == before + timedelta(seconds=90) == clock.now()


def test_a_clock_starts_at_noon_in_sao_paulo_today(clock: FakeClock) -> None:
    assert clock.now().tzinfo is UTC
    assert clock.now().hour == 15
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(days=1)


def test_a_token_carries_the_contracts_claims(clock: FakeClock) -> None:
    tokens = Tokens(clock)
    user_id, session_id = uuid4(), uuid4()

    header, claims = _parts(tokens.token(user_id, "driver", session_id=session_id))

    assert (header["alg"], header["kid"]) == ("RS256", tokens.key_id)
    assert claims["sub"] == str(user_id)
    assert claims["type"] == "driver"
    assert claims["sid"] == str(session_id)
    assert claims["exp"] - claims["iat"] == 900
    assert set(claims) == {"sub", "type", "iat", "exp", "iss", "aud", "jti", "sid"}


def test_a_claim_can_be_spoilt_or_left_out(tokens: Tokens) -> None:
    _, claims = _parts(tokens.token(uuid4(), "admin", claims={"exp": 1, "jti": None}))

    assert claims["exp"] == 1
    assert "jti" not in claims


def test_the_jwks_holds_no_private_key(tokens: Tokens) -> None:
    (key,) = tokens.jwks()["keys"]

    assert key["kid"] == tokens.key_id
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)


async def test_a_verifier_trusts_these_tokens(tokens: Tokens) -> None:
    user_id = uuid4()

    principal = await tokens.verifier().verify(tokens.token(user_id, "passenger"))

    assert principal.user_id == user_id
    assert principal.user_type == "passenger"


def test_certificates_say_who_they_are(certificates: Certificates) -> None:
    named = x509.load_pem_x509_certificate(certificates.client_named("webhook.example").cert.read_bytes())
    expired = x509.load_pem_x509_certificate(certificates.expired.cert.read_bytes())
    stranger = x509.load_pem_x509_certificate(certificates.stranger.cert.read_bytes())

    assert "CN=webhook.example" in named.subject.rfc4514_string()
    assert expired.not_valid_after_utc < datetime.now(UTC)
    assert stranger.issuer != named.issuer
    assert certificates.client.key.stat().st_mode & 0o077 == 0


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    return _decoded(header), _decoded(claims)


def _decoded(part: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return value
