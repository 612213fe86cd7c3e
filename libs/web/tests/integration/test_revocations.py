"""Revocations through a real Valkey: told once, known everywhere, kept when Valkey forgets or is away."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from valkey.asyncio import Valkey

import web
from testkit.proxy import FaultProxy
from testkit.waiting import eventually
from web import revocations
from web.revocations import STREAM

TTL_S = 600


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[Valkey]:
    client = Valkey.from_url(valkey_url)
    yield client
    await client.aclose()


def a_principal() -> web.Principal:
    now = datetime.now(UTC)
    return web.Principal(
        user_id=uuid4(),
        user_type="driver",
        session_id=uuid4(),
        token_id="t",
        issued_at=now - timedelta(seconds=1),
        expires_at=now + timedelta(seconds=TTL_S),
    )


async def revoke_session(valkey: Valkey, principal: web.Principal) -> None:
    await revocations.write(
        valkey, session_id=principal.session_id, not_before=datetime.now(UTC), ttl_s=TTL_S
    )


async def revoke_user(valkey: Valkey, principal: web.Principal) -> None:
    await revocations.write(valkey, user_id=principal.user_id, not_before=datetime.now(UTC), ttl_s=TTL_S)


class Identity:
    """Identity's own list; down unless told otherwise."""

    def __init__(self) -> None:
        self.data: list[web.Revocation] = []
        self.asked = 0
        self.up = False

    def revoke(self, principal: web.Principal) -> None:
        now = datetime.now(UTC)
        ends = now + timedelta(seconds=TTL_S)
        self.data.append(web.Revocation(user_id=principal.user_id, not_before=now, expires_at=ends))

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if not self.up:
            raise httpx.ConnectError("down", request=request)
        answer = web.RevocationList(data=self.data, as_of=datetime.now(UTC))
        return httpx.Response(200, content=answer.model_dump_json())


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Identity:
    monkeypatch.setattr(revocations, "ASK_IDENTITY_S", 0.02)
    return Identity()


def poller(valkey_url: str, identity: Identity) -> web.Revocations:
    return web.Revocations(
        valkey_url=valkey_url,
        identity_url="http://identity",
        transport=httpx.MockTransport(identity),
        poll_s=0.02,
    )


async def test_what_was_written_before_and_after_the_start_is_known_to_every_process(
    valkey: Valkey, valkey_url: str, identity: Identity
) -> None:
    before, after, innocent = a_principal(), a_principal(), a_principal()
    await revoke_session(valkey, before)
    processes = [poller(valkey_url, identity) for _ in range(3)]
    for process in processes:
        await process.start()
        assert process.revoked(before)

    await revoke_user(valkey, after)

    for process in processes:
        await eventually(lambda process=process: process.revoked(after), 2)  # type: ignore[misc]
        assert not process.revoked(innocent)
        await process.stop()


async def test_thousands_are_read_in_pages(valkey: Valkey, valkey_url: str, identity: Identity) -> None:
    principals = [a_principal() for _ in range(2_500)]
    async with valkey.pipeline(transaction=False) as pipe:
        for principal in principals:
            await revocations.write(
                pipe, session_id=principal.session_id, not_before=datetime.now(UTC), ttl_s=TTL_S
            )
        await pipe.execute()

    process = poller(valkey_url, identity)
    await process.start()

    assert all(process.revoked(principal) for principal in principals)
    await process.stop()


async def test_a_flush_forgets_nothing_and_what_comes_after_it_is_known(
    valkey: Valkey, valkey_url: str, identity: Identity
) -> None:
    before, after = a_principal(), a_principal()
    await revoke_user(valkey, before)
    process = poller(valkey_url, identity)
    await process.start()

    await valkey.flushdb()
    asked = identity.asked
    await eventually(lambda: identity.asked > asked)
    assert process.revoked(before)

    await revoke_user(valkey, after)
    await eventually(lambda: process.revoked(after), 2)
    await process.stop()


async def test_a_stream_that_starts_again_with_lower_ids_is_read_from_its_start(
    valkey: Valkey, valkey_url: str, identity: Identity
) -> None:
    """A restarted Valkey whose clock went back."""
    await revoke_user(valkey, a_principal())
    process = poller(valkey_url, identity)
    await process.start()
    late = a_principal()
    entry = {
        "session_id": "",
        "user_id": str(late.user_id),
        "not_before": datetime.now(UTC).isoformat(),
        "expires_at": (datetime.now(UTC) + timedelta(seconds=TTL_S)).isoformat(),
    }

    async with valkey.pipeline(transaction=True) as pipe:
        await pipe.delete(STREAM)
        await pipe.xadd(STREAM, entry, id="1-1")  # type: ignore[arg-type]
        await pipe.execute()

    await eventually(lambda: process.revoked(late), 2)
    await process.stop()


async def test_while_valkey_is_away_identity_is_asked_and_nothing_is_forgotten(
    valkey: Valkey,
    valkey_url: str,
    identity: Identity,
    tcp_proxy: Callable[[str], Awaitable[FaultProxy]],
) -> None:
    known, fresh = a_principal(), a_principal()
    await revoke_session(valkey, known)
    address, _, number = valkey_url.removeprefix("redis://").partition("/")
    proxy = await tcp_proxy(address)
    process = poller(f"redis://{proxy.address}/{number}", identity)
    await process.start()

    await proxy.refuse()
    identity.up = True
    identity.revoke(fresh)
    await eventually(lambda: process.revoked(fresh), 3)
    assert process.revoked(known)

    await proxy.heal()
    last = a_principal()
    identity.up = False
    await revoke_session(valkey, last)
    await eventually(lambda: process.revoked(last), 3)
    await process.stop()


async def test_a_half_open_valkey_does_not_stop_the_poller(
    valkey: Valkey,
    valkey_url: str,
    identity: Identity,
    tcp_proxy: Callable[[str], Awaitable[FaultProxy]],
) -> None:
    address, _, number = valkey_url.removeprefix("redis://").partition("/")
    proxy = await tcp_proxy(address)
    process = poller(f"redis://{proxy.address}/{number}", identity)
    await process.start()

    proxy.half_open()
    identity.up = True
    fresh = a_principal()
    identity.revoke(fresh)

    await eventually(lambda: process.revoked(fresh), 5)
    await process.stop()


async def test_a_stranger_in_the_stream_does_not_stop_the_poller(
    valkey: Valkey, valkey_url: str, identity: Identity
) -> None:
    process = poller(valkey_url, identity)
    await process.start()
    await valkey.xadd(STREAM, {"what": "is this"})
    after = a_principal()
    await revoke_user(valkey, after)

    await eventually(lambda: process.revoked(after), 3)
    await process.stop()
