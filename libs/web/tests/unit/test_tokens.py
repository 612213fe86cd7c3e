"""Access tokens are checked in full, and nothing else passes for one."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, RSAKey

import web
from kernel.ids import id_time, new_id
from testkit.fake_clock import FakeClock
from testkit.tokens import AUDIENCE, ISSUER, Tokens
from web.keys import read_jwks

USER = uuid4()


@pytest.fixture
def signer(clock: FakeClock) -> Tokens:
    return Tokens(clock)


async def refused(signer: Tokens, token: str) -> bool:
    try:
        await signer.verifier().verify(token)
    except web.InvalidToken:
        return True
    return False


async def test_a_good_token_gives_its_principal(signer: Tokens, clock: FakeClock) -> None:
    session = uuid4()

    principal = await signer.verifier().verify(signer.token(USER, "driver", session_id=session))

    assert (principal.user_id, principal.user_type, principal.session_id) == (USER, "driver", session)
    assert principal.issued_at == clock.now()
    assert principal.expires_at > clock.now()


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.invalid"}, {"iss": None}, {"iss": [ISSUER]}, {"aud": "other"}, {"aud": None},
        {"aud": ["other"]}, {"aud": {"ibora": 1}}, {"sub": None}, {"sub": "admin"}, {"sub": 1}, {"sid": None},
        {"sid": "x"}, {"jti": None}, {"jti": ""}, {"jti": 7}, {"type": None}, {"type": "system"},
        {"type": "root"},
        {"type": ["admin"]}, {"type": {}}, {"exp": None}, {"exp": "9999999999"}, {"exp": True}, {"iat": None},
        {"iat": "1"}, {"exp": 1}, {"exp": 1e400}, {"iat": 99_999_999_999}, {"nbf": 99_999_999_999},
        {"nbf": "x"},
    ],
)  # fmt: skip
async def test_one_wrong_claim_is_enough(signer: Tokens, claims: dict[str, Any]) -> None:
    assert await refused(signer, signer.token(USER, "driver", claims=claims))


async def test_an_audience_may_be_one_of_a_list(signer: Tokens) -> None:
    assert not await refused(signer, signer.token(USER, "driver", claims={"aud": ["other", AUDIENCE]}))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"}, {"typ": "rt+jwt"}, {"typ": "ws-ticket+jwt"}, {"typ": "service+jwt"}, {"typ": None},
        {"kid": "other"},
        {"kid": "../../etc/passwd"}, {"kid": "' OR 1=1 --"}, {"kid": 7}, {"kid": ["x"]}, {"kid": None},
        {"jku": "https://evil.invalid/jwks.json"}, {"x5u": "https://evil.invalid/x.pem"},
        {"jwk": {"kty": "oct", "k": "AA"}}, {"x5c": ["AA"]}, {"crit": ["exp"], "exp": 1}, {"b64": False},
        {"extra": 1},
    ],
)  # fmt: skip
async def test_a_header_that_is_not_exactly_ours_is_refused(signer: Tokens, header: dict[str, Any]) -> None:
    good = {"alg": "RS256", "kid": signer.key_id, "typ": "at+jwt"}
    spoilt = {name: value for name, value in (good | header).items() if value is not None}
    claims = read_claims(signer.token(USER, "driver"))

    assert await refused(signer, sign_raw(spoilt, claims, signer))


def read_claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign_raw(
    header: dict[str, Any], claims: dict[str, Any], signer: Tokens, hashed_by: HashAlgorithm | None = None
) -> str:
    """A correct RSA signature (RS256's unless told) under any header at all."""
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    signature = signer._key.private_key.sign(signed.encode(), PKCS1v15(), hashed_by or SHA256())  # type: ignore[union-attr]
    return f"{signed}.{b64(signature)}"


async def test_the_raw_signer_of_these_tests_signs_well(signer: Tokens) -> None:
    header = {"alg": "RS256", "kid": signer.key_id, "typ": "at+jwt"}

    assert not await refused(signer, sign_raw(header, read_claims(signer.token(USER, "driver")), signer))


async def test_a_public_key_used_as_an_hmac_secret_signs_nothing(signer: Tokens) -> None:
    """Algorithm confusion (ASVS 9.1.2)."""
    public = read_jwks(signer.jwks())[signer.key_id].public_key
    header = {"alg": "HS256", "kid": signer.key_id, "typ": "at+jwt"}
    claims = read_claims(signer.token(USER, "admin"))
    for encoding, form in (
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.PEM, PublicFormat.PKCS1),
    ):
        secret = OctKey.import_key(b64(public.public_bytes(encoding, form)))
        forged = jwt.encode(header, claims, secret, algorithms=["HS256"])
        assert await refused(signer, forged)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", None, "HS512", "RS512", "PS256", "ES256", ["RS256"]]
)
async def test_no_other_algorithm_is_accepted(signer: Tokens, algorithm: Any) -> None:
    header = {"alg": algorithm, "kid": signer.key_id, "typ": "at+jwt"}
    claims = read_claims(signer.token(USER, "admin"))

    assert await refused(signer, sign_raw(header, claims, signer))
    unsigned = ".".join([b64(json.dumps(header).encode()), b64(json.dumps(claims).encode()), ""])
    assert await refused(signer, unsigned)


async def test_a_stronger_rsa_algorithm_of_the_right_key_is_refused_too(signer: Tokens) -> None:
    header = {"alg": "RS512", "kid": signer.key_id, "typ": "at+jwt"}
    claims = read_claims(signer.token(USER, "driver"))

    assert await refused(signer, sign_raw(header, claims, signer, SHA512()))


async def test_another_key_under_our_key_id_is_refused(signer: Tokens, clock: FakeClock) -> None:
    stranger = Tokens(clock)
    stranger.key_id = signer.key_id

    assert await refused(signer, stranger.token(USER, "admin", header={"kid": signer.key_id}))


async def test_a_changed_payload_is_refused(signer: Tokens) -> None:
    head, payload, signature = signer.token(USER, "passenger").split(".")
    claims = read_claims(f"{head}.{payload}.{signature}") | {"type": "admin"}

    assert await refused(signer, f"{head}.{b64(json.dumps(claims).encode())}.{signature}")


async def test_a_token_dies_at_its_end(signer: Tokens, clock: FakeClock) -> None:
    token = signer.token(USER, "driver")
    clock.advance(899)
    assert not await refused(signer, token)

    clock.advance(1)

    assert await refused(signer, token)


async def test_a_slow_clock_of_half_a_minute_is_forgiven(signer: Tokens, clock: FakeClock) -> None:
    token = signer.token(USER, "driver")
    clock.advance(-30)
    assert not await refused(signer, token)

    clock.advance(-1)

    assert await refused(signer, token)


async def test_a_version_7_token_id_tells_the_millisecond() -> None:
    signer, token_id = Tokens(), new_id()
    made_at = id_time(token_id)
    claims = {"jti": str(token_id), "iat": int(made_at.timestamp())}

    principal = await signer.verifier().verify(signer.token(USER, "driver", claims=claims))

    assert principal.issued_at == made_at


async def test_a_token_id_from_another_time_is_not_believed(signer: Tokens, clock: FakeClock) -> None:
    clock.advance(-86_400)
    token = signer.token(USER, "driver", claims={"jti": str(new_id())})

    assert (await signer.verifier().verify(token)).issued_at == clock.now()


async def test_a_revoked_session_and_an_older_token_of_a_user_are_refused(
    signer: Tokens, clock: FakeClock
) -> None:
    revocations = web.Revocations(clock=clock)
    verifier = signer.verifier(revocations=revocations)
    session, ends = uuid4(), clock.now() + timedelta(seconds=900)
    dead = signer.token(uuid4(), "driver", session_id=session)
    older = signer.token(USER, "driver")
    revocations.add(
        [
            web.Revocation(session_id=session, not_before=clock.now(), expires_at=ends),
            web.Revocation(user_id=USER, not_before=clock.now() + timedelta(seconds=1), expires_at=ends),
        ]
    )
    clock.advance(2)
    newer = signer.token(USER, "driver")

    for token in (dead, older):
        with pytest.raises(web.InvalidToken):
            await verifier.verify(token)
    assert (await verifier.verify(newer)).user_id == USER


@given(st.text(max_size=200) | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}", fullmatch=True))
async def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    assert await refused(SHARED, text)


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
async def test_any_json_header_is_refused(header: Any) -> None:
    assert await refused(SHARED, f"{b64(json.dumps(header).encode())}.e30.AA")


SHARED = Tokens()


def test_only_usable_public_keys_are_read_from_a_jwks() -> None:
    with pytest.warns(SecurityWarning):
        small = RSAKey.generate_key(1024, parameters={"kid": "small"})
    good = RSAKey.generate_key(2048, parameters={"kid": "good"})
    encryption = {**good.as_dict(private=False), "kid": "enc", "use": "enc"}
    other_algorithm = {**good.as_dict(private=False), "kid": "ps", "alg": "PS256"}
    secret = {"kty": "oct", "k": "AAAA", "kid": "oct"}
    nameless = {"kty": "RSA", "n": good.as_dict()["n"], "e": "AQAB"}
    keys = [
        small.as_dict(private=False),
        good.as_dict(private=True),
        encryption,
        other_algorithm,
        secret,
        nameless,
    ]

    found = read_jwks({"keys": keys})

    assert set(found) == {"good"}
    assert not found["good"].is_private
