"""Sessions on a real database: races, reuse, revocation everywhere, and key rotation."""

import asyncio
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from identity_door import Door, bearer, email, running
from joserfc.jwk import RSAKey
from valkey.asyncio import Valkey

import web
from contracts.audit import AuditRecorded
from contracts.identity import SessionRevoked
from identity.main import Identity
from identity.settings import Settings
from kernel.clock import Clock, SystemClock
from messaging import KafkaSettings
from testkit import DatabaseUrls, FakeClock, Tokens, eventually, published

MakeSettings = Callable[..., Settings]


async def test_twenty_refreshes_at_once_give_exactly_one_successor(door: Door, urls: DatabaseUrls) -> None:
    _, tokens = await door.session(1)
    responses = await asyncio.gather(*(door.refresh(tokens["refresh_token"]) for _ in range(20)))
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["refresh_token"] for response in responses}) == 1
    assert await _count(urls, "refresh_tokens") == 2
    after = await door.refresh(responses[0].json()["refresh_token"])
    assert after.status_code == 200
    assert after.headers["cache-control"] == "no-store"


async def test_a_lost_answer_is_repeated_within_the_grace_and_a_theft_after_it_ends_the_family(
    door: Door, settings: MakeSettings, urls: DatabaseUrls
) -> None:
    clock = from_now_on()
    async with running(settings(), clock=clock) as process:
        _, tokens = await process.session(1)
        first = (await process.refresh(tokens["refresh_token"])).json()
        clock.advance(9)
        assert (await process.refresh(tokens["refresh_token"])).json()["refresh_token"] == first[
            "refresh_token"
        ]
        clock.advance(2)
        stolen = await process.refresh(tokens["refresh_token"])
        assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_refresh_token")
        assert (await process.refresh(first["refresh_token"])).status_code == 401
        assert (await process.client.get("/me", headers=bearer(first))).status_code == 401
    assert [
        fact.reason
        for fact, _, _ in await published(urls, of=SessionRevoked)
        if isinstance(fact, SessionRevoked)
    ] == ["refresh_token_reused"]
    actions = [
        fact.action
        for fact, _, _ in await published(urls, of=AuditRecorded)
        if isinstance(fact, AuditRecorded)
    ]
    assert actions.count("refuse_reused_refresh_token") == 1


async def test_twenty_thefts_at_once_end_the_family_once(
    door: Door, settings: MakeSettings, urls: DatabaseUrls
) -> None:
    clock = from_now_on()
    async with running(settings(), clock=clock) as process:
        _, tokens = await process.session(1)
        await process.refresh(tokens["refresh_token"])
        clock.advance(60)
        responses = await asyncio.gather(*(process.refresh(tokens["refresh_token"]) for _ in range(20)))
        assert {response.status_code for response in responses} == {401}
    assert len(await published(urls, of=SessionRevoked)) == 1


async def test_a_refresh_token_dies_unused_after_a_week_and_a_session_after_ninety_days(
    door: Door, settings: MakeSettings
) -> None:
    clock = from_now_on()
    began = clock.now()
    async with running(settings(), clock=clock) as process:
        _, tokens = await process.session(1)
        token = tokens["refresh_token"]
        for _ in range(15):
            clock.advance(timedelta(days=6).total_seconds())
            response = await process.refresh(token)
            if response.status_code == 401:
                break
            token = response.json()["refresh_token"]
        assert response.status_code == 401
        assert clock.now() >= began + timedelta(days=90)
        other = (await process.log_in(email(1)))["refresh_token"]
        clock.advance(timedelta(days=7).total_seconds())
        assert (await process.refresh(other)).status_code == 401


async def test_logging_out_kills_the_session_and_the_given_one(door: Door, urls: DatabaseUrls) -> None:
    _, here = await door.session(1)
    there = await door.log_in(email(1))
    body = {"refresh_token": there["refresh_token"]}
    assert (await door.client.post("/auth/logout", headers=bearer(here), json=body)).status_code == 204
    for tokens in (here, there):
        assert (await door.client.get("/me", headers=bearer(tokens))).status_code == 401
        assert (await door.refresh(tokens["refresh_token"])).status_code == 401
    assert len(await published(urls, of=SessionRevoked)) == 2


async def test_logging_out_needs_no_body(door: Door) -> None:
    _, tokens = await door.session(1)
    assert (await door.client.post("/auth/logout", headers=bearer(tokens))).status_code == 204
    assert (await door.client.get("/me", headers=bearer(tokens))).status_code == 401


async def test_a_revoked_session_dies_in_another_process_of_identity(
    door: Door, settings: MakeSettings
) -> None:
    _, tokens = await door.session(1)
    async with running(settings(revocations_poll_s=0.05)) as other:
        assert (await other.client.get("/me", headers=bearer(tokens))).status_code == 200
        await door.client.post("/auth/logout", headers=bearer(tokens))

        async def dead() -> bool:
            return (await other.client.get("/me", headers=bearer(tokens))).status_code == 401

        await eventually(dead, timeout_s=20)


async def test_a_flush_of_valkey_does_not_bring_a_revoked_token_back_to_life(
    door: Door, settings: MakeSettings, valkey_url: str, kafka_settings: KafkaSettings
) -> None:
    _, tokens = await door.session(1)
    given = settings(
        valkey_url=valkey_url,
        revocations_spread_s=0.2,
        kafka_bootstrap=kafka_settings.kafka_bootstrap,
        kafka_topic_prefix=kafka_settings.kafka_topic_prefix,
    )
    async with running(given, mode="all") as process, valkey_client(valkey_url) as valkey:
        await process.client.post("/auth/logout", headers=bearer(tokens))
        # The request and the job may both write a fresh revocation; nobody writes it again after that.
        assert await valkey.xlen(web.revocations.STREAM) in {1, 2}
        await valkey.flushdb()
        # A service that starts now knows nothing but what Valkey says.
        async with verifying(process, given, valkey_url) as verifier:

            async def dead() -> bool:
                try:
                    await verifier.verify(tokens["access_token"])
                except web.InvalidToken:
                    return True
                return False

            await eventually(dead, timeout_s=20)
        assert await valkey.xlen(web.revocations.STREAM) in {1, 2}


async def test_a_service_without_valkey_hears_of_revocations_from_identity(door: Door) -> None:
    _, tokens = await door.session(1)
    await door.client.post("/auth/logout", headers=bearer(tokens))
    revocations = web.Revocations(identity_url="http://identity", transport=httpx.ASGITransport(app=door.app))
    await revocations.start()
    try:
        verifier = web.TokenVerifier(
            web.StaticKeys((await door.client.get("/.well-known/jwks.json")).json()),
            issuer="https://ibora.invalid",
            audience="ibora",
            revocations=revocations,
        )
        with pytest.raises(web.InvalidToken):
            await verifier.verify(tokens["access_token"])
    finally:
        await revocations.stop()


async def test_a_key_rotation_refuses_no_token_in_flight(settings: MakeSettings) -> None:
    clock = from_now_on()
    given = settings(signing_key_poll_s=0.05, signing_key_lead_s=600, signing_key_rotate_s=3_600)
    identity = Identity(given, clock=clock)
    try:
        async with running(given, clock=clock) as process:
            _, before = await process.session(1)
            old = _kid(before)
            clock.advance(3_600)
            await identity.renew_signing_keys()
            await eventually(lambda: _published(process, 2), timeout_s=20)
            in_flight = await process.log_in(email(1))
            assert _kid(in_flight) == old
            clock.advance(600)
            after = await process.log_in(email(1))
            assert _kid(after) != old
            for tokens in (in_flight, after):
                assert (await process.client.get("/me", headers=bearer(tokens))).status_code == 200
            clock.advance(840)
            assert (await process.client.get("/me", headers=bearer(after))).status_code == 200
            clock.advance(120)
            await identity.renew_signing_keys()
            await eventually(lambda: _published(process, 1), timeout_s=20)
            assert _kid(await process.log_in(email(1))) == _kid(after)
    finally:
        await identity.close()


async def test_the_key_set_has_public_members_only_and_may_be_cached(door: Door) -> None:
    response = await door.client.get("/.well-known/jwks.json")
    assert "max-age=300" in response.headers["cache-control"]
    for key in response.json()["keys"]:
        assert set(key) == {"kid", "use", "alg", "kty", "n", "e"}


async def test_processes_that_start_at_once_make_one_key(settings: MakeSettings, urls: DatabaseUrls) -> None:
    processes = [Identity(settings(), clock=SystemClock()) for _ in range(4)]
    await asyncio.gather(*(process.renew_signing_keys() for process in processes))
    await asyncio.gather(*(process.close() for process in processes))
    assert await _count(urls, "signing_keys") == 1


async def test_an_access_token_says_what_the_contract_says(door: Door) -> None:
    user_id, tokens = await door.session(1)
    claims = _claims(tokens)
    assert set(claims) == {"sub", "type", "iat", "exp", "iss", "aud", "jti", "sid"}
    assert (claims["sub"], claims["type"]) == (user_id, "passenger")
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 900


async def test_tokens_of_every_wrong_kind_are_refused(door: Door, tokens: Tokens) -> None:
    user_id, good = await door.session(1)
    header, payload, signature = good["access_token"].split(".")
    jwks = (await door.client.get("/.well-known/jwks.json")).json()
    public_key = RSAKey.import_key(jwks["keys"][0]).as_pem(private=False)
    wrong = {
        "a refresh token": good["refresh_token"],
        "nothing": "",
        "unsigned": f"{header}.{payload}.",
        "cut": f"{header}.{payload}.{signature[:-8]}",
        "another authority's": tokens.token(user_id, "passenger"),
        "another authority's under our kid": tokens.token(user_id, "admin", header={"kid": _kid(good)}),
        "signed with our public key": _symmetric(payload, kid=_kid(good), key=public_key),
        "a service's": door.service["Authorization"].removeprefix("Bearer "),
    }
    for kind, token in wrong.items():
        response = await door.client.get("/me", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401, kind
        assert "www-authenticate" in response.headers
    assert (await door.client.get("/me")).status_code == 401


async def test_an_expired_access_token_is_refused(door: Door, settings: MakeSettings) -> None:
    clock = from_now_on()
    async with running(settings(access_ttl_s=60), clock=clock) as process:
        _, tokens = await process.session(1)
        clock.advance(59)
        assert (await process.client.get("/me", headers=bearer(tokens))).status_code == 200
        clock.advance(1)
        assert (await process.client.get("/me", headers=bearer(tokens))).status_code == 401


def from_now_on() -> FakeClock:
    """The door's process made its signing key by the real clock: a day's noon may lie before that."""
    return FakeClock(datetime.now(UTC))


@asynccontextmanager
async def valkey_client(url: str) -> AsyncIterator[Valkey]:
    client: Valkey = Valkey.from_url(url)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def verifying(
    door: Door, given: Settings, valkey_url: str, clock: Clock | None = None
) -> AsyncIterator[web.TokenVerifier]:
    """What another service does: the published keys, and revocations from Valkey alone."""
    revocations = web.Revocations(valkey_url=valkey_url, poll_s=0.05)
    await revocations.start()
    try:
        yield web.TokenVerifier(
            web.StaticKeys((await door.client.get("/.well-known/jwks.json")).json()),
            issuer=given.token_issuer,
            audience=given.token_audience,
            revocations=revocations,
        )
    finally:
        await revocations.stop()


def _symmetric(payload: str, *, kid: str, key: bytes) -> str:
    """The classic forgery: HS256 with the public key, which everybody has, as the secret."""
    header = json.dumps({"alg": "HS256", "kid": kid, "typ": "at+jwt"}).encode()
    signed = f"{urlsafe_b64encode(header).rstrip(b'=').decode()}.{payload}"
    signature = hmac.digest(key, signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _segment(token: str, index: int) -> dict[str, Any]:
    part = token.split(".")[index]
    return dict(json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def _claims(tokens: dict[str, Any]) -> dict[str, Any]:
    return _segment(tokens["access_token"], 1)


def _kid(tokens: dict[str, Any]) -> str:
    return str(_segment(tokens["access_token"], 0)["kid"])


async def _published(door: Door, count: int) -> bool:
    return len((await door.client.get("/.well-known/jwks.json")).json()["keys"]) == count


async def _count(urls: DatabaseUrls, table: str) -> int:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    finally:
        await connection.close()
