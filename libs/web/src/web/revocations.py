"""Which sessions and users are revoked, known within a second.

Identity's database is the truth. Identity also appends every revocation to a stream in Valkey, the fast copy
that each process polls once a second. While Valkey is away, or has lost its memory, a process keeps what
it knows and asks identity: `GET {identity_url}/internal/revocations?since=…`, answered as `RevocationList`.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic, time
from typing import Any, Final
from urllib.parse import urljoin
from uuid import UUID

import httpx
from prometheus_client import Gauge
from pydantic import AwareDatetime
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from kernel.clock import Clock, SystemClock
from telemetry import get_logger
from web.background import cancel
from web.models import View
from web.principals import Principal

log = get_logger(__name__)

STREAM: Final = "ibora:revocations"
POLL_S: Final = 1.0
ASK_IDENTITY_S: Final = 2.0
COMPARE_S: Final = 30.0
_OVERLAP: Final = timedelta(seconds=10)
_KEEP_MS: Final = 86_400_000
_TIMEOUT_S: Final = 1.0
_PAGE: Final = 1000
_LAST_SUCCESS: Final = Gauge(
    "revocations_last_success_timestamp_seconds", "When the list of revocations was last known to be complete"
)


class Revocation(View):
    """One session, or every token of one user issued before `not_before`; forgotten after `expires_at`."""

    session_id: UUID | None = None
    user_id: UUID | None = None
    not_before: AwareDatetime
    expires_at: AwareDatetime


class RevocationList(View):
    """Identity's answer: what was revoked since the asked time and has not expired; `as_of`: its clock."""

    data: list[Revocation]
    as_of: AwareDatetime


async def write(
    valkey: Valkey,
    *,
    session_id: UUID | None = None,
    user_id: UUID | None = None,
    not_before: datetime,
    ttl_s: float,
) -> None:
    """Tell every process, after identity's commit: one session, or all of a user's older tokens, are dead.

    `ttl_s` is how long the newest such token could still live. Raises ValkeyError; identity's own list
    covers for it.
    """
    if (session_id is None) == (user_id is None):
        raise ValueError("a revocation names a session or a user")
    fields: dict[Any, Any] = {
        "session_id": str(session_id or ""),
        "user_id": str(user_id or ""),
        "not_before": not_before.isoformat(),
        "expires_at": (not_before + timedelta(seconds=ttl_s)).isoformat(),
    }
    await valkey.xadd(STREAM, fields, minid=int(time() * 1000) - _KEEP_MS, approximate=True)


class Revocations:
    """A Background that knows what is revoked. With neither address it knows nothing and refuses nobody."""

    def __init__(
        self,
        *,
        valkey_url: str | None = None,
        identity_url: str | None = None,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        self._valkey_url = valkey_url
        self._identity_url = identity_url
        self._clock = clock or SystemClock()
        self._transport = transport
        self._poll_s = poll_s
        self._sessions: dict[UUID, datetime] = {}
        self._users: dict[UUID, tuple[datetime, datetime]] = {}
        self._last_id = ""
        self._asked_at = -float("inf")
        self._as_of: datetime | None = None
        self._valkey: Valkey | None = None
        self._client: httpx.AsyncClient | None = None
        self._task: asyncio.Task[None] | None = None
        self._trouble: frozenset[str] = frozenset()

    async def start(self) -> None:
        """Load the list and keep polling; a second start does nothing."""
        if self._task is not None:
            return
        if self._valkey_url is not None:
            self._valkey = Valkey.from_url(
                self._valkey_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
            )
        if self._identity_url is not None:
            self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, transport=self._transport)
        await self.poll()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop polling and close the connections."""
        task, self._task = self._task, None
        await cancel(task)
        if self._valkey is not None:
            await self._valkey.aclose()
        if self._client is not None:
            await self._client.aclose()

    def unhealthy(self) -> str | None:
        """Never: a restart would only forget what is known."""
        return None

    def revoked(self, principal: Principal) -> bool:
        """Whether the principal's session is revoked, or its token is older than its user's revocation."""
        now = self._clock.now()
        session_until = self._sessions.get(principal.session_id)
        if session_until is not None and now < session_until:
            return True
        not_before, until = self._users.get(principal.user_id, (None, now))
        return not_before is not None and now < until and principal.issued_at < not_before

    def add(self, revocations: Iterable[Revocation]) -> None:
        """Remember; the widest of several revocations of one user or session wins."""
        for one in revocations:
            if one.session_id is not None:
                known = self._sessions.get(one.session_id, one.expires_at)
                self._sessions[one.session_id] = max(known, one.expires_at)
            if one.user_id is not None:
                not_before, until = self._users.get(one.user_id, (one.not_before, one.expires_at))
                self._users[one.user_id] = (max(not_before, one.not_before), max(until, one.expires_at))

    async def poll(self) -> None:
        """One round: Valkey, and identity when Valkey cannot say or it is time to compare."""
        complete = await self._ask_valkey()
        interval_s = COMPARE_S if complete else ASK_IDENTITY_S
        if monotonic() - self._asked_at >= interval_s and self._client is not None:
            complete = await self._ask_identity() or complete
        if complete:
            _LAST_SUCCESS.set_to_current_time()
        self._forget_expired()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                await self.poll()
            except Exception:  # the next round may do better, and what is known still holds
                log.exception("revocations_not_polled")

    async def _ask_valkey(self) -> bool:
        if self._valkey is None:
            return False
        try:
            newest = await self._valkey.xrevrange(STREAM, count=1)
            if not newest:
                self._last_id = ""
                return False
            if _order(newest[0][0]) < _order(self._last_id):
                self._last_id = ""
            await self._read_on(newest_id=newest[0][0].decode())
        except (ValkeyError, OSError, TimeoutError, ValueError) as error:
            self._note("valkey", error)
            return False
        self._note("valkey", None)
        return True

    async def _read_on(self, *, newest_id: str) -> None:
        assert self._valkey is not None
        while self._last_id != newest_id:
            start = f"({self._last_id}" if self._last_id else "-"
            rows = await self._valkey.xrange(STREAM, min=start, max=newest_id, count=_PAGE)
            if not rows:
                return
            self.add(one for _, fields in rows if (one := _parse(fields)) is not None)
            self._last_id = rows[-1][0].decode()

    async def _ask_identity(self) -> bool:
        assert self._client is not None
        assert self._identity_url is not None
        self._asked_at = monotonic()
        since = {"since": (self._as_of - _OVERLAP).isoformat()} if self._as_of else {}
        url = urljoin(f"{self._identity_url.rstrip('/')}/", "internal/revocations")
        try:
            response = await self._client.get(url, params=since)
            response.raise_for_status()
            answer = RevocationList.model_validate_json(response.content)
        except (httpx.HTTPError, ValueError) as error:
            self._note("identity", error)
            return False
        self.add(answer.data)
        self._as_of = answer.as_of
        self._note("identity", None)
        return True

    def _note(self, source: str, error: Exception | None) -> None:
        # One line when a source fails and one when it is back, not one a second.
        troubled = source in self._trouble
        if error is not None and not troubled:
            log.warning("revocations_source_lost", source=source, reason=type(error).__name__)
            self._trouble |= {source}
        elif error is None and troubled:
            log.info("revocations_source_back", source=source)
            self._trouble -= {source}

    def _forget_expired(self) -> None:
        now = self._clock.now()
        self._sessions = {id_: until for id_, until in self._sessions.items() if now < until}
        self._users = {id_: known for id_, known in self._users.items() if now < known[1]}


def _order(stream_id: bytes | str) -> tuple[int, int]:
    text = stream_id.decode() if isinstance(stream_id, bytes) else stream_id
    made_ms, _, sequence = (text or "0-0").partition("-")
    return int(made_ms), int(sequence or 0)


def _parse(fields: dict[bytes, bytes]) -> Revocation | None:
    """None for an entry that is no revocation: it must not keep the ones after it from being read."""
    try:
        return Revocation.model_validate(
            {name.decode(): value.decode() or None for name, value in fields.items()}
        )
    except ValueError:
        log.warning("revocation_not_understood")
        return None
