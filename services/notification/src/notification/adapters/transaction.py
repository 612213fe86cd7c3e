"""Notification's transaction: the logs are written before the commit and announced after it."""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from notification.adapters.message_log import SqlMessageLog
from notification.adapters.tickets import SqlTickets
from notification.domain.message import Logged
from notification.metrics import ANNOUNCEMENTS_LOST
from notification.ports import FastPathAway
from storage import Scope, Transaction

Announce = Callable[[Sequence[Logged]], Awaitable[None]]


class NotificationTransaction(Transaction):
    def __init__(self, session: AsyncSession, scope: Scope, *, announce: Announce) -> None:
        super().__init__(session, scope)
        self.log = SqlMessageLog(session)
        self.tickets = SqlTickets(session)
        self._announce = announce

    async def before_commit(self) -> None:
        logged = await self.log.flush(now=self.now())
        if logged:
            self.after_commit(lambda: self._tell(logged))

    async def _tell(self, logged: Sequence[Logged]) -> None:
        try:
            await self._announce(logged)
        except FastPathAway:
            ANNOUNCEMENTS_LOST.inc(len(logged))
