"""The sockets of this process: fed by announcements, and by the log when one is missing."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from notification.api.socket import Ending, Socket
from notification.domain.cursor import Arrival
from notification.domain.message import Logged, frame
from notification.domain.ticket import Holder
from notification.metrics import DELIVERY, GAPS, SOCKETS
from notification.ports import Announced, Announcements, FastPathAway
from telemetry import get_logger

log = get_logger(__name__)

POLL_S: Final = 1.0
SAFETY_POLLS: Final = 5
CATCH_UP_MESSAGES: Final = 500
SOCKETS_PER_USER: Final = 5


class Hub:
    """A background part. `over` says whether a holder's session has ended.

    While Valkey is away every position is polled each second; while it answers, every fifth: an
    announcement can be lost between a commit and its publishing.
    """

    def __init__(
        self,
        announcements: Announcements,
        *,
        transaction: Callable[[], AbstractAsyncContextManager[Any]],
        over: Callable[[Holder], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._announcements = announcements
        self._transaction = transaction
        self._over = over
        self._now = now
        self._sockets: dict[UUID, list[Socket]] = defaultdict(list)
        self._tasks: list[asyncio.Task[None]] = []
        self._listening = False

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch())]

    async def stop(self) -> None:
        for socket in self.sockets():
            socket.end(Ending.DRAINING)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    def unhealthy(self) -> str | None:
        dead = [task for task in self._tasks if task.done()]
        return "the socket hub has stopped" if dead else None

    def sockets(self) -> Iterator[Socket]:
        return (socket for of_user in list(self._sockets.values()) for socket in list(of_user))

    async def join(self, socket: Socket) -> None:
        """From here on the socket hears of its user's messages."""
        of_user = self._sockets[socket.holder.user_id]
        of_user.append(socket)
        SOCKETS.inc()
        for surplus in of_user[:-SOCKETS_PER_USER]:
            surplus.end(Ending.REPLACED)
        with suppress(FastPathAway):
            await self._announcements.listen_for(socket.holder.user_id)

    async def leave(self, socket: Socket) -> None:
        user_id = socket.holder.user_id
        self._sockets[user_id].remove(socket)
        SOCKETS.dec()
        if not self._sockets[user_id]:
            del self._sockets[user_id]
            with suppress(FastPathAway):
                await self._announcements.forget(user_id)

    async def catch_up(self, sockets: Sequence[Socket]) -> None:
        """Send each socket what its log holds beyond its cursor."""
        positions: dict[UUID, int] = {}
        for socket in sockets:
            user_id = socket.holder.user_id
            positions[user_id] = min(socket.cursor.last, positions.get(user_id, socket.cursor.last))
        if not positions:
            return
        async with self._transaction() as tx:
            newer = await tx.log.after(positions, limit=CATCH_UP_MESSAGES)
        for logged in newer:
            for socket in self._sockets.get(logged.message.user_id, ()):
                self._deliver(socket, logged)

    def _deliver(self, socket: Socket, logged: Logged) -> None:
        if socket.cursor.arrival(logged.offset) is Arrival.SEND:
            socket.cursor.last = logged.offset
            socket.send(frame(logged.message, offset=logged.offset), traceparent=logged.traceparent)

    async def _listen(self) -> None:
        while True:
            try:
                async for announced in self._announcements.frames():
                    self._listening = True
                    await self._arrived(announced)
            except FastPathAway:
                await self._pause()
            except Exception:  # an announcement that nobody can read must not end all others
                log.exception("listen_failed")
                await self._pause()

    async def _pause(self) -> None:
        """From now on the log is polled; then listen again."""
        self._listening = False
        await asyncio.sleep(POLL_S)

    async def _arrived(self, announced: Announced) -> None:
        behind, made = [], announced.frame
        for socket in self._sockets.get(announced.user_id, ()):
            if "offset" not in made:
                socket.send_location(made)
                continue
            match socket.cursor.arrival(made["offset"]):
                case Arrival.SEND:
                    socket.cursor.last = made["offset"]
                    socket.send(made, traceparent=announced.traceparent)
                    DELIVERY.observe(self._age_s(made))
                case Arrival.CATCH_UP:
                    behind.append(socket)
        if behind:
            GAPS.inc(len(behind))
            await self._quietly(self.catch_up(behind))

    async def _watch(self) -> None:
        """End sockets whose session is over, and poll the log."""
        rounds = 0
        while True:
            await asyncio.sleep(POLL_S)
            rounds += 1
            for socket in self.sockets():
                if socket.holder.expires_at <= self._now() or self._over(socket.holder):
                    socket.end(Ending.SESSION_OVER)
            if not self._listening or rounds % SAFETY_POLLS == 0:
                await self._quietly(self.catch_up(list(self.sockets())))

    async def _quietly(self, work: Awaitable[None]) -> None:
        """The log's database may be away for a while: the next round asks again."""
        try:
            await work
        except Exception:  # whatever it is, sockets must not die of it
            log.exception("catch_up_failed")

    def _age_s(self, made: Mapping[str, Any]) -> float:
        occurred_at = datetime.fromisoformat(made["occurred_at"])
        return max((self._now() - occurred_at).total_seconds(), 0.0)
