"""What is revoked is known, kept and forgotten at the right time."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import httpx
import pytest

import web
from testkit.fake_clock import FakeClock
from testkit.waiting import eventually
from web import revocations

TTL = timedelta(seconds=600)


def principal(user_id: UUID, issued_at: datetime, session_id: UUID | None = None) -> web.Principal:
    return web.Principal(
        user_id=user_id,
        user_type="driver",
        session_id=session_id or uuid4(),
        token_id="t",
        issued_at=issued_at,
        expires_at=issued_at + TTL,
    )


class Identity:
    """Answers /internal/revocations from a list of (revoked_at, revocation)."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.revoked: list[tuple[datetime, web.Revocation]] = []
        self.since: list[str | None] = []
        self.answer: httpx.Response | None = None

    def revoke(self, **ids: UUID) -> None:
        now = self.clock.now()
        self.revoked.append((now, web.Revocation(**ids, not_before=now, expires_at=now + TTL)))

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/internal/revocations"
        since = parse_qs(request.url.query.decode()).get("since", [None])[0]
        self.since.append(since)
        if self.answer is not None:
            return self.answer
        after = datetime.fromisoformat(since) if since else None
        data = [one for at, one in self.revoked if after is None or at >= after]
        return httpx.Response(
            200, content=web.RevocationList(data=data, as_of=self.clock.now()).model_dump_json()
        )


@pytest.fixture
def identity(clock: FakeClock) -> Identity:
    return Identity(clock)


def poller(identity: Identity, clock: FakeClock, **options: Any) -> web.Revocations:
    transport = httpx.MockTransport(identity)
    return web.Revocations(
        identity_url="http://identity", clock=clock, transport=transport, poll_s=0.01, **options
    )


async def test_without_valkey_identity_is_asked_and_only_for_what_is_new(
    identity: Identity, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "ASK_IDENTITY_S", 0)
    session, user = uuid4(), uuid4()
    identity.revoke(session_id=session)
    known = poller(identity, clock)
    await known.start()
    assert known.revoked(principal(uuid4(), clock.now(), session))

    clock.advance(60)
    issued = clock.now()
    clock.advance(1)
    identity.revoke(user_id=user)

    await eventually(lambda: known.revoked(principal(user, issued)))
    assert identity.since[0] is None
    assert identity.since[-1] is not None
    await known.stop()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, content=b"not json"),
        httpx.Response(200, json={"data": [{"session_id": "x"}]}),
    ],
)
async def test_what_is_known_survives_a_broken_identity(
    identity: Identity, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response
) -> None:
    monkeypatch.setattr(revocations, "ASK_IDENTITY_S", 0)
    session = uuid4()
    identity.revoke(session_id=session)
    known = poller(identity, clock)
    await known.start()
    asked = len(identity.since)
    identity.answer = answer

    await eventually(lambda: len(identity.since) > asked + 2)

    assert known.revoked(principal(uuid4(), clock.now(), session))
    assert known.unhealthy() is None
    await known.stop()


async def test_an_unreachable_valkey_and_identity_do_not_keep_a_service_from_starting(
    clock: FakeClock,
) -> None:
    known = web.Revocations(
        valkey_url="redis://127.0.0.1:1/0", identity_url="http://127.0.0.1:1", clock=clock
    )

    await known.start()
    await known.start()

    assert not known.revoked(principal(uuid4(), clock.now()))
    await known.stop()


def test_a_user_revocation_hits_older_tokens_only(clock: FakeClock) -> None:
    known, user = web.Revocations(clock=clock), uuid4()
    at = clock.now()
    known.add([web.Revocation(user_id=user, not_before=at, expires_at=at + TTL)])

    assert known.revoked(principal(user, at - timedelta(milliseconds=1)))
    assert not known.revoked(principal(user, at))
    assert not known.revoked(principal(uuid4(), at - timedelta(seconds=1)))


def test_the_latest_revocation_of_a_user_wins_whatever_the_order(clock: FakeClock) -> None:
    known, user = web.Revocations(clock=clock), uuid4()
    early, late = clock.now(), clock.now() + timedelta(seconds=30)
    for at in (late, early):
        known.add([web.Revocation(user_id=user, not_before=at, expires_at=at + TTL)])

    assert known.revoked(principal(user, early + timedelta(seconds=1)))


def test_a_revocation_ends_when_no_token_can_be_alive_any_more(clock: FakeClock) -> None:
    known, session, user = web.Revocations(clock=clock), uuid4(), uuid4()
    issued = clock.now() - timedelta(seconds=1)
    known.add(
        [
            web.Revocation(session_id=session, not_before=clock.now(), expires_at=clock.now() + TTL),
            web.Revocation(user_id=user, not_before=clock.now(), expires_at=clock.now() + TTL),
        ]
    )

    clock.advance(TTL.total_seconds() - 1)
    assert known.revoked(principal(uuid4(), issued, session))
    assert known.revoked(principal(user, issued))
    clock.advance(1)
    assert not known.revoked(principal(uuid4(), issued, session))
    assert not known.revoked(principal(user, issued))


async def test_a_revocation_names_a_session_or_a_user() -> None:
    for ids in ({}, {"session_id": uuid4(), "user_id": uuid4()}):
        with pytest.raises(ValueError, match="session or a user"):
            await revocations.write(None, not_before=datetime.now(), ttl_s=1, **ids)  # type: ignore[arg-type]  # noqa: DTZ005
